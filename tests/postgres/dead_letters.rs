//! Dead letters as rows: each record once, whatever is in it; one hand at a time; none for ever.

use crate::support::{Database, unique};
use reminder_contract::dead_letter::{DETAIL, REASON};
use reminder_scheduler::dead_letters::Status;
use reminder_scheduler::dead_letters::letter::Letter;
use reminder_scheduler::read_model::{Change, KeptLetter, LetterFilter, ReadModel};
use std::time::Duration;

const HOLD: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const DLQ: &str = "task-events-dlq";

async fn model() -> (Database, ReadModel) {
    let database = Database::migrated().await;
    let model = ReadModel::new(&database.url, "public".into()).unwrap();
    (database, model)
}

fn letter(topic: &str, offset: i64, reason: &str, value: &[u8]) -> Letter {
    let metadata = [
        ("__topic", topic.to_owned()),
        ("__partition", "0".to_owned()),
        ("__offset", offset.to_string()),
        ("__timestamp", "1790000000123".to_owned()),
        ("__key", format!("key-{offset}")),
        (REASON, reason.to_owned()),
    ];
    let metadata = metadata.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    Letter::new(topic, metadata, value.to_vec())
}

async fn all(model: &ReadModel) -> Vec<KeptLetter> {
    model.list_letters(&LetterFilter::default(), 0, 1_000).await.unwrap()
}

async fn only(model: &ReadModel, filter: LetterFilter) -> Vec<i64> {
    let listed = model.list_letters(&filter, 0, 1_000).await.unwrap();
    assert_eq!(model.count_letters(&filter).await.unwrap(), listed.len() as u64);
    listed.iter().map(|letter| letter.origin.2.unwrap()).collect()
}

fn change() -> Change {
    Change { by: "ada".into(), note: Some("because".into()) }
}

#[tokio::test]
async fn a_letter_that_is_delivered_again_is_kept_once_and_in_its_place() {
    let (_database, model) = model().await;
    let letters: Vec<Letter> = (0..5).map(|n| letter(DLQ, n, "invalid", b"\xff\x00{}")).collect();
    assert_eq!(model.keep_letters(&letters[..3]).await.unwrap(), [DLQ; 3]);
    // Again, with others behind them, and twice in one delivery.
    let mut again = letters.clone();
    again.push(letters[4].clone());
    assert_eq!(model.keep_letters(&again).await.unwrap(), [DLQ; 2]);
    assert_eq!(model.keep_letters(&[]).await.unwrap(), [""; 0]);
    let kept = all(&model).await;
    let offsets: Vec<_> = kept.iter().map(|letter| letter.origin.2.unwrap()).collect();
    assert_eq!(offsets, [0, 1, 2, 3, 4]);
    assert_eq!(model.letter_value(kept[0].id).await.unwrap().unwrap(), b"\xff\x00{}");
    assert_eq!(model.letter_value(kept[4].id + 1).await.unwrap(), None);
    assert_eq!(kept[0].written_at.as_deref(), Some("2026-09-21T14:13:20.123Z"));
    assert_eq!((kept[0].size, kept[0].attempts, &*kept[0].status), (4, 0, "open"));
}

#[tokio::test]
async fn replicas_that_are_given_the_same_letters_keep_each_once() {
    let (database, _model) = model().await;
    let mut replicas = Vec::new();
    for _ in 0..4 {
        let model = ReadModel::new(&database.url, "public".into()).unwrap();
        replicas.push(tokio::spawn(async move {
            let letters: Vec<Letter> = (0..50).map(|n| letter(DLQ, n, "invalid", b"{}")).collect();
            let mut new = 0;
            for some in letters.chunks(8) {
                new += model.keep_letters(some).await.unwrap().len();
            }
            new
        }));
    }
    let mut new = 0;
    for replica in replicas {
        new += replica.await.unwrap();
    }
    assert_eq!(new, 50);
    assert_eq!(database.count("SELECT count(*) FROM dead_letter").await, 50);
}

