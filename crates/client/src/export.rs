//! All that is kept of one user, a line at a time.

use crate::send::Call;
use crate::{Client, Error, Person};
use reminder_contract::rest::ExportLine;
use reqwest::Response;
use std::time::Duration;

/// How long the next piece may take to come. A page that is asked for again takes some seconds.
const PIECE_DEADLINE: Duration = Duration::from_secs(60);

/// An export as it comes. It is whole when its last line is [`ExportLine::End`].
#[derive(Debug)]
pub struct Export {
    response: Response,
    /// What came of lines that were not taken yet.
    pending: Vec<u8>,
}

impl Client {
    /// All that is kept of a user: preferences and tasks, as the service reads them.
    pub async fn export_user(&self, user: &Person) -> Result<Export, Error> {
        let call = Call::get(self.url(&["users", user.as_str(), "export"]));
        let response = self.open(&call).await?;
        Ok(Export { response, pending: Vec::new() })
    }
}

impl Export {
    /// The next line as it was sent, without its end; none after the last one.
    pub async fn next_line(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.pending.drain(..=end).collect();
                line.pop();
                return Ok(Some(line));
            }
            let piece = tokio::time::timeout(PIECE_DEADLINE, self.response.chunk()).await;
            let piece = piece.map_err(|_| Error::BrokenOff)?.map_err(Error::Unanswered)?;
            match piece {
                Some(piece) => self.pending.extend_from_slice(&piece),
                None if self.pending.is_empty() => return Ok(None),
                None => return Err(Error::BrokenOff),
            }
        }
    }

    /// What a line says.
    pub fn read(line: &[u8]) -> Result<ExportLine, Error> {
        serde_json::from_slice(line).map_err(Error::Unreadable)
    }
}
