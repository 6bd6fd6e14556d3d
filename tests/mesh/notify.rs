//! The notification service on the real stack: what fires reaches its user, once per fact, whatever
//! is told twice or killed; what cannot be delivered is told; links do what they say.

mod bench;
mod mailbox;
mod receiver;

use crate::suite::{disruptive, gentle};
use bench::{Bench, DELIVERY_DEADLINE, RECOVERY_DEADLINE, event, event_of, later_fact};
use mailbox::Mailbox;
use receiver::{Hook, Manner, Receiver};
use reminder_contract::{dead_letter, names};
use reminder_stack::events::Record;
use reminder_stack::{Member, Part, Signal};
use serde_json::{Value, json};

/// The service under test; a test that kills it has it for itself.
const SERVICE: Part = Part::Member(Member::NotificationService);

/// How often the local stack tries.
const ATTEMPTS: usize = 4;

fn webhook(receiver: &Receiver) -> Value {
    json!({"channels": ["webhook"], "webhook": {"url": receiver.url}})
}

/// Whether the reference library takes it.
fn is_signed(hook: &Hook, secret: &str) -> bool {
    let library = standardwebhooks::Webhook::new(secret).unwrap();
    library.verify(&hook.bytes, &hook.headers).is_ok()
}

fn with_id(hooks: &[Hook], id: &str) -> usize {
    hooks.iter().filter(|hook| hook.id() == id).count()
}

#[test]
fn who_never_chose_is_told_on_the_console() {
    gentle(async |suite| {
        let bench = Bench::new(suite);
        let (user, title) = (suite.unique("user"), suite.unique("Water the plants"));
        bench.ring(&user, &title, "flow-console").await;
        bench.until_on_console(&title).await;
        let lines = bench.console(&title);
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].contains("/act/"), "{lines:#?}");
    });
}

#[test]
fn a_webhook_is_signed_in_the_flow_and_comes_once_though_the_event_is_told_again() {
    gentle(async |suite| {
        let bench = Bench::new(suite);
        let receiver = Receiver::listen(Manner::Status(200)).await;
        let user = suite.unique("user");
        let chosen = bench.choose(&user, &webhook(&receiver)).await;
        let secret = chosen["webhook"]["secret"].as_str().unwrap();
        let mut reminders = bench.follow(names::REMINDERS).await;
        let task = bench.ring(&user, "Buy milk", "flow-webhook").await;

        let fired = event(&mut reminders, "reminder.triggered", &task).await;
        let id = fired["id"].as_str().unwrap();
        let hook = receiver.find(DELIVERY_DEADLINE, |hook| hook.id() == id).await;
        assert!(is_signed(&hook, secret), "{hook:#?}");
        let of_other = bench.choose(&suite.unique("user"), &webhook(&receiver)).await;
        assert!(!is_signed(&hook, of_other["webhook"]["secret"].as_str().unwrap()));
        assert_eq!(hook.body()["type"], "reminder.triggered");
        assert_eq!(hook.body()["data"]["title"], "Buy milk");
        assert_eq!(hook.header("correlation-id"), "flow-webhook");
        let trace = |traceparent: &str| traceparent.split('-').nth(1).map(str::to_owned);
        assert_eq!(
            trace(hook.header("traceparent")),
            trace(fired["traceparent"].as_str().unwrap())
        );

        // The next fact of the task is behind the repeats in the same partition: once it is there, they
        // were handled.
        bench.tell(&fired).await;
        bench.tell(&fired).await;
        let next = later_fact(&fired, 999);
        bench.tell(&next).await;
        receiver.find(DELIVERY_DEADLINE, |hook| hook.id() == next["id"]).await;
        assert_eq!(receiver.with_id(id).len(), 1, "{:#?}", receiver.got());
    });
}

