//! Names and numbers that identify things. Each is a type of its own, so that none is mistaken for
//! another; a name is checked once, where it enters.

use crate::codec::{Codec, CodecError, decode_bytes, encode_bytes, show_text};
use crate::{codec_newtype, codec_struct};
use std::fmt;
use std::sync::Arc;

/// Why a text is not a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadName;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $max:literal, $allowed:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name that `text` is.
            pub fn new(text: &str) -> Result<$name, BadName> {
                let allowed: fn(char) -> bool = $allowed;
                if text.is_empty() || text.len() > $max || !text.chars().all(allowed) {
                    return Err(BadName);
                }
                Ok($name(Arc::from(text)))
            }

            /// The text of the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Codec for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                encode_bytes(self.0.as_bytes(), out);
            }

            fn decode(input: &mut &[u8]) -> Result<$name, CodecError> {
                let bytes = decode_bytes(input)?;
                let text = std::str::from_utf8(bytes).map_err(|_| CodecError::Malformed)?;
                $name::new(text).map_err(|_| CodecError::Malformed)
            }

            fn show(&self, out: &mut String) {
                show_text(&self.0, out);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadName;
            fn from_str(text: &str) -> Result<$name, BadName> {
                $name::new(text)
            }
        }
    )*};
}

fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn printable(c: char) -> bool {
    !c.is_control()
}

names! {
    /// An exchange, as the registry of venues names it.
    VenueName: 32, plain;
    /// An account at a venue, as the desk names it.
    AccountName: 32, plain;
    /// A bot, app or person that trades.
    CallerName: 32, plain;
    /// A person who administers, as an opaque id.
    PersonName: 64, plain;
    /// A desk.
    DeskName: 32, plain;
    /// An instrument, as its venue names it.
    InstrumentName: 64, |c| c.is_ascii_graphic();
    /// The underlying index of an instrument, as its venue names it.
    IndexName: 64, |c| c.is_ascii_graphic();
    /// A currency.
    Currency: 16, plain;
    /// The id Tidegate gives an order at the venue; unique for ever.
    ClientId: 36, plain;
    /// The id or label a caller gave its order; means something to that caller alone.
    CallerOrderId: 64, printable;
    /// The id a venue gave an order.
    VenueOrderId: 64, |c| c.is_ascii_graphic();
    /// The id a venue gave a trade.
    TradeId: 64, |c| c.is_ascii_graphic();
    /// A policy, as the desk names it.
    PolicyName: 32, plain;
    /// A rule of a policy.
    RuleId: 48, plain;
    /// A single trade that soft rules let pass.
    ExceptionId: 48, plain;
    /// The public id of a virtual key.
    KeyId: 128, |c| c.is_ascii_graphic();
}

impl KeyId {
    /// The id that random bytes (64 at most) spell in hexadecimal digits.
    pub fn hex(random: &[u8]) -> KeyId {
        let digits: String = random.iter().take(64).map(|byte| format!("{byte:02x}")).collect();
        KeyId(Arc::from(digits))
    }
}

/// An instrument at a venue.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentId {
    /// Where it trades.
    pub venue: VenueName,
    /// What the venue calls it.
    pub name: InstrumentName,
}
codec_struct!(InstrumentId { venue, name });

impl fmt::Display for InstrumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.venue, self.name)
    }
}

impl fmt::Debug for InstrumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
        pub struct $name(pub u64);
        codec_newtype!($name);

        impl $name {
            /// The one after this.
            #[must_use]
            pub const fn next(self) -> $name {
                $name(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

numbers! {
    /// The place of a record in the journal, from 0.
    Seq;
    /// An order in Tidegate's own table.
    OrderId;
    /// One request to a venue.
    CallId;
    /// A request for a second person's approval.
    ApprovalId;
    /// One waiting question of the server's to the core; never journalled.
    Ticket;
    /// One caller's connection that outlives a request; numbered anew at every start.
    SessionId;
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a name: empty, too long, or with a character that names may not have")
    }
}

impl std::error::Error for BadName {}