#[tokio::test]
async fn whatever_is_in_a_letter_it_is_kept() {
    let (_database, model) = model().await;
    let long = "\u{1f36e}".repeat(100_000);
    let odd = ["", "\0", "\u{fffd}", "a\nb\r\t\u{7f}", "'; DROP TABLE dead_letter; --", &long];
    let texts = odd.iter().enumerate().map(|(n, text)| {
        let names = ["__key", "__topic", REASON, DETAIL, "traceparent", text];
        let metadata = names.iter().map(|name| ((*name).to_owned(), (*text).to_owned()));
        let event = serde_json::json!({
            "specversion": "1.0", "id": text, "type": text, "subject": text, "n": n
        });
        Letter::new(DLQ, metadata.collect(), event.to_string().into_bytes())
    });
    let numbers = ["9223372036854775807", "-1", "-9223372036854775808", "1e3", "NaN", ""];
    let numbers = numbers.iter().map(|number| {
        let names = ["__partition", "__offset", "__timestamp"];
        let metadata = names.iter().map(|name| ((*name).to_owned(), (*number).to_owned()));
        Letter::new(DLQ, metadata.collect(), number.as_bytes().to_vec())
    });
    let large = Letter::new(DLQ, [].into(), vec![0; 3 * 1024 * 1024]);
    let letters: Vec<Letter> = texts.chain(numbers).chain([large]).collect();
    assert_eq!(model.keep_letters(&letters).await.unwrap().len(), letters.len());
    let kept = all(&model).await;
    for (kept, came) in kept.iter().zip(&letters) {
        assert_eq!(model.letter_value(kept.id).await.unwrap().as_ref(), Some(&came.value));
        assert_eq!((&kept.headers, &kept.key), (&came.headers, &came.key));
    }
    // An id that was too long for the row is found by all of it.
    let filter = LetterFilter { event_id: Some(long), ..LetterFilter::default() };
    assert_eq!(model.count_letters(&filter).await.unwrap(), 1);
}

#[tokio::test]
async fn letters_are_found_by_what_is_known_of_them() {
    let (database, model) = model().await;
    let event = |id: &str, kind: &str, task: &str| {
        let event = serde_json::json!({
            "specversion": "1.0", "id": id, "type": kind, "subject": format!("task:{task}")
        });
        event.to_string().into_bytes()
    };
    let letters = [
        letter(DLQ, 1, "invalid", &event("e-1", "task.created", "milk")),
        letter(DLQ, 2, "malformed", b"no json"),
        letter("reminders-dlq", 3, "invalid", &event("e-3", "reminder.triggered", "milk")),
    ];
    model.keep_letters(&letters).await.unwrap();
    let base = LetterFilter::default;
    assert_eq!(only(&model, base()).await, [1, 2, 3]);
    let text = |text: &str| Some(text.to_owned());
    for (filter, found) in [
        (LetterFilter { topics: vec!["reminders-dlq".into()], ..base() }, &[3][..]),
        (LetterFilter { topics: vec![DLQ.into(), "reminders-dlq".into()], ..base() }, &[1, 2, 3]),
        (LetterFilter { reason: text("invalid"), ..base() }, &[1, 3]),
        (LetterFilter { task: text("milk"), ..base() }, &[1, 3]),
        (LetterFilter { task: text("key-2"), ..base() }, &[2]),
        (LetterFilter { event_id: text("e-3"), ..base() }, &[3]),
        (LetterFilter { event_type: text("task.created"), ..base() }, &[1]),
        (LetterFilter { task: text("milk"), reason: text("malformed"), ..base() }, &[]),
    ] {
        assert_eq!(only(&model, filter.clone()).await, found, "{filter:?}");
    }
    let kept = all(&model).await;
    let ids = LetterFilter { ids: vec![kept[2].id, kept[0].id, -1], ..base() };
    assert_eq!(only(&model, ids).await, [1, 3], "in the order in which they came");
    let page = model.list_letters(&base(), kept[0].id, 1).await.unwrap();
    assert_eq!(page[0].id, kept[1].id, "a page begins behind the last one");

    let backdated = "UPDATE dead_letter SET received_at = '2026-01-01T00:00:00Z' WHERE id = $1";
    database.client.execute(backdated, &[&kept[0].id]).await.unwrap();
    let time = |text| Some(reminder_domain::Timestamp::parse(text).unwrap());
    let old = LetterFilter { until: time("2026-01-01T00:00:00.001Z"), ..base() };
    assert_eq!(only(&model, old).await, [1]);
    let none = LetterFilter { until: time("2026-01-01T00:00:00Z"), ..base() };
    assert_eq!(only(&model, none).await, [0; 0], "the end is left out");
    let young = LetterFilter { since: time("2026-01-01T00:00:00.001Z"), ..base() };
    assert_eq!(only(&model, young).await, [2, 3]);
}