#[test]
fn an_event_that_cannot_be_read_is_put_away_with_its_key_and_place_and_blocks_nobody() {
    gentle(async |suite| {
        let bench = Bench::new(suite);
        let receiver = Receiver::listen(Manner::Status(204)).await;
        let user = suite.unique("user");
        bench.choose(&user, &webhook(&receiver)).await;
        let mut dead_letters = bench.follow(names::REMINDERS_DLQ).await;
        let mut reminders = bench.follow(names::REMINDERS).await;
        let task = bench.ring(&user, "Feed the cat", "flow-unreadable").await;

        let fired = event(&mut reminders, "reminder.triggered", &task).await;
        let mut unreadable = later_fact(&fired, 998);
        unreadable["data"]["title"] = json!(7);
        // Longer than all that the sidecar reads of the address of a call.
        unreadable["id"] = json!("i".repeat(10_000));
        bench.tell(&unreadable).await;
        let next = later_fact(&fired, 999);
        bench.tell(&next).await;
        receiver.find(DELIVERY_DEADLINE, |hook| hook.id() == next["id"]).await;

        let is_ours = |record: &Record| record.key.as_deref() == Some(&task);
        let letter =
            dead_letters.find_within(DELIVERY_DEADLINE, is_ours).await.expect("no dead letter");
        let header = |name: &str| String::from_utf8_lossy(&letter.headers[name]).into_owned();
        assert_eq!(header(dead_letter::REASON), "invalid");
        assert_eq!(header(dead_letter::ORIGIN_TOPIC), names::REMINDERS);
        let is_it = |record: &Record| record.json().is_ok_and(|it| it["id"] == unreadable["id"]);
        let unread = bench.records(names::REMINDERS).await.into_iter().find(is_it).unwrap();
        assert_eq!(header(dead_letter::ORIGIN_PARTITION), unread.partition.to_string());
        assert_eq!(header(dead_letter::ORIGIN_OFFSET), unread.offset.to_string());
    });
}

#[test]
fn a_webhook_that_answers_503_is_tried_again_then_given_up_and_a_replay_delivers_it() {
    gentle(async |suite| {
        let bench = Bench::new(suite);
        let receiver = Receiver::listen(Manner::Status(503)).await;
        let user = suite.unique("user");
        bench.choose(&user, &webhook(&receiver)).await;
        let mut dead_letters = bench.follow(names::REMINDERS_DLQ).await;
        let mut reminders = bench.follow(names::REMINDERS).await;
        let task = bench.ring(&user, "Call the bank", "flow-503").await;

        let failed = event(&mut reminders, "reminder.failed", &task).await;
        let id = failed["data"]["eventId"].as_str().unwrap();
        assert_eq!(failed["source"], "/notification-service");
        assert_eq!(failed["correlationid"], "flow-503");
        assert_eq!(failed["data"]["channel"], "webhook");
        assert_eq!(failed["data"]["attempts"], ATTEMPTS);
        assert!(failed["data"]["reason"].as_str().unwrap().contains("503"), "{failed:#}");
        assert_eq!(receiver.with_id(id).len(), ATTEMPTS, "every attempt has the same identity");

        let is_ours = |record: &Record| event_of(record, "reminder.triggered", &task).is_some();
        let letter =
            dead_letters.find_within(DELIVERY_DEADLINE, is_ours).await.expect("no dead letter");
        let header = |name: &str| String::from_utf8_lossy(&letter.headers[name]).into_owned();
        assert_eq!(header(dead_letter::REASON), "undeliverable");
        assert!(header(dead_letter::DETAIL).contains("503"));
        assert_eq!(header(dead_letter::ORIGIN_TOPIC), names::REMINDERS);
        assert_eq!(header(dead_letter::EVENT_ID), id);
        assert_eq!(header("channel"), "webhook");

        // Once the next one in its lane is there, the end of this one is noted.
        receiver.answer_with(Manner::Status(204));
        let fired = event_of(&letter, "reminder.triggered", &task).unwrap();
        let behind = later_fact(&fired, 998);
        bench.tell(&behind).await;
        receiver.find(DELIVERY_DEADLINE, |hook| hook.id() == behind["id"]).await;
        bench.tell(&fired).await;
        bench.tell(&fired).await;
        let next = later_fact(&fired, 999);
        bench.tell(&next).await;
        receiver.find(DELIVERY_DEADLINE, |hook| hook.id() == next["id"]).await;
        assert_eq!(
            receiver.with_id(id).len(),
            ATTEMPTS + 1,
            "given up and replayed: once more, and once"
        );
    });
}

