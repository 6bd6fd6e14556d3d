"""What the official CloudEvents SDK makes of our events, and events that it makes itself.

Reads events in structured mode from stdin, one a line. For each it prints a line of JSON: what is wrong,
the event as the SDK writes it again, and one that the SDK has built from its parts with an id of its own.
"""

import json
import sys
from datetime import datetime

from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, from_structured, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

CONTENT_TYPE = "application/cloudevents+json"


def parse(line):
    """As a consumer of Kafka would: structured mode is told by the content type."""
    headers = {"content-type": CONTENT_TYPE.encode()}
    message = KafkaMessage(headers=headers, key=None, value=line.encode())
    # The version of the specification is told by the event, too.
    return from_structured(message, JSONFormat()), from_kafka(message, JSONFormat())


def plain(value):
    """A value as JSON has it."""
    if isinstance(value, datetime):
        return value.timestamp()
    return value


def attributes_lost(told, event):
    """Attributes that the SDK has read otherwise than they were told."""
    lost = []
    attributes = event.get_attributes()
    for name, value in told.items():
        if name == "data":
            continue
        read = attributes.get(name)
        if name == "time":
            value = datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
        if plain(read) != value:
            lost.append(f"{name} is {value!r}, and read as {read!r}")
    lost.extend(f"{name} came from nowhere" for name in attributes if name not in told)
    if event.get_data() != told["data"]:
        lost.append("the data are read otherwise")
    return lost


def typed(told, event):
    """The getters for the attributes that the specification names."""
    expected = {
        "get_id": told["id"],
        "get_source": told["source"],
        "get_type": told["type"],
        "get_specversion": "1.0",
        "get_subject": told["subject"],
        "get_dataschema": told["dataschema"],
        "get_datacontenttype": "application/json",
    }
    wrong = [f"{name}() is not {value!r}" for name, value in expected.items() if getattr(event, name)() != value]
    if event.get_time() is None or event.get_time().tzinfo is None:
        wrong.append("get_time() has no zone")
    for name in ("sequence", "correlationid", "userid", "traceparent"):
        if event.get_extension(name) != told.get(name):
            wrong.append(f"the extension {name} is not {told.get(name)!r}")
    return wrong


def made(told):
    """An event of somebody who knows our contract and this SDK, and nothing else."""
    attributes = {name: value for name, value in told.items() if name != "data"}
    attributes["id"] = told["id"] + "-by-the-sdk"
    attributes["time"] = datetime.fromisoformat(told["time"].replace("Z", "+00:00"))
    return to_structured(CloudEvent(attributes, told["data"]), JSONFormat()).value.decode()


def judge(line):
    told = json.loads(line)
    try:
        events = parse(line)
        wrong = [found for event in events for found in attributes_lost(told, event) + typed(told, event)]
        again = to_structured(events[0], JSONFormat()).value.decode()
        return {"wrong": wrong, "again": again, "made": made(told)}
    except Exception as error:  # Whatever the SDK does not like is what we are here to find.
        return {"wrong": [f"{type(error).__name__}: {error}"], "again": None, "made": None}


for line in sys.stdin:
    if line.strip():
        print(json.dumps(judge(line)), flush=True)
