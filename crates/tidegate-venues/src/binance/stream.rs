//! The account's private stream: a listen key, a socket, and what it tells.

use super::outcome::refusal;
use super::snapshot;
use super::wire;
use crate::front::Instruments;
use crate::raw::{Fields, Raw};
use crate::upstream::{AccountStream, StreamNews, StreamStep, Unreadable};
use tidegate_types::call::CallBody;
use tidegate_types::ids::VenueName;
use tidegate_types::report::AccountEvent;
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};

/// A listen key lives for 60 minutes; it is kept alive with time for a second try.
const KEEP_EVERY: Span = Span::from_secs(25 * 60);
/// How soon a keep-alive that failed is tried again.
const KEEP_AGAIN: Span = Span::from_secs(60);
/// How long a key may go without a keep-alive before the stream begins anew.
const KEY_LIFE: Span = Span::from_secs(55 * 60);

/// Why the venue tells of a wallet: funding.
const FUNDING: &str = "FUNDING_FEE";
/// … and money that came from elsewhere or went there.
const PAYMENTS: [&str; 6] =
    ["DEPOSIT", "WITHDRAW", "WITHDRAW_REJECT", "ADMIN_DEPOSIT", "ADMIN_WITHDRAW", "ASSET_TRANSFER"];

const OPEN: CallBody = CallBody::Session { step: 0 };
const KEEP: CallBody = CallBody::Session { step: 1 };

/// The private stream of one account.
#[derive(Debug)]
pub(crate) struct UserStream {
    venue: VenueName,
    connected: bool,
    kept: Time,
    due: Option<Time>,
}

impl UserStream {
    /// A stream that has not begun.
    pub(crate) fn new(venue: VenueName) -> UserStream {
        UserStream { venue, connected: false, kept: Time::default(), due: None }
    }

    fn restart(&mut self, why: String) -> Vec<StreamStep> {
        self.connected = false;
        self.due = None;
        vec![StreamStep::Restart(why)]
    }
}

impl AccountStream for UserStream {
    fn start(&mut self, now: Time) -> Vec<StreamStep> {
        self.connected = false;
        self.kept = now;
        self.due = None;
        vec![StreamStep::Call(OPEN)]
    }

    fn on_reply(&mut self, reply: &Reply, now: Time) -> Vec<StreamStep> {
        let answer = snapshot::object(reply);
        if !self.connected {
            return match answer.as_ref().map(listen_key) {
                Ok(Some(key)) => {
                    self.kept = now;
                    self.due = Some(now.plus(KEEP_EVERY));
                    vec![StreamStep::Connect(format!("/private/ws?listenKey={key}"))]
                }
                Ok(None) => self.restart("no listen key in the answer".to_owned()),
                Err(error) => self.restart(format!("no listen key: {}", error.0)),
            };
        }
        match answer {
            Ok(_) => {
                self.kept = now;
                self.due = Some(now.plus(KEEP_EVERY));
                Vec::new()
            }
            Err(_) if gone(reply) => self.restart("the listen key is gone".to_owned()),
            Err(_) => {
                self.due = Some(now.plus(KEEP_AGAIN));
                Vec::new()
            }
        }
    }

    fn on_open(&mut self, _now: Time) -> Vec<StreamStep> {
        // The venue tells from here on, without a word that it does.
        self.connected = true;
        vec![StreamStep::Up]
    }

    fn on_text(
        &mut self,
        text: &str,
        _instruments: &Instruments,
        now: Time,
    ) -> (Vec<StreamNews>, Vec<StreamStep>) {
        let Ok(message) = Fields::read(text.as_bytes()) else {
            return (Vec::new(), self.restart("an unreadable message".to_owned()));
        };
        let inner = message.get("data").filter(|_| message.get("stream").is_some());
        let (frame, json) = match inner {
            Some(inner) => (inner.fields().unwrap_or_default(), inner.json()),
            None => (message, text),
        };
        if frame.text("e").as_deref() == Some("listenKeyExpired") {
            return (Vec::new(), self.restart("the listen key expired".to_owned()));
        }
        match events(&self.venue, &frame, now) {
            Ok(events) => {
                let mut news: Vec<StreamNews> = events.into_iter().map(StreamNews::Event).collect();
                news.push(StreamNews::Frame(json.to_owned()));
                (news, Vec::new())
            }
            // What cannot be read may have been an order: only a new snapshot tells.
            Err(error) => (Vec::new(), self.restart(format!("unreadable news: {}", error.0))),
        }
    }

