//! Books kept from a shared depth stream, so that who comes later is answered from here what `GET /fapi/v1/depth` would.
//!
//! The venue's rule joins them: of the changes after a snapshot the first has `U` <= `lastUpdateId` <= `u`, and each begins
//! where the last one ended (`pu`). What a snapshot left out beyond its last level stays unknown, so that a book answers
//! for as many levels as it has without a hole.

use super::snapshot::object;
use super::wire::text;
use crate::fanout::Depth;
use crate::raw::{Fields, Raw};
use std::collections::{BTreeMap, VecDeque};
use tidegate_types::call::WireRequest;
use tidegate_types::decimal::Decimal;
use tidegate_types::request::Reply;

/// Changes that are kept for a snapshot which was fetched meanwhile: above ten seconds of the fastest stream.
const KEPT: usize = 128;
/// One stream may be heard over each of the venue's three sockets. So many changes in a row that are not new are none of
/// that: the venue counts anew.
const REPEATS: u8 = 8;
/// What a request without `limit` gets.
const DEFAULT_LEVELS: usize = 500;
/// What `limit` may be.
const LIMITS: [usize; 7] = [5, 10, 20, 50, 100, 500, 1000];
const PATH: &str = "/fapi/v1/depth";

/// An empty book for a stream of changes, however often it tells them.
pub(crate) fn empty(stream: &str) -> Option<Box<dyn Depth>> {
    let (_, kind) = stream.split_once('@')?;
    SPEEDS.contains(&kind).then(|| Box::<Kept>::default() as Box<dyn Depth>)
}

/// The streams of changes of the book that is asked for.
pub(crate) fn streams(request: &WireRequest) -> Vec<String> {
    let Some((symbol, _)) = asked(request) else { return Vec::new() };
    SPEEDS.iter().map(|kind| format!("{}@{kind}", symbol.to_lowercase())).collect()
}

/// The kinds of streams that tell changes, the fastest first.
const SPEEDS: [&str; 4] = ["depth@0ms", "depth@100ms", "depth", "depth@500ms"];

/// Of which symbol a snapshot is asked for, and how many levels.
fn asked(request: &WireRequest) -> Option<(&str, usize)> {
    let query = request.target.strip_prefix(PATH)?.strip_prefix('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let symbol = pairs.clone().find(|(name, _)| *name == "symbol")?.1;
    let limit = match pairs.find(|(name, _)| *name == "limit") {
        Some((_, limit)) => limit.parse().ok()?,
        None => DEFAULT_LEVELS,
    };
    LIMITS.contains(&limit).then_some((symbol, limit))
}

/// A book, and the changes that came of late.
#[derive(Default)]
struct Kept {
    whole: Option<Whole>,
    changes: VecDeque<Change>,
}

/// A price, its words, and the quantity's.
type Level = (Decimal, String, String);

struct Change {
    first: u64,
    last: u64,
    before: u64,
    told: Times,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

/// When the venue told something, and when it was so, in its own words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Times {
    event: u64,
    transaction: u64,
}

/// What a change does to a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fit {
    /// It was in the book already.
    Old,
    /// It is the next one.
    Next,
    /// One before it is missing.
    Gap,
}

struct Whole {
    at: u64,
    /// A change came after the snapshot.
    joined: bool,
    /// How many changes in a row were not new.
    repeats: u8,
    told: Times,
    bids: Side,
    asks: Side,
}

/// One side, keyed so that the best comes first.
struct Side {
    levels: BTreeMap<i64, (String, String)>,
    /// The worst level of the snapshot, where the venue may have more beyond it.
    end: Option<i64>,
}