#[test]
fn a_service_killed_while_it_delivers_goes_on_and_delivers_what_came_meanwhile() {
    disruptive(async |suite| {
        let bench = Bench::new(suite);
        let receiver = Receiver::listen(Manner::Silent).await;
        let user = suite.unique("user");
        bench.choose(&user, &webhook(&receiver)).await;
        let mut reminders = bench.follow(names::REMINDERS).await;
        let first = bench.ring(&user, "Under way", "flow-crash").await;
        let fired = event(&mut reminders, "reminder.triggered", &first).await;
        let id = fired["id"].as_str().unwrap();
        receiver.find(DELIVERY_DEADLINE, |hook| hook.id() == id).await;

        suite.stack.kill(SERVICE, Signal::Kill).await.unwrap();
        let second = bench.ring(&user, "While it was away", "flow-crash").await;
        let meanwhile = event(&mut reminders, "reminder.triggered", &second).await;
        receiver.answer_with(Manner::Status(200));
        suite.stack.start(SERVICE).await.unwrap();
        suite.stack.wait_ready(SERVICE).await.unwrap();

        // The sidecar had the event that was under way acknowledged: it is from its record that it is
        // delivered again, under the same id.
        receiver.find(RECOVERY_DEADLINE, |hook| hook.id() == meanwhile["id"]).await;
        receiver.until(RECOVERY_DEADLINE, |hooks| with_id(hooks, id) >= 2).await;

        // Nothing of it is left to do.
        for event in [&fired, &meanwhile] {
            bench.tell(event).await;
            let next = later_fact(event, 999);
            bench.tell(&next).await;
            receiver.find(RECOVERY_DEADLINE, |hook| hook.id() == next["id"]).await;
        }
        assert_eq!(receiver.with_id(id).len(), 2);
        assert_eq!(receiver.with_id(meanwhile["id"].as_str().unwrap()).len(), 1);
    });
}

#[test]
fn an_e_mail_comes_once_and_its_link_acknowledges_when_it_is_pressed_not_when_it_is_opened() {
    gentle(async |suite| {
        let bench = Bench::new(suite);
        let url =
            bench.setting("SMTP_URL").expect("the stack sends its mails nowhere: set SMTP_URL");
        let mailbox = Mailbox::listen(url.strip_prefix("smtp://").unwrap()).await;
        let user = suite.unique("user");
        let address = format!("{user}@example.org");
        bench.choose(&user, &json!({"channels": ["email"], "email": {"address": address}})).await;
        let mut reminders = bench.follow(names::REMINDERS).await;
        let task = bench.ring(&user, "Feed the cat", "flow-mail").await;
        let fired = event(&mut reminders, "reminder.triggered", &task).await;

        let mail = mailbox.mail_to(&address, DELIVERY_DEADLINE).await;
        let message_id = fired["id"].as_str().unwrap().replace(':', ".");
        assert_eq!(mail.header("Message-ID"), Some(&*format!("<{message_id}@localhost>")));
        assert_eq!(mail.header("Subject"), Some("Reminder: Feed the cat"));
        assert!(mail.header("Content-Type").unwrap().starts_with("multipart/alternative"));
        let text = mail.decoded();
        let link = text.lines().find(|line| line.starts_with(&bench.service())).expect(&text);

        let (status, page) = bench.get(link).await;
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("Feed the cat") && page.contains("<button"), "{page}");
        let unseen = bench.call(&task, "get", &json!({})).await;
        assert!(unseen["reminders"][0]["acknowledgedUntil"].is_null(), "{unseen:#}");
        let (status, page) = bench.post(link).await;
        assert_eq!(status, 200, "{page}");
        let seen = bench.call(&task, "get", &json!({})).await;
        assert!(seen["reminders"][0]["acknowledgedUntil"].is_string(), "{seen:#}");

        bench.tell(&fired).await;
        let next = later_fact(&fired, 999);
        bench.tell(&next).await;
        mailbox.until(&address, 2, DELIVERY_DEADLINE).await;
        let ids: Vec<_> = mailbox
            .mails_to(&address)
            .iter()
            .map(|m| m.header("Message-ID").map(str::to_owned))
            .collect();
        assert_eq!(ids.len(), 2, "{ids:?}");
        assert_ne!(ids[0], ids[1]);
    });
}

