//! E-mail by SMTP: text and HTML, with the same Message-ID at every attempt.

use super::Failure;
use crate::message::{Firing, Message};
use askama::Template;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};
use reminder_domain::Timestamp;
use reminder_member::config::Secret;
use std::fmt::Write;
use std::time::{Duration, SystemTime};
use url::{Host, Url};

/// Longest title in a subject, in characters; mail programs show less.
const SUBJECT_MAX_CHARS: usize = 200;

/// What may be asked of a URL's `tls`: to go on in TLS, or not at all.
const TLS_REQUIRED: (&str, &str) = ("tls", "required");

/// Sends e-mails through one server.
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// How the server is reached.
pub(crate) struct MailerConfig {
    /// `smtps://` for TLS from the start, `smtp://…?tls=required` for STARTTLS, `smtp://` alone for
    /// a server on this machine.
    pub(crate) url: String,
    /// Who logs in, if anybody.
    pub(crate) credentials: Option<(String, Secret)>,
    /// Whom mails come from.
    pub(crate) from: String,
    /// How long one step of the conversation may take.
    pub(crate) deadline: Duration,
}

/// Why no e-mail can be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidMailer {
    /// Not an address of a server.
    #[error("SMTP_URL cannot be used: {0}")]
    Url(String),
    /// The mails and the password would be read on the way.
    #[error("SMTP_URL leads to another machine without TLS: use smtps:// or add ?tls=required")]
    Plain,
    /// Not an address of a person.
    #[error("EMAIL_FROM is not an e-mail address: {0}")]
    From(#[from] lettre::address::AddressError),
}

#[derive(Template)]
#[template(path = "message.html")]
struct Html<'a> {
    message: &'a Message,
}

#[derive(Template)]
#[template(path = "message.txt")]
struct Text<'a> {
    message: &'a Message,
}

impl Mailer {
    /// Connects at the first mail.
    pub(crate) fn new(config: MailerConfig) -> Result<Self, InvalidMailer> {
        let from = config.from.parse()?;
        check(&config.url)?;
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.url)
            .map_err(|error| InvalidMailer::Url(error.to_string()))?
            .timeout(Some(config.deadline));
        if let Some((name, password)) = config.credentials {
            transport = transport.credentials(Credentials::new(name, password.expose().to_owned()));
        }
        Ok(Self { transport: transport.build(), from })
    }

    /// One attempt.
    pub(crate) async fn deliver(
        &self,
        to: &str,
        firing: &Firing,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mail = compose(&self.from, to, firing, message, now)?;
        match self.transport.send(mail).await {
            Ok(_) => Ok(()),
            Err(error) => Err(judge(&error)),
        }
    }
}

/// Plain SMTP is for a server on this machine.
fn check(url: &str) -> Result<(), InvalidMailer> {
    let url = Url::parse(url).map_err(|error| InvalidMailer::Url(error.to_string()))?;
    let required = url.query_pairs().any(|(name, value)| (&*name, &*value) == TLS_REQUIRED);
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // Of a scheme that is not the web's, an IPv4 address counts as a name.
        Some(Host::Domain(name)) => {
            let address = name.parse::<std::net::Ipv4Addr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
        None => return Err(InvalidMailer::Url("it names no server".to_owned())),
    };
    match url.scheme() {
        "smtps" => Ok(()),
        "smtp" if required || here => Ok(()),
        "smtp" => Err(InvalidMailer::Plain),
        other => Err(InvalidMailer::Url(format!("{other}:// is not smtp:// or smtps://"))),
    }
}

fn compose(
    from: &Mailbox,
    to: &str,
    firing: &Firing,
    message: &Message,
    now: Timestamp,
) -> Result<Mail, Failure> {
    let permanent =
        |what: &str, error: &dyn std::fmt::Display| Failure::Permanent(format!("{what}: {error}"));
    let to: Address = to.parse().map_err(|error| permanent("the address", &error))?;
    let html = Html { message }.render().map_err(|error| permanent("the words", &error))?;
    let text = Text { message }.render().map_err(|error| permanent("the words", &error))?;
    let title: String = message.title.chars().take(SUBJECT_MAX_CHARS).collect();
    let mut mail = Mail::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(format!("Reminder: {title}"))
        .date(SystemTime::from(now.to_datetime()))
        .message_id(Some(message_id(&firing.id, from.email.domain())))
        // Keeps mail programs from answering with "I am on holiday".
        .raw_header(raw("Auto-Submitted", "auto-generated"));
    if let Some(id) = firing.correlationid.as_deref() {
        mail = mail.raw_header(raw("Correlation-Id", id));
    }
    mail.multipart(MultiPart::alternative_plain_html(text, html))
        .map_err(|error| permanent("the mail", &error))
}

