//! Where a channel stands.

use super::super::rpc;
use crate::fanout::{Fit, Memory};
use serde::Deserialize;
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;
use tidegate_types::decimal::Decimal;

/// A channel whose every message says all.
#[derive(Default)]
pub(super) struct Latest(Option<String>);

impl Memory for Latest {
    fn take(&mut self, text: &str) -> Fit {
        self.0 = Some(text.to_owned());
        Fit::Good
    }

    fn state(&self) -> Option<String> {
        self.0.clone()
    }
}

#[derive(Deserialize)]
struct Message<T> {
    params: Params<T>,
}

#[derive(Deserialize)]
struct Params<T> {
    data: T,
}

fn data<T: for<'a> Deserialize<'a>>(text: &str) -> Option<T> {
    serde_json::from_str::<Message<T>>(text).ok().map(|message| message.params.data)
}

/// A book that is told by its changes.
pub(super) struct Book {
    channel: String,
    /// What is told besides the levels, since there is a snapshot.
    stands: Option<Stands>,
    bids: Side,
    asks: Side,
}

type Side = BTreeMap<Decimal, (Number, Number)>;

struct Stands {
    instrument: String,
    timestamp: u64,
    change: u64,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "type")]
    kind: String,
    instrument_name: String,
    timestamp: u64,
    change_id: u64,
    prev_change_id: Option<u64>,
    bids: Vec<Row>,
    asks: Vec<Row>,
}

/// `new`, `change` or `delete`; the price; the amount.
#[derive(Deserialize)]
struct Row(String, Number, Number);

impl Book {
    pub(super) fn of(channel: &str) -> Book {
        let (bids, asks) = (Side::new(), Side::new());
        Book { channel: channel.to_owned(), stands: None, bids, asks }
    }
}

impl Memory for Book {
    fn take(&mut self, text: &str) -> Fit {
        let Some(change) = data::<Change>(text) else { return Fit::Gap };
        let at = self.stands.as_ref().map(|stands| stands.change);
        if change.kind == "snapshot" {
            (self.bids, self.asks) = (Side::new(), Side::new());
        } else if at.is_none() {
            return Fit::Early;
        } else if change.prev_change_id != at {
            self.stands = None;
            return Fit::Gap;
        }
        for (side, rows) in [(&mut self.bids, change.bids), (&mut self.asks, change.asks)] {
            for Row(what, price, amount) in rows {
                let Ok(key) = price.as_str().parse::<Decimal>() else { return Fit::Gap };
                if what == "delete" {
                    side.remove(&key);
                } else {
                    side.insert(key, (price, amount));
                }
            }
        }
        let Change { instrument_name: instrument, timestamp, change_id: change, .. } = change;
        self.stands = Some(Stands { instrument, timestamp, change });
        Fit::Good
    }

    fn state(&self) -> Option<String> {
        let stands = self.stands.as_ref()?;
        let mut told = Map::new();
        told.insert("type".into(), "snapshot".into());
        told.insert("timestamp".into(), stands.timestamp.into());
        told.insert("instrument_name".into(), stands.instrument.as_str().into());
        told.insert("change_id".into(), stands.change.into());
        told.insert("bids".into(), self.bids.values().rev().map(row).collect());
        told.insert("asks".into(), self.asks.values().map(row).collect());
        Some(rpc::notification(&self.channel, Value::Object(told)))
    }
}

fn row((price, amount): &(Number, Number)) -> Value {
    Value::Array(vec!["new".into(), price.clone().into(), amount.clone().into()])
}

/// A ticker that tells what changed.
pub(super) struct Ticker {
    channel: String,
    fields: Option<Map<String, Value>>,
}

impl Ticker {
    pub(super) fn of(channel: &str) -> Ticker {
        Ticker { channel: channel.to_owned(), fields: None }
    }
}

impl Memory for Ticker {
    fn take(&mut self, text: &str) -> Fit {
        let Some(told) = data::<Map<String, Value>>(text) else { return Fit::Gap };
        let whole = told.get("type").and_then(Value::as_str) == Some("snapshot");
        match &mut self.fields {
            Some(fields) if !whole => fields.extend(told),
            None if !whole => return Fit::Early,
            fields => *fields = Some(told),
        }
        Fit::Good
    }

    fn state(&self) -> Option<String> {
        let mut fields = self.fields.clone()?;
        fields.insert("type".into(), "snapshot".into());
        Some(rpc::notification(&self.channel, Value::Object(fields)))
    }
}
