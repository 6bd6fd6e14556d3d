//! A mail server that takes every mail and keeps it: as much of SMTP (RFC 5321) as that needs.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A mail, as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Mail {
    pub(super) to: Vec<String>,
    pub(super) text: String,
}

impl Mail {
    /// The value of a header that stands on one line.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let (headers, _) = self.text.split_once("\r\n\r\n")?;
        let value = |line: &'_ str| {
            let (found, _) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(found.len() + 2)
        };
        headers.lines().find_map(|line| Some(&line[value(line)?..]))
    }

    /// The text without the marks of quoted-printable that matter in links.
    pub(super) fn decoded(&self) -> String {
        self.text.replace("=\r\n", "").replace("=3D", "=")
    }
}

#[derive(Clone)]
pub(super) struct Mailbox {
    mails: Arc<Mutex<Vec<Mail>>>,
    count: watch::Sender<usize>,
}

impl Mailbox {
    pub(super) async fn listen(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let mailbox = Self { mails: Arc::default(), count: watch::Sender::new(0) };
        let taking = mailbox.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mailbox = taking.clone();
                tokio::spawn(async move { mailbox.talk(stream).await });
            }
        });
        mailbox
    }

    pub(super) fn mails_to(&self, address: &str) -> Vec<Mail> {
        let mails = self.mails.lock().unwrap();
        mails.iter().filter(|mail| mail.to.iter().any(|to| to == address)).cloned().collect()
    }

    /// The first mail to somebody.
    pub(super) async fn mail_to(&self, address: &str, limit: Duration) -> Mail {
        self.until(address, 1, limit).await;
        self.mails_to(address).remove(0)
    }

    /// Waits until that many mails to somebody are there.
    pub(super) async fn until(&self, address: &str, mails: usize, limit: Duration) {
        let mut count = self.count.subscribe();
        let enough = count.wait_for(|_| self.mails_to(address).len() >= mails);
        let came = tokio::time::timeout(limit, enough).await;
        assert!(came.is_ok(), "{:#?}", self.mails_to(address));
    }

    /// One conversation; a client that breaks off ends it.
    async fn talk(&self, stream: TcpStream) -> Option<()> {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        let mut mail = Mail::default();
        writer.write_all(b"220 mailbox ESMTP\r\n").await.ok()?;
        loop {
            let line = lines.next_line().await.ok()??;
            let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let answer = match word.as_str() {
                "EHLO" => "250-mailbox\r\n250 8BITMIME\r\n",
                "HELO" | "MAIL" | "RSET" | "NOOP" => "250 OK\r\n",
                "RCPT" => {
                    let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                    mail.to.push(address.to_owned());
                    "250 OK\r\n"
                }
                "DATA" => {
                    writer.write_all(b"354 go on\r\n").await.ok()?;
                    loop {
                        let line = lines.next_line().await.ok()??;
                        if line == "." {
                            break;
                        }
                        mail.text.push_str(line.strip_prefix('.').unwrap_or(&line));
                        mail.text.push_str("\r\n");
                    }
                    self.mails.lock().unwrap().push(std::mem::take(&mut mail));
                    self.count.send_modify(|count| *count += 1);
                    "250 taken\r\n"
                }
                "QUIT" => {
                    writer.write_all(b"221 bye\r\n").await.ok()?;
                    return Some(());
                }
                _ => "502 not here\r\n",
            };
            writer.write_all(answer.as_bytes()).await.ok()?;
        }
    }
}
