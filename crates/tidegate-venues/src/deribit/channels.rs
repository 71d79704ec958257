//! Names of channels: which are the account's, which are public, and which the relay can serve.

use super::names;

/// A private channel that a caller may have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Private {
    /// Its name, as the caller gave it.
    pub(crate) name: String,
    /// What it tells.
    topic: Topic,
    /// Of which instruments or currencies.
    of: Of,
    /// One object a message; otherwise a list.
    raw: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Topic {
    Orders,
    Trades,
    Changes,
    Portfolio,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Of {
    Instrument(String),
    Group { kind: String, currency: String },
    Currency(String),
}

/// What a channel is to the gateway.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Channel {
    /// The account's; filtered for the caller.
    Private(Private),
    /// Public; the relay subscribes to `upstream`.
    Public {
        /// What the venue calls it.
        upstream: String,
        /// Whether the caller must be logged in.
        raw: bool,
    },
    /// Not served; left out of the answer, as the venue leaves out what it does not know.
    None,
}

/// Longest name of a channel.
const MAX_NAME: usize = 128;

/// What the channel of that name is.
pub(crate) fn channel(name: &str) -> Channel {
    let graphic = name.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '\\');
    if name.len() > MAX_NAME || !graphic {
        return Channel::None;
    }
    if name.starts_with("user.") || name.starts_with("block_rfq.") {
        return private(name).map_or(Channel::None, Channel::Private);
    }
    // The venue gives `raw` to those who log in, and the relay does not. The messages of `raw` and
    // `100ms` are of one form, and the chain of changes in a book is whole in either.
    match name.strip_suffix(".raw") {
        Some(rest) => Channel::Public { upstream: format!("{rest}.100ms"), raw: true },
        None => Channel::Public { upstream: name.to_owned(), raw: false },
    }
}

fn private(name: &str) -> Option<Private> {
    let parts: Vec<&str> = name.split('.').collect();
    let (topic, of, interval) = match parts.as_slice() {
        ["user", "portfolio", currency] => {
            (Topic::Portfolio, Of::Currency(currency.to_ascii_uppercase()), "raw")
        }
        ["user", topic, instrument, interval] => {
            (topic_of(topic)?, Of::Instrument((*instrument).to_owned()), *interval)
        }
        ["user", topic, kind, currency, interval] => {
            let kind = Some(*kind).filter(|kind| names::KINDS.contains(kind))?;
            let of = Of::Group { kind: kind.to_owned(), currency: currency.to_ascii_uppercase() };
            (topic_of(topic)?, of, *interval)
        }
        _ => return None,
    };
    let raw = match interval {
        "raw" => true,
        "100ms" | "agg2" => false,
        _ => return None,
    };
    Some(Private { name: name.to_owned(), topic, of, raw })
}

fn topic_of(word: &str) -> Option<Topic> {
    match word {
        "orders" => Some(Topic::Orders),
        "trades" => Some(Topic::Trades),
        "changes" => Some(Topic::Changes),
        _ => None,
    }
}

impl Private {
    /// Whether it tells the state of the account's currencies.
    pub(crate) fn is_portfolio(&self) -> bool {
        self.topic == Topic::Portfolio
    }

    /// Whether it tells of that currency.
    pub(crate) fn tells_currency(&self, currency: &str) -> bool {
        match &self.of {
            Of::Currency(of) => of == "ANY" || of == currency,
            Of::Instrument(_) | Of::Group { .. } => false,
        }
    }

    /// Whether it tells of what the private stream's channel tells.
    pub(crate) fn follows(&self, stream_channel: &str) -> bool {
        let word = match self.topic {
            Topic::Orders => "user.orders.",
            Topic::Trades => "user.trades.",
            Topic::Changes => "user.changes.",
            Topic::Portfolio => "user.portfolio.",
        };
        stream_channel.starts_with(word)
    }

    /// Whether it tells of that instrument.
    pub(crate) fn tells_instrument(&self, name: &str) -> bool {
        match &self.of {
            Of::Instrument(of) => of == name,
            Of::Group { kind, currency } => {
                names::kind_means(kind, name)
                    && (currency == "ANY" || currency == names::currency(name))
            }
            Of::Currency(_) => false,
        }
    }

    /// Whether an order is told as one object; otherwise as a list.
    pub(crate) fn one_order(&self) -> bool {
        self.raw && self.topic == Topic::Orders
    }

    /// Whether its data is a list of rows.
    pub(crate) fn lists(&self) -> bool {
        matches!(self.topic, Topic::Orders | Topic::Trades)
    }
}
