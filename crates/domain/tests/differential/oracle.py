"""What python-dateutil makes of a series: a case a line in, its occurrences a line out, after a
line with the version of the zone database.

Where dateutil and RFC 5545 (or a rule of ours) differ, the difference is written here, at the
function that bridges it:

1. the start is always the first occurrence and is counted, also when it does not fit (from_start);
2. BYWEEKNO without a day means the start's weekday, not all seven (explicit);
3. BYDAY=MO,1TU means both, not days that are both (generated);
4. BYSETPOS counts in the whole first week, not in what is left of it from the start on (generated);
5. weeks 52 and 53, from either end, are those of the year the week belongs to (generated);
6. UNTIL is local time, and a date means its whole day (until);
7. in a gap the offset before it counts, and what then comes at the instant of a later occurrence or
   after it is dropped (kept).
"""

import datetime as dt
import heapq
import itertools
import json
import sys
import types
import zoneinfo

import tzdata
from dateutil import rrule

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]

# dateutil goes on to the year 9999 for a rule that never comes; its module is given another end.
CALENDAR = types.SimpleNamespace(**{name: getattr(dt, name) for name in dir(dt)})
rrule.datetime = CALENDAR

# How far ahead of its last shown occurrence a later one can be that makes it drop.
GAP_MAX = dt.timedelta(hours=25)


def explicit(parts, start):
    weekday_implied = parts["FREQ"] == "WEEKLY" or "BYWEEKNO" in parts
    days = ("BYDAY", "BYMONTHDAY", "BYYEARDAY")
    if weekday_implied and not any(day in parts for day in days):
        return {**parts, "BYDAY": WEEKDAYS[start.weekday()]}
    return parts


def generated(parts, start):
    """The rule's own occurrences from the start on."""
    days = parts.get("BYDAY", "").split(",")
    plain = [day for day in days if len(day) == 2]
    numbered = [day for day in days if len(day) > 2]
    if plain and numbered:
        halves = [{**parts, "BYDAY": ",".join(half)} for half in (plain, numbered)]
        return merged([generated(half, start) for half in halves])
    weeks = [int(week) for week in parts.get("BYWEEKNO", "").split(",") if week]
    if any(abs(week) >= 52 for week in weeks):
        first = WEEKDAYS.index(parts.get("WKST", "MO"))
        without = {name: value for name, value in parts.items() if name != "BYWEEKNO"}
        every = generated({"BYDAY": ",".join(WEEKDAYS), **without}, start)
        return (at for at in every if not set(week_numbers(at.date(), first)).isdisjoint(weeks))
    begin = start
    if parts["FREQ"] == "WEEKLY" and "BYSETPOS" in parts:
        first = WEEKDAYS.index(parts.get("WKST", "MO"))
        begin = start - dt.timedelta(days=(start.weekday() - first) % 7)
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    return (at for at in own(text, begin) if at >= start)


def own(text, start):
    """As dateutil has it; that there is nothing it says by an error, sometimes."""
    try:
        yield from rrule.rrulestr(text, dtstart=start)
    except ValueError as error:
        if "empty" not in str(error):
            raise


def merged(lists):
    last = None
    for at in heapq.merge(*lists):
        if at != last:
            yield at
        last = at


def week_numbers(day, first):
    """The number of a day's week in its year, from the start and from the end."""
    decisive = day - dt.timedelta(days=(day.weekday() - first) % 7) + dt.timedelta(days=3)
    number = (decisive.timetuple().tm_yday - 1) // 7 + 1
    length = 366 if decisive.year % 4 == 0 and decisive.year % 100 else 365
    length = 366 if decisive.year % 400 == 0 else length
    weeks = number + (length - decisive.timetuple().tm_yday) // 7
    return number, number - weeks - 1


def until(text, zone):
    if text is None:
        return dt.datetime.max
    if len(text) == 8:
        return dt.datetime.strptime(text, "%Y%m%d") + dt.timedelta(days=1, microseconds=-1)
    if text.endswith("Z"):
        at = dt.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.timezone.utc)
        return at.astimezone(zone).replace(tzinfo=None)
    return dt.datetime.strptime(text, "%Y%m%dT%H%M%S")


def from_start(parts, start, zone):
    count = parts.pop("COUNT", None)
    end = until(parts.pop("UNTIL", None), zone)
    later = (at for at in generated(explicit(parts, start), start) if at != start)
    later = itertools.takewhile(lambda at: at <= end, later)
    return itertools.islice(itertools.chain([start], later), int(count) if count else None)


def moments(texts, start):
    for text in texts:
        at = dt.datetime.fromisoformat(text)
        yield at if "T" in text else dt.datetime.combine(at.date(), start.time())


def is_out(at, exdates, of_dates):
    day = at.date().isoformat()
    return any(
        text == day or text == at.isoformat() or (of_dates and text[:10] == day)
        for text in exdates
    )


def instant(local, zone):
    # fold=0 is the first of two, and the offset before a gap.
    offset = local.replace(tzinfo=zone, fold=0).utcoffset()
    return int((local - offset).replace(tzinfo=dt.timezone.utc).timestamp())


def kept(found):
    """Drops what a gap has moved onto or past a later occurrence."""
    earliest, result = None, []
    for local, at in reversed(found):
        if earliest is None or at < earliest:
            result.append((local, at))
            earliest = at
    return result[::-1]


def answer(case):
    start = dt.datetime.fromisoformat(case["start"])
    zone = zoneinfo.ZoneInfo(case["zone"])
    horizon = start.replace(day=1, year=start.year + case["years"])
    CALENDAR.MAXYEAR = horizon.year + 1
    parts = dict(part.split("=") for part in case["rule"].split(";"))
    of_dates = case["timeOfDay"] is not None
    added = moments(case["rdates"], start)
    if of_dates:
        added = (dt.datetime.combine(at.date(), dt.time()) for at in added)
    added = sorted(at for at in set(added) if at > start)
    every = merged([from_start(parts, start, zone), added])
    every = (at for at in every if not is_out(at, case["exdates"], of_dates))
    found, last = [], None
    for local in itertools.takewhile(lambda at: at < horizon, every):
        if len(found) >= case["count"] and local > last + GAP_MAX:
            break
        if len(found) < case["count"]:
            last = local
        wall = local
        if of_dates:
            wall = dt.datetime.combine(local, dt.time.fromisoformat(case["timeOfDay"]))
        found.append((local, instant(wall, zone)))
    shown = [(local.isoformat(), at) for local, at in kept(found) if local <= last]
    return {"occurrences": shown, "ended": len(found) < case["count"]}


print(json.dumps(tzdata.IANA_VERSION))
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