/// A header of ours; what is not plain text is encoded.
fn raw(name: &'static str, value: &str) -> HeaderValue {
    let value = value.replace(char::is_control, " ");
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// An event has one: mail programs and servers that know it drop a repeat. Colons must not stand in
/// it, dots are in no task id; whatever else there may be one day is written in hexadecimal.
fn message_id(event_id: &str, domain: &str) -> String {
    let mut local = String::with_capacity(event_id.len());
    for byte in event_id.bytes() {
        match byte {
            b':' => local.push('.'),
            b'-' | b'_' => local.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => local.push(byte.into()),
            // Writing to a string does not fail.
            _ => drop(write!(local, "={byte:02x}")),
        }
    }
    format!("<{local}@{domain}>")
}

/// A server that says 5xx means it.
fn judge(error: &smtp::Error) -> Failure {
    let mut reason = format!("SMTP: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        // Writing to a string does not fail.
        let _ = write!(reason, ": {cause}");
        source = cause.source();
    }
    if error.is_permanent() { Failure::Permanent(reason) } else { Failure::temporary(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::{firing, message};

    fn mail(message: &Message) -> String {
        let from = "Reminders <reminders@example.org>".parse().unwrap();
        let now = Timestamp::from_millis(1_800_000_000_000);
        let mail = compose(&from, "ada@example.org", &firing(), message, now).unwrap();
        String::from_utf8(mail.formatted()).unwrap()
    }

    #[test]
    fn a_mail_is_text_and_html_with_the_id_of_the_event() {
        let mail = mail(&message());
        assert!(mail.contains("Message-ID: <milk.1.reminders-2@example.org>\r\n"), "{mail}");
        assert!(mail.contains("Auto-Submitted: auto-generated\r\n"));
        assert!(mail.contains("Correlation-Id: flow-1\r\n"));
        assert!(mail.contains("Content-Type: multipart/alternative"));
        let (text, html) = (mail.find("text/plain").unwrap(), mail.find("text/html").unwrap());
        assert!(text < html, "the last part is the one that is shown");
    }

    #[test]
    fn what_a_task_says_is_no_markup() {
        let html = Html { message: &message() }.render().unwrap();
        assert!(!html.contains("<script>") && !html.contains("<b>Two"), "{html}");
        assert!(html.contains("Milk &#38; &#60;script&#62;alert(&#34;honey&#34;)"), "{html}");
        assert!(html.contains("&#34;shop&#34;"), "{html}");
        let text = Text { message: &message() }.render().unwrap();
        assert!(text.contains("Milk & <script>alert(\"honey\")</script>"), "{text}");
        for link in &message().links {
            assert!(text.contains(&link.url) && html.contains(&link.url));
        }
    }

    #[test]
    fn a_title_cannot_add_a_header() {
        let mut message = message();
        message.title = "Milk\r\nBcc: eve@example.org".to_owned();
        let mail = mail(&message);
        let (headers, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(!headers.lines().any(|line| line.starts_with("Bcc:")), "{headers}");
    }

    #[test]
    fn passwords_and_mails_do_not_cross_the_network_in_the_open() {
        for good in [
            "smtps://mail.example.org",
            "smtp://mail.example.org:587?tls=required",
            "smtp://localhost:2525",
            "smtp://127.0.0.1:2525",
            "smtp://[::1]:2525",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for plain in ["smtp://mail.example.org", "smtp://mail.example.org?tls=opportunistic"] {
            assert!(matches!(check(plain), Err(InvalidMailer::Plain)), "{plain}");
        }
        assert!(matches!(check("https://mail.example.org"), Err(InvalidMailer::Url(_))));
    }

    #[test]
    fn every_event_has_a_message_id_of_its_own() {
        assert_eq!(message_id("a-b_c:1:reminders-2", "x.org"), "<a-b_c.1.reminders-2@x.org>");
        assert_ne!(message_id("a.1", "x.org"), message_id("a:1", "x.org"));
    }
}
