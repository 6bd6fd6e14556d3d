//! Kafka: what arrives is seen by a consumer at once.

use super::World;
use reminder_domain::Topic;
use reminder_scheduler::ports::Message;

impl World {
    /// Messages reach the topic.
    pub(super) fn publish(&self, topic: Topic, batch: &[Message]) {
        let now = self.now_ms();
        let mut state = self.state();
        for message in batch {
            let verdict = state.judge.consumed(topic, message);
            if let Err(violation) = verdict.and(state.erasures.told(topic, message)) {
                state.judge.violated(now, violation);
            }
        }
    }
}
