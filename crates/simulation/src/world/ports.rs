//! What a process calls, and how calls go wrong.

use super::hosts::Process;
use super::store::Refused;
use super::{Part, World, key, sleep_ms, users};
use async_trait::async_trait;
use reminder_domain::ids::Person;
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::{Retention, TaskId, Timestamp, Topic};
use reminder_scheduler::ports::{
    Actors, Broker, CallError, CommitError, Message, Progress, Registered, ReminderIndex,
    Reminders, StateStore, Users,
};
use reminder_scheduler::turn::effect::{Reply, Request};
use std::num::NonZeroU32;
use std::sync::Arc;

/// How long a call that hangs is waited for, in ms: the sidecar gives up then.
const HANGS_MS: i64 = 10_000;
/// How long a slow call may take to have its effect, in ms.
pub(super) const SLOW_MS: i64 = 3_000;

/// The ports of one process.
pub(super) struct HostPorts {
    pub(super) world: Arc<World>,
    pub(super) process: Arc<Process>,
}

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fate {
    Well,
    Fails,
    Unheard,
    Late(i64),
    CrashBefore,
    CrashAfter,
}

impl HostPorts {
    /// Goes on only while the process lives, and not while it stands still.
    async fn live(&self) {
        loop {
            if self.process.died.is_cancelled() {
                return std::future::pending().await;
            }
            let until = {
                let state = self.world.state();
                let host = state.hosts.get(self.process.host);
                host.map_or(0, |host| host.stalled_until_ms)
            };
            let left = until - self.world.now_ms();
            if left <= 0 {
                return;
            }
            sleep_ms(left).await;
        }
    }

    /// Makes a call; what it does to the world happens at one moment, if at all.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        part: Part,
        name: &'static str,
        about: u64,
        effect: impl FnOnce(&World) -> T + Send + 'static,
    ) -> Result<T, CallError> {
        self.live().await;
        let world = &self.world;
        world.state().calls += 1;
        let (dice, rates) = (world.dice(name, about), world.rates());
        let fate = fate(dice.of("fate"), rates);
        let epoch = self.process.epoch;
        world.note(|| format!("  {epoch} {name} {about:x} {fate:?}"), (epoch, name, about, fate));
        let slow = dice.happens("slow", rates.slow);
        let there =
            if slow { dice.within("slow there", 50, SLOW_MS) } else { dice.within("there", 0, 3) };
        if fate == Fate::CrashBefore {
            world.kill(&self.process);
            self.live().await;
        }
        sleep_ms(there).await;
        let failed = |why: &str| Err(CallError(format!("{name}: {why}")));
        if world.is_away(part) {
            // Refused at once, or without any answer.
            sleep_ms(dice.pick("away", &[5, 100, HANGS_MS])).await;
            self.live().await;
            return failed("away");
        }
        match fate {
            Fate::Well | Fate::CrashBefore => {
                let result = effect(world);
                sleep_ms(dice.within("back", 0, 3)).await;
                self.live().await;
                Ok(result)
            }
            Fate::CrashAfter => {
                effect(world);
                world.kill(&self.process);
                self.live().await;
                failed("nobody hears it")
            }
            Fate::Fails => {
                sleep_ms(dice.pick("fails", &[1, 50, 2_000])).await;
                self.live().await;
                failed("fails")
            }
            Fate::Unheard => {
                effect(world);
                sleep_ms(dice.pick("unheard", &[1, 50, 2_000])).await;
                self.live().await;
                failed("unheard")
            }
            Fate::Late(ms) => {
                let late = Arc::clone(world);
                tokio::spawn(async move {
                    sleep_ms(ms).await;
                    late.note(
                        || format!("  {epoch} {name} {about:x} takes effect late"),
                        (name, "late"),
                    );
                    effect(&late);
                });
                sleep_ms(dice.within("gives up", 1, 1_000)).await;
                self.live().await;
                failed("gave up")
            }
        }
    }

    async fn ask(&self, task: &TaskId, request: Request) -> Result<Reply, CallError> {
        self.live().await;
        let reply = self.world.call_actor(task, request).await;
        self.live().await;
        match reply {
            Ok(Reply::Overloaded(why) | Reply::Unavailable(why)) => Err(CallError(why)),
            Ok(reply) => Ok(reply),
            Err(unanswered) => Err(CallError(unanswered.0)),
        }
    }
}

fn fate(dice: crate::dice::Dice, rates: crate::plan::Rates) -> Fate {
    let likely = [
        (Fate::Fails, rates.fails),
        (Fate::Unheard, rates.unheard),
        (Fate::Late(dice.within("late by", 1, 8_500)), rates.late),
        (Fate::CrashBefore, rates.crash_before),
        (Fate::CrashAfter, rates.crash_after),
    ];
    let mut left = dice.below("which", 1_000);
    for (fate, rate) in likely {
        if left < rate {
            return fate;
        }
        left -= rate;
    }
    Fate::Well
}

#[async_trait]
impl StateStore for HostPorts {
    async fn load(&self, id: &TaskId) -> Result<Option<Vec<u8>>, CallError> {
        let task = id.clone();
        self.call(Part::Postgres, "load", key(id), move |world| world.state().store.load(&task))
            .await
    }

