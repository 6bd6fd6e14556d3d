//! The events on `reminders` as they come, each with the moment of its arrival.

use anyhow::Result;
use chrono::{DateTime, Utc};
use reminder_contract::names;
use reminder_stack::access::Access;
use reminder_stack::events::{Reader, Record};
use tokio::sync::mpsc;

/// Records between the reader and us.
const BUFFER: usize = 4096;

/// A record and when it came.
pub(super) type Arrival = (DateTime<Utc>, Record);

/// Everything from now on.
pub(super) async fn arrivals(broker: Access) -> Result<mpsc::Receiver<Arrival>> {
    let mut tail = Reader::connect(broker).await?.live(&[names::REMINDERS]).await?;
    let (sender, receiver) = mpsc::channel(BUFFER);
    tokio::spawn(async move {
        while let Ok(record) = tail.next().await {
            if sender.send((Utc::now(), record)).await.is_err() {
                break;
            }
        }
    });
    Ok(receiver)
}