#[test]
fn a_link_snoozes_once_however_often_it_is_pressed_and_a_changed_one_does_nothing() {
    gentle(async |suite| {
        let bench = Bench::new(suite);
        let receiver = Receiver::listen(Manner::Status(200)).await;
        let user = suite.unique("user");
        bench.choose(&user, &webhook(&receiver)).await;
        let mut reminders = bench.follow(names::REMINDERS).await;
        let task = bench.ring(&user, "Stretch", "flow-snooze").await;
        let fired = event(&mut reminders, "reminder.triggered", &task).await;
        let hook = receiver.find(DELIVERY_DEADLINE, |hook| hook.id() == fired["id"]).await;

        let link = hook.link("snoozeTenMinutes");
        let cut = &link[..link.len() - 1];
        assert_eq!(bench.post(cut).await.0, 404);
        let forged = link.replacen("/act/e", "/act/f", 1);
        assert_ne!(forged, link);
        assert_eq!(bench.post(&forged).await.0, 404);
        let untouched = bench.call(&task, "get", &json!({})).await;
        assert!(untouched["reminders"][0]["snoozedUntil"].is_null(), "{untouched:#}");

        let (status, page) = bench.post(&link).await;
        assert_eq!(status, 200, "{page}");
        let snoozed = event(&mut reminders, "reminder.snoozed", &task).await;
        assert_eq!(snoozed["correlationid"], "flow-snooze");
        let (status, _) = bench.post(&link).await;
        assert_eq!(status, 200);
        let view = bench.call(&task, "get", &json!({})).await;
        assert_eq!(view["reminders"][0]["snoozedUntil"], snoozed["data"]["until"], "{view:#}");
        assert_eq!(view["version"], snoozed["data"]["version"], "the second time changed nothing");
    });
}

#[test]
fn a_webhook_that_asked_to_wait_is_withdrawn_when_somebody_has_seen_the_reminder_elsewhere() {
    gentle(async |suite| {
        let bench = Bench::new(suite);
        let receiver = Receiver::listen(Manner::Later(600)).await;
        let user = suite.unique("user");
        bench.choose(&user, &webhook(&receiver)).await;
        let mut reminders = bench.follow(names::REMINDERS).await;
        let task = bench.ring(&user, "Take the bins out", "flow-seen").await;
        let fired = event(&mut reminders, "reminder.triggered", &task).await;
        receiver.find(DELIVERY_DEADLINE, |hook| hook.id() == fired["id"]).await;
        bench.call(&task, "acknowledge", &json!({})).await;
        event(&mut reminders, "reminder.acknowledged", &task).await;

        // What comes after it on the same way would wait behind it for ten minutes.
        receiver.answer_with(Manner::Status(200));
        let next = later_fact(&fired, 999);
        bench.tell(&next).await;
        receiver.find(DELIVERY_DEADLINE, |hook| hook.id() == next["id"]).await;
        assert_eq!(
            receiver.with_id(fired["id"].as_str().unwrap()).len(),
            1,
            "{:#?}",
            receiver.got()
        );
    });
}
