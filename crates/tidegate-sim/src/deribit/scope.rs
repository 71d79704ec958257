//! What a key may do and what a token was granted: rights by area, and how long they live.

use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// What a method touches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Area {
    Account,
    Trade,
    Wallet,
    BlockTrade,
    BlockRfq,
}

/// How far a right goes; each includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) enum Level {
    #[default]
    None,
    Read,
    ReadWrite,
}

const AREAS: [(Area, &str); 5] = [
    (Area::Account, "account"),
    (Area::Trade, "trade"),
    (Area::Wallet, "wallet"),
    (Area::BlockTrade, "block_trade"),
    (Area::BlockRfq, "block_rfq"),
];

/// A level for each area.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Rights {
    account: Level,
    trade: Level,
    wallet: Level,
    block_trade: Level,
    block_rfq: Level,
    /// Whether the key belongs to the main account.
    pub(crate) main: bool,
}

/// What a client asks for in `public/auth`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Request {
    levels: Vec<(Area, Level)>,
    /// The name of the session that the token is to belong to; none is the connection.
    pub(crate) session: Option<String>,
    /// Seconds the token is to live.
    pub(crate) expires: Option<u64>,
    /// The address the token is bound to, or `*`.
    pub(crate) ip: Option<String>,
}

impl Rights {
    /// Every right.
    #[cfg(test)]
    pub(crate) fn all() -> Rights {
        let full = Level::ReadWrite;
        Rights {
            account: full,
            trade: full,
            wallet: full,
            block_trade: full,
            block_rfq: full,
            main: true,
        }
    }

    /// The level in an area.
    pub(crate) fn level(&self, area: Area) -> Level {
        match area {
            Area::Account => self.account,
            Area::Trade => self.trade,
            Area::Wallet => self.wallet,
            Area::BlockTrade => self.block_trade,
            Area::BlockRfq => self.block_rfq,
        }
    }

    /// These rights, less where the request asks for less; what it does not name stays.
    pub(crate) fn narrowed(&self, request: &Request) -> Rights {
        let mut rights = *self;
        for (area, asked) in &request.levels {
            *rights.slot(*area) = self.level(*area).min(*asked);
        }
        rights
    }

    fn slot(&mut self, area: Area) -> &mut Level {
        match area {
            Area::Account => &mut self.account,
            Area::Trade => &mut self.trade,
            Area::Wallet => &mut self.wallet,
            Area::BlockTrade => &mut self.block_trade,
            Area::BlockRfq => &mut self.block_rfq,
        }
    }
}

fn right(word: &str) -> Option<(Area, Level)> {
    let (area, level) = word.split_once(':')?;
    let (area, _) = AREAS.iter().find(|(_, name)| *name == area)?;
    let level = match level {
        "none" => Level::None,
        "read" => Level::Read,
        "read_write" => Level::ReadWrite,
        _ => return None,
    };
    Some((*area, level))
}

impl FromStr for Rights {
    type Err = String;

    /// Reads a key's `max_scope`: `account:read trade:read_write mainaccount`.
    fn from_str(text: &str) -> Result<Rights, String> {
        let mut rights = Rights::default();
        for word in text.split_ascii_whitespace() {
            match right(word) {
                Some((area, level)) => *rights.slot(area) = level,
                None if word == "mainaccount" => rights.main = true,
                None => return Err(format!("unknown scope `{word}`")),
            }
        }
        Ok(rights)
    }
}

impl<'de> Deserialize<'de> for Rights {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Rights, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for Request {
    type Err = ();

    fn from_str(text: &str) -> Result<Request, ()> {
        let mut request = Request::default();
        for word in text.split_ascii_whitespace() {
            if let Some(right) = right(word) {
                request.levels.push(right);
            } else if let Some(name) = word.strip_prefix("session:") {
                request.session = Some(name.to_owned()).filter(|name| !name.is_empty());
            } else if let Some(seconds) = word.strip_prefix("expires:") {
                request.expires = Some(seconds.parse().map_err(|_| ())?);
            } else if let Some(address) = word.strip_prefix("ip:") {
                request.ip = Some(address.to_owned());
            } else if !matches!(word, "connection" | "mainaccount") {
                return Err(());
            }
        }
        Ok(request)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for (area, name) in AREAS {
            let level = match self.level(area) {
                Level::None => continue,
                Level::Read => "read",
                Level::ReadWrite => "read_write",
            };
            write!(f, "{gap}{name}:{level}")?;
            gap = " ";
        }
        if self.main { write!(f, "{gap}mainaccount") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_only_narrows() {
        let max: Rights = "account:read trade:read_write mainaccount".parse().unwrap();
        for (asked, granted) in [
            ("", "account:read trade:read_write mainaccount"),
            ("session:x", "account:read trade:read_write mainaccount"),
            ("trade:read", "account:read trade:read mainaccount"),
            ("wallet:read_write account:read_write", "account:read trade:read_write mainaccount"),
            ("trade:none account:none", "mainaccount"),
        ] {
            let request: Request = asked.parse().unwrap();
            assert_eq!(max.narrowed(&request).to_string(), granted, "{asked}");
        }
    }

    #[test]
    fn modifiers_are_read_and_nonsense_is_not() {
        let request: Request =
            "session:gw1 trade:read expires:3600 ip:10.0.0.7 connection".parse().unwrap();
        assert_eq!(request.session.as_deref(), Some("gw1"));
        assert_eq!(request.expires, Some(3600));
        assert_eq!(request.ip.as_deref(), Some("10.0.0.7"));
        for bad in ["trade:all", "everything", "expires:soon", "wallets:read"] {
            assert!(bad.parse::<Request>().is_err(), "{bad}");
        }
        assert!("trade:read_write withdraw".parse::<Rights>().is_err());
    }

    #[test]
    fn levels_include_those_below() {
        let rights = Rights::all();
        assert!(rights.level(Area::Wallet) >= Level::Read);
        assert!(Rights::default().level(Area::Trade) < Level::Read);
    }
}