    async fn commit(&self, id: &TaskId, bytes: Vec<u8>) -> Result<(), CommitError> {
        let (task, host) = (id.clone(), self.process.host);
        let commit = move |world: &World| world.commit(host, &task, &bytes);
        match self.call(Part::Postgres, "commit", key(id), commit).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Refused(why))) => Err(CommitError::Fenced(why)),
            Err(CallError(why)) => Err(CommitError::Unknown(why)),
        }
    }

    async fn load_watermark(&self, epoch: u64) -> Result<u64, CallError> {
        let read = move |world: &World| world.state().store.watermark(epoch);
        self.call(Part::Postgres, "load watermark", epoch, read).await
    }

    async fn save_watermark(&self, epoch: u64, n: u64) -> Result<(), CallError> {
        let save = move |world: &World| world.state().store.save_watermark(epoch, n);
        self.call(Part::Postgres, "save watermark", epoch, save).await
    }
}

#[async_trait]
impl Reminders for HostPorts {
    async fn arm(&self, id: &TaskId, at: Timestamp) -> Result<(), CallError> {
        let task = id.clone();
        let arm = move |world: &World| {
            world.note(|| format!("    {task} is armed for {at}"), ("armed", &task, at));
            world.state().reminders.arm(&task, at);
            world.reminders_changed.notify_one();
        };
        self.call(Part::Scheduler, "arm", key(id), arm).await
    }

    async fn arm_if_absent(&self, id: &TaskId, at: Timestamp) -> Result<Registered, CallError> {
        let task = id.clone();
        let arm = move |world: &World| {
            let new = world.state().reminders.arm_if_absent(&task, at);
            world.note(
                || format!("    {task} armed for {at} if absent: {new}"),
                ("absent", &task, new),
            );
            world.reminders_changed.notify_one();
            if new { Registered::Now } else { Registered::Already }
        };
        self.call(Part::Scheduler, "arm if absent", key(id), arm).await
    }

    async fn disarm(&self, id: &TaskId) -> Result<(), CallError> {
        let task = id.clone();
        let disarm = move |world: &World| world.state().reminders.disarm(&task);
        self.call(Part::Scheduler, "disarm", key(id), disarm).await
    }
}

#[async_trait]
impl ReminderIndex for HostPorts {
    async fn canary_is_alive(&self, number: u64) -> Result<bool, CallError> {
        let look = move |world: &World| world.state().reminders.canaries().contains(&number);
        self.call(Part::Scheduler, "look for the canary", 0, look).await
    }

    async fn release_canary(&self, number: u64) -> Result<(), CallError> {
        let release = move |world: &World| {
            world.state().reminders.canaries().insert(number);
        };
        self.call(Part::Scheduler, "release the canary", 0, release).await
    }
}

#[async_trait]
impl Broker for HostPorts {
    async fn publish(&self, topic: Topic, batch: Vec<Message>) -> Result<(), CallError> {
        let first = batch.first().map_or(0, |message| key(&message.key));
        let publish = move |world: &World| world.publish(topic, &batch);
        self.call(Part::Broker, "publish", first, publish).await
    }
}

#[async_trait]
impl Actors for HostPorts {
    async fn settle(&self, id: &TaskId, at_least: u64) -> Result<u64, CallError> {
        match self.ask(id, Request::Settle { at_least }).await? {
            Reply::Awake(version) => Ok(version),
            reply => Err(CallError(format!("{reply:?}"))),
        }
    }

    async fn refresh(&self, id: &TaskId) -> Result<(), CallError> {
        self.ask(id, Request::Refresh).await.map(drop)
    }

    async fn erase(&self, id: &TaskId, user: &Person) -> Result<u64, CallError> {
        match self.ask(id, Request::Erase(user.clone())).await? {
            Reply::Awake(version) => Ok(version),
            reply => Err(CallError(format!("{reply:?}"))),
        }
    }

    async fn purge(&self, id: &TaskId, retention: Retention) -> Result<bool, CallError> {
        match self.ask(id, Request::Purge(retention)).await? {
            Reply::Awake(version) => Ok(version == 0),
            reply => Err(CallError(format!("{reply:?}"))),
        }
    }
}

#[async_trait]
impl Users for HostPorts {
    async fn preferences(&self, user: &Person) -> Result<KnownPreferences, CallError> {
        let user = users::number(user);
        let read = move |world: &World| world.state().users.known(user);
        self.call(Part::Postgres, "preferences", user, read).await
    }

    async fn gone(&self, _user: &Person) -> Result<u64, CallError> {
        // Users speak without a turn of theirs here.
        Ok(0)
    }

    async fn progress(&self, _user: &Person) -> Result<Progress, CallError> {
        // Only the UserActor asks, and there is none here.
        Ok(Progress::default())
    }

    async fn open_tasks(&self, _user: &Person, _at_most: NonZeroU32) -> Result<u32, CallError> {
        // There are no quotas here.
        Ok(0)
    }

    async fn owner(&self, _task: &TaskId) -> Result<Option<Person>, CallError> {
        // Nothing is damaged here, and nobody asks on behalf of a user.
        Ok(None)
    }
}
