"""The actor API as a Python program calls it, with Dapr's official SDK and nothing of ours.

Called with the id of a task that does not exist yet; the SDK finds the sidecar by DAPR_HTTP_PORT. Prints
what each call came to, as one line of JSON; tests/sdk/main.rs judges it.
"""

import asyncio
import json
import sys

from dapr.actor import ActorId, ActorInterface, ActorProxy, actormethod


class TaskActor(ActorInterface):
    """The methods that are called, by their names in docs/actor-api.md."""

    @actormethod(name="put")
    async def put(self, command: dict) -> dict: ...

    @actormethod(name="get")
    async def get(self) -> dict: ...

    @actormethod(name="snooze")
    async def snooze(self, command: dict) -> dict: ...

    @actormethod(name="complete")
    async def complete(self) -> dict: ...


async def main(task, due):
    actor = ActorProxy.create("TaskActor", ActorId(task), TaskActor)
    put = await actor.put({
        "commandId": f"{task}-put",
        "task": {"title": "From Python", "dueDate": due, "userId": "ada@example.org"},
    })
    said = {
        "put": put,
        "again": await actor.put({
            "commandId": f"{task}-put",
            "task": {"title": "From Python", "dueDate": due, "userId": "ada@example.org"},
        }),
        "got": await actor.get(),
        # Nothing has rung yet, so there is nothing to put off: a refusal is an answer with a problem.
        "refused": await actor.snooze({"for": "PT10M"}),
        "completed": await actor.complete(),
        "gotAfterwards": await actor.get(),
    }
    # The SDK makes dates of what looks like one.
    print(json.dumps(said, default=str))


asyncio.run(main(sys.argv[1], sys.argv[2]))
