//! Security events to a collector on another machine: syslog (RFC 5424) over TLS (RFC 5425).
//!
//! What goes there: every line of the operator's log, refusals, logins, facts of who is calling, and the
//! journal's newest checkpoint now and then, so that a folder that was rolled back is found. Orders stay in
//! the journal. Nobody waits for it: events go through a bounded queue to a thread of their own, and are
//! counted when that does not keep up.

mod message;
mod wire;
mod worker;

use crate::config::Log;
use crate::folder::DataFolder;
use crate::oplog::Level;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tidegate_identity::ledger::Fact;
use tidegate_journal::checkpoint::{CHECKPOINT_FILE, parse_checkpoint, parse_note};
use tidegate_types::codec::{from_bytes, to_json};
use tidegate_types::record::Body;
use tidegate_types::time::Time;
use wire::Target;
pub use wire::is_address;
use worker::{Pace, Sender};

/// How often the newest checkpoint is sent, if it is another than before.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);
/// How long the end of the program waits for the last events.
const LAST_EVENTS: Duration = Duration::from_secs(1);

static COLLECTOR: OnceLock<Sender> = OnceLock::new();

/// Something to tell the collector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Event {
    pub(crate) at: Time,
    pub(crate) level: Level,
    /// Its kind, in one word.
    pub(crate) what: String,
    /// One line.
    pub(crate) text: String,
}

/// Begins to send events, if a collector is configured.
///
/// # Errors
/// When the address, the authorities or a thread cannot be had.
pub fn start(settings: &Log) -> Result<(), String> {
    if settings.syslog.is_empty() {
        return Ok(());
    }
    let target = Target::configured(settings)?;
    let sender = worker::start(target, Pace::default()).map_err(|e| e.to_string())?;
    // A second gateway in one process shares the first one's collector.
    let _ = COLLECTOR.set(sender);
    Ok(())
}

/// Whether events go anywhere.
pub(crate) fn is_on() -> bool {
    COLLECTOR.get().is_some()
}

/// Hands over an event.
pub(crate) fn tell(level: Level, what: &str, text: String) {
    if let Some(sender) = COLLECTOR.get() {
        sender.send(Event { at: crate::clock::now(), level, what: what.to_owned(), text });
    }
}

/// Hands over what a record tells of who is calling. Of the rest the operator's log tells.
pub(crate) fn tell_record(body: &Body) {
    if let Some((level, what, text)) = is_on().then(|| of_record(body)).flatten() {
        tell(level, what, text);
    }
}

/// Waits for the events so far, where the collector takes them.
pub fn finish() {
    if let Some(sender) = COLLECTOR.get() {
        sender.finish(LAST_EVENTS);
    }
}

/// Sends the newest checkpoint of a folder now and then. Reads the disk, which may hang.
pub(crate) fn checkpoints() -> impl FnMut(&DataFolder) + Send + 'static {
    let mut looked: Option<Instant> = None;
    let mut sent = Vec::new();
    move |folder| {
        if !is_on() || looked.is_some_and(|at| at.elapsed() < CHECKPOINT_EVERY) {
            return;
        }
        let note = std::fs::read(folder.journal().join(CHECKPOINT_FILE)).unwrap_or_default();
        if let Some(text) = of_checkpoint(&note).filter(|_| note != sent) {
            tell(Level::Info, "checkpoint", text);
            looked = Some(Instant::now());
            sent = note;
        }
    }
}

/// A signed checkpoint in one line: as a file, byte for byte, it is what `tidegate verify` takes.
fn of_checkpoint(note: &[u8]) -> Option<String> {
    let says = parse_note(note).and_then(|note| parse_checkpoint(&note.text)).ok()?;
    Some(format!("checkpoint size={} note={}", says.size, STANDARD.encode(note)))
}

fn of_record(body: &Body) -> Option<(Level, &'static str, String)> {
    let word = |value: Option<&str>| value.unwrap_or("-").to_owned();
    match body {
        Body::Refused { caller, account, reject, .. } => {
            let caller = word(caller.as_ref().map(|name| name.as_str()));
            let account = word(account.as_ref().map(|name| name.as_str()));
            let why = reject.to_string();
            Some((
                Level::Warn,
                "refused",
                format!("refused caller={caller} account={account} why={why:?}"),
            ))
        }
        Body::RefusedMore { caller, code, count } => {
            let caller = word(caller.as_ref().map(|name| name.as_str()));
            let code = code.number();
            let text = format!("refused-more caller={caller} code=TG{code} count={count}");
            Some((Level::Warn, "refused-more", text))
        }
        Body::RefusedMoreOf { person, code, count } => {
            let code = code.number();
            let text = format!("refused-more person={person} code=TG{code} count={count}");
            Some((Level::Warn, "refused-more", text))
        }
        // Before the refusal or the count itself.
        Body::RefusedByToken { caller, token, subject } => {
            let text = format!("refused-by-token caller={caller} token={token} subject={subject}");
            Some((Level::Warn, "refused-by-token", text))
        }
        Body::LoggedIn { caller, key } => {
            Some((Level::Info, "logged-in", format!("logged-in caller={caller} key={key}")))
        }
        Body::Identity { fact } => {
            let fact: Fact = from_bytes(&fact.0).ok()?;
            Some((Level::Info, "identity", format!("identity {}", to_json(&fact))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