impl Depth for Kept {
    fn take(&mut self, text: &str) {
        let Some(change) = change(text) else { return self.forget() };
        let fits = match &mut self.whole {
            Some(whole) => whole.take(&change),
            None => Fit::Old,
        };
        if fits == Fit::Gap {
            self.forget();
        }
        if self.changes.len() == KEPT {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
    }

    fn learn(&mut self, request: &WireRequest, reply: &Reply) {
        let Some((_, limit)) = asked(request).filter(|_| reply.status == 200) else { return };
        let Some(mut whole) = Whole::of(reply, limit) else { return };
        let joins = self.changes.iter().all(|change| whole.take(change) != Fit::Gap);
        if joins {
            self.whole = Some(whole);
        }
    }

    fn answer(&self, request: &WireRequest) -> Option<Reply> {
        let (_, limit) = asked(request)?;
        let whole = self.whole.as_ref().filter(|whole| whole.joined)?;
        let (bids, asks) = (whole.bids.best(limit)?, whole.asks.best(limit)?);
        let Times { event, transaction } = whole.told;
        let at = whole.at;
        let body = format!(
            r#"{{"lastUpdateId":{at},"E":{event},"T":{transaction},"bids":[{bids}],"asks":[{asks}]}}"#
        );
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Some(Reply { status: 200, headers, body: body.into_bytes() })
    }
}

impl Kept {
    fn forget(&mut self) {
        self.whole = None;
        self.changes.clear();
    }
}

impl Whole {
    fn of(reply: &Reply, limit: usize) -> Option<Whole> {
        let answer = object(reply).ok()?;
        let side = |name, sign| Side::of(levels(&answer, name)?, sign, limit);
        Some(Whole {
            at: answer.whole("lastUpdateId")?,
            joined: false,
            repeats: 0,
            told: times(&answer)?,
            bids: side("bids", BIDS)?,
            asks: side("asks", ASKS)?,
        })
    }

    fn take(&mut self, change: &Change) -> Fit {
        let fit = match self.joined {
            true if change.before == self.at => Fit::Next,
            true if change.last <= self.at && self.repeats < REPEATS => Fit::Old,
            false if change.last < self.at => Fit::Old,
            false if change.first <= self.at || change.before == self.at => Fit::Next,
            _ => Fit::Gap,
        };
        self.repeats = if fit == Fit::Old { self.repeats.saturating_add(1) } else { 0 };
        if fit == Fit::Next {
            (self.at, self.told, self.joined) = (change.last, change.told, true);
            self.bids.set(&change.bids, BIDS);
            self.asks.set(&change.asks, ASKS);
        }
        fit
    }
}

/// By which a price is multiplied so that the best of a side is least.
const BIDS: i64 = -1;
const ASKS: i64 = 1;

impl Side {
    fn of(told: Vec<Level>, sign: i64, limit: usize) -> Option<Side> {
        let full = told.len() >= limit;
        let mut side = Side { levels: BTreeMap::new(), end: None };
        side.set(&told, sign);
        side.end = side.levels.last_key_value().map(|(key, _)| *key).filter(|_| full);
        Some(side)
    }

    fn set(&mut self, told: &[Level], sign: i64) {
        for (price, words, qty) in told {
            let key = price.raw().saturating_mul(sign);
            let is_none = qty.bytes().all(|byte| matches!(byte, b'0' | b'.'));
            if is_none {
                self.levels.remove(&key);
            } else if self.end.is_none_or(|end| key <= end) {
                self.levels.insert(key, (words.clone(), qty.clone()));
            }
        }
    }

    /// So many of the best levels, in the venue's words. What lacks a tenth of them at most is told all the same: beyond the
    /// last one nobody knows more than the next snapshot would tell.
    fn best(&self, limit: usize) -> Option<String> {
        let known = self.levels.len() >= limit - limit / 10 || self.end.is_none();
        let rows = self.levels.values().take(limit);
        let rows: Vec<String> =
            rows.map(|(price, qty)| format!(r#"["{price}","{qty}"]"#)).collect();
        known.then(|| rows.join(","))
    }
}

fn change(message: &str) -> Option<Change> {
    let message = Fields::read(message.as_bytes()).ok()?;
    let data = message.get("data").and_then(Raw::fields).unwrap_or(message);
    if text(&data, "e").ok()? != "depthUpdate" {
        return None;
    }
    Some(Change {
        first: data.whole("U")?,
        last: data.whole("u")?,
        before: data.whole("pu")?,
        told: times(&data)?,
        bids: levels(&data, "b")?,
        asks: levels(&data, "a")?,
    })
}

fn times(object: &Fields<'_>) -> Option<Times> {
    Some(Times { event: object.whole("E")?, transaction: object.whole("T")? })
}

fn levels(object: &Fields<'_>, name: &str) -> Option<Vec<Level>> {
    object.get(name)?.items()?.into_iter().map(level).collect()
}

fn level(row: Raw<'_>) -> Option<Level> {
    let row = row.items()?;
    let (price, qty) = (row.first()?.text()?, row.get(1)?.text()?);
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let sound = qty.chars().all(is_number) && price.chars().all(is_number);
    let key: Decimal = price.parse().ok().filter(|_| sound)?;
    Some((key, price.into_owned(), qty.into_owned()))
}

#[cfg(test)]
mod tests;