#[tokio::test]
async fn one_run_has_a_letter_in_hand_and_only_it_can_say_what_became_of_it() {
    let (database, model) = model().await;
    model.keep_letters(&[letter(DLQ, 1, "invalid", b"{}")]).await.unwrap();
    let id = all(&model).await[0].id;
    let claim = async |status, run| model.claim_letter(id, status, run, HOLD).await.unwrap();
    assert_eq!(claim(Status::Open, "a").await, Some(b"{}".to_vec()));
    assert_eq!(claim(Status::Open, "b").await, None, "it is in another hand");
    assert!(!model.drop_letter(id, Status::Open, &change()).await.unwrap());
    assert!(claim(Status::Open, "a").await.is_some(), "the same run may try again");
    assert!(!model.letter_replayed(id, "b", &change()).await.unwrap());
    model.letter_failed(id, "a", "no broker\0").await.unwrap();
    let failed = &all(&model).await[0];
    assert_eq!((&*failed.status, failed.attempts), ("open", 2));
    assert_eq!(failed.last_error.as_deref(), Some("no broker\u{fffd}"));

    assert!(claim(Status::Open, "b").await.is_some(), "it was let go of");
    let died = "UPDATE dead_letter SET claimed_until = now() - interval '1 second'";
    database.client.batch_execute(died).await.unwrap();
    assert!(claim(Status::Open, "c").await.is_some(), "whoever had it in hand is gone");
    assert!(!model.letter_replayed(id, "b", &change()).await.unwrap());
    assert!(model.letter_replayed(id, "c", &change()).await.unwrap());
    let done = &all(&model).await[0];
    assert_eq!((&*done.status, done.changed_by.as_deref()), ("replayed", Some("ada")));
    assert_eq!((done.note.as_deref(), &done.last_error), (Some("because"), &None));
    assert_eq!(claim(Status::Open, "d").await, None, "once is enough");
    assert!(claim(Status::Replayed, "d").await.is_some(), "unless it is asked for");
}

#[tokio::test]
async fn open_letters_are_counted_and_a_dropped_one_is_none() {
    let (_database, model) = model().await;
    let letters = [
        letter(DLQ, 1, "invalid", b"{}"),
        letter(DLQ, 2, "invalid", b"{}"),
        letter("reminders-dlq", 3, "invalid", b"{}"),
    ];
    model.keep_letters(&letters).await.unwrap();
    let open = async || model.open_letters().await.unwrap().into_iter().collect::<Vec<_>>();
    assert_eq!(open().await, [("reminders-dlq".to_owned(), 1), (DLQ.to_owned(), 2)]);
    let kept = all(&model).await;
    assert!(model.drop_letter(kept[0].id, Status::Open, &change()).await.unwrap());
    assert!(!model.drop_letter(kept[0].id, Status::Open, &change()).await.unwrap());
    assert_eq!(open().await, [("reminders-dlq".to_owned(), 1), (DLQ.to_owned(), 1)]);
    // Delivered again, it stays dropped.
    assert_eq!(model.keep_letters(&letters).await.unwrap(), [""; 0]);
    let dropped = LetterFilter { status: Some(Status::Dropped), ..LetterFilter::default() };
    assert_eq!(only(&model, dropped).await, [1]);
}

#[tokio::test]
async fn the_rights_that_operations_names_are_enough() {
    let (database, _model) = model().await;
    let role = unique("keeper");
    let sql = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'p';
         GRANT SELECT, INSERT, UPDATE, DELETE ON dead_letter TO {role}"
    );
    database.client.batch_execute(&sql).await.unwrap();
    let model = ReadModel::new(&database.url_as(&role, "p"), "public".into()).unwrap();
    model.keep_letters(&[letter(DLQ, 1, "invalid", b"{}")]).await.unwrap();
    let id = all(&model).await[0].id;
    assert!(model.claim_letter(id, Status::Open, "a", Duration::ZERO).await.unwrap().is_some());
    assert!(model.letter_replayed(id, "a", &change()).await.unwrap());
    assert!(model.drop_letter(id, Status::Replayed, &change()).await.unwrap());
    assert_eq!(model.forget_letters(Duration::ZERO, 10).await.unwrap(), (1, 0));
}

#[tokio::test]
async fn old_letters_are_forgotten_a_few_at_a_time_and_young_ones_stay() {
    let (database, model) = model().await;
    let letters: Vec<Letter> = (0..6).map(|n| letter(DLQ, n, "invalid", b"{}")).collect();
    model.keep_letters(&letters).await.unwrap();
    let kept = all(&model).await;
    model.drop_letter(kept[0].id, Status::Open, &change()).await.unwrap();
    let backdated = "UPDATE dead_letter
                     SET received_at = now() - interval '31 days' + origin_offset * interval '1 s'
                     WHERE origin_offset < 4";
    database.client.batch_execute(backdated).await.unwrap();
    model.claim_letter(kept[3].id, Status::Open, "a", HOLD).await.unwrap();
    assert_eq!(model.forget_letters(DAY * 30, 2).await.unwrap(), (2, 1));
    assert_eq!(model.forget_letters(DAY * 30, 2).await.unwrap(), (1, 1));
    assert_eq!(model.forget_letters(DAY * 30, 2).await.unwrap(), (0, 0));
    assert_eq!(only(&model, LetterFilter::default()).await, [3, 4, 5], "3 is in somebody's hand");
}
