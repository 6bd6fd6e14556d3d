// The actor API as a JavaScript program calls it, with Dapr's official SDK and nothing of ours.
//
// Called with the id of a task that does not exist yet, a due date, the sidecar's port and `http` or
// `grpc`. Prints what each call came to, as one line of JSON; tests/sdk/main.rs judges it.

import { ActorId, ActorProxyBuilder, CommunicationProtocolEnum, DaprClient } from "@dapr/dapr";

const [task, due, port, protocol] = process.argv.slice(2);

// The SDK takes the actor's type from the name of a class.
class TaskActor {}

const client = new DaprClient({
  daprHost: "127.0.0.1",
  daprPort: port,
  communicationProtocol:
    protocol === "grpc" ? CommunicationProtocolEnum.GRPC : CommunicationProtocolEnum.HTTP,
  // Standard output is for the result.
  logger: { service: { error: console.error, warn: console.error, info() {}, verbose() {}, debug() {} } },
});
const actor = new ActorProxyBuilder(TaskActor, client).build(new ActorId(task));
const command = {
  commandId: `${task}-put`,
  task: { title: "From JavaScript", dueDate: due, userId: "ada@example.org" },
};
const said = {
  put: await actor.put(command),
  again: await actor.put(command),
  got: await actor.get(),
  // Nothing has rung yet, so there is nothing to put off: a refusal is an answer with a problem.
  refused: await actor.snooze({ for: "PT10M" }),
  completed: await actor.complete(),
  gotAfterwards: await actor.get(),
};
console.log(JSON.stringify(said));
await client.stop();
// Connections that the SDK keeps open would hold up the end.
process.exit(0);