    fn on_timer(&mut self, now: Time) -> Vec<StreamStep> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        if now.since(self.kept) > KEY_LIFE {
            return self.restart("the listen key could not be kept alive".to_owned());
        }
        self.due = Some(now.plus(KEEP_AGAIN));
        vec![StreamStep::Call(KEEP)]
    }

    fn timer(&self) -> Option<Time> {
        self.due
    }
}

/// What a frame of the private stream means for orders, positions and balances.
pub(crate) fn events(
    venue: &VenueName,
    frame: &Fields<'_>,
    now: Time,
) -> Result<Vec<AccountEvent>, Unreadable> {
    let part = |name: &str| {
        let part = frame.get(name).map(|part| part.fields().unwrap_or_default());
        part.ok_or_else(|| Unreadable(format!("no `{name}` in a private message")))
    };
    let mut events = Vec::new();
    match frame.text("e").as_deref() {
        Some("ORDER_TRADE_UPDATE") => {
            let order = &part("o")?;
            let fill = wire::fill_update(venue, order)?;
            events.extend(fill.map(|fill| AccountEvent::Fill { fill }));
            events.push(AccountEvent::Order { report: wire::order_update(venue, order)? });
        }
        Some("ALGO_UPDATE") => {
            let at = wire::time(frame, "T").unwrap_or(now);
            let report = wire::algo_update(venue, &part("o")?, at)?;
            events.push(AccountEvent::Order { report });
        }
        Some("ACCOUNT_UPDATE") => {
            let update = part("a")?;
            let list = |name| update.get(name).and_then(Raw::items).unwrap_or_default();
            let why = update.text("m");
            for row in list("B") {
                balance_events(&row.fields().unwrap_or_default(), why.as_deref(), &mut events)?;
            }
            for row in list("P") {
                let row = row.fields().unwrap_or_default();
                let position = wire::position_update(venue, &row)?;
                events.extend(position.map(|position| AccountEvent::Position { position }));
            }
        }
        // TRADE_LITE repeats what ORDER_TRADE_UPDATE tells; the others are settings.
        _ => {}
    }
    Ok(events)
}

/// What a row of an account's wallet means: what is in it now, and what was paid to make it so, if that is why it is
/// told. Money that comes in is told of before what it makes, and money that goes out after: what it leaves between the
/// two looks lost then, and never won.
fn balance_events(
    row: &Fields<'_>,
    why: Option<&str>,
    events: &mut Vec<AccountEvent>,
) -> Result<(), Unreadable> {
    let balance = wire::balance_update(row)?.map(|balance| AccountEvent::Balance { balance });
    let change = match why {
        Some(why) if why == FUNDING || PAYMENTS.contains(&why) => wire::balance_change(row)?,
        _ => None,
    };
    let Some(change) = change else {
        events.extend(balance);
        return Ok(());
    };
    let paid_in = why != Some(FUNDING) && !change.amount.is_negative();
    let change = match why {
        Some(FUNDING) => AccountEvent::Funding { change },
        _ => AccountEvent::Payment { change },
    };
    match paid_in {
        true => events.extend([change].into_iter().chain(balance)),
        false => events.extend(balance.into_iter().chain([change])),
    }
    Ok(())
}

fn listen_key(answer: &Fields<'_>) -> Option<String> {
    let key = answer.text("listenKey")?;
    let plain = !key.is_empty() && key.len() <= 128;
    if plain && key.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Some(key.into_owned())
    } else {
        None
    }
}

fn gone(reply: &Reply) -> bool {
    let answer = Fields::read(&reply.body).ok();
    answer.as_ref().and_then(refusal).is_some_and(|(code, _)| code == -1125)
}

#[cfg(test)]
mod tests;
