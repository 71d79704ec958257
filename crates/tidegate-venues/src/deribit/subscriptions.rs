//! What one caller's session is subscribed to, and what of a message it is told.

use super::channels::{Channel, Private, channel};
use super::{pass, rpc};
use crate::front::Viewer;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Most channels of one session.
pub(crate) const MAX_CHANNELS: usize = 1000;

/// The channels of one session.
#[derive(Default, Debug)]
pub(crate) struct Subscriptions {
    private: BTreeMap<String, Private>,
    /// The caller's names for each of the venue's public channels.
    public: BTreeMap<String, BTreeSet<String>>,
}

/// A list of channels, sorted into what has to be done for it.
#[derive(Default, Debug)]
pub(crate) struct Wanted {
    /// The names in the caller's order.
    names: Vec<String>,
    private: Vec<Private>,
    public: Vec<(String, String)>,
    /// Whether one of them is for callers that are logged in.
    pub(crate) raw: bool,
}

impl Wanted {
    /// Sorts the channels that a caller names.
    pub(crate) fn new(names: &[&str]) -> Wanted {
        let mut wanted = Wanted::default();
        for name in names.iter().map(|name| (*name).to_owned()) {
            match channel(&name) {
                Channel::Private(private) => wanted.private.push(private),
                Channel::Public { upstream, raw } => {
                    wanted.raw |= raw;
                    wanted.public.push((upstream, name.clone()));
                }
                Channel::None => continue,
            }
            wanted.names.push(name);
        }
        wanted
    }

    /// Leaves the private channels out.
    pub(crate) fn public_only(mut self) -> Wanted {
        let private: BTreeSet<String> = self.private.drain(..).map(|one| one.name).collect();
        self.names.retain(|name| !private.contains(name));
        self
    }

    /// The venue's names of the public channels.
    pub(crate) fn upstream(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self.public.iter().map(|(upstream, _)| upstream).collect();
        names.into_iter().cloned().collect()
    }
}

impl Subscriptions {
    /// How many channels there are.
    pub(crate) fn len(&self) -> usize {
        self.private.len() + self.public.values().map(BTreeSet::len).sum::<usize>()
    }

    /// How many a list would add at most.
    pub(crate) fn fits(&self, wanted: &Wanted) -> bool {
        self.len() + wanted.names.len() <= MAX_CHANNELS
    }

    /// The public channels of a list that are subscribed at the venue already, under another name:
    /// a book tells its state only when subscribed anew.
    pub(crate) fn to_renew(&self, wanted: &Wanted) -> Vec<String> {
        let other = |(upstream, name): &&(String, String)| {
            self.public.get(upstream).is_some_and(|names| !names.contains(name))
        };
        wanted.public.iter().filter(other).map(|(upstream, _)| upstream.clone()).collect()
    }

    /// Adds the private channels, and the public ones that the venue confirmed. The names that are
    /// subscribed now, in the caller's order, and the portfolio channels that are new.
    pub(crate) fn add(&mut self, wanted: Wanted, confirmed: &[String]) -> (Value, Vec<Private>) {
        let mut there = BTreeSet::new();
        for (upstream, name) in wanted.public {
            if confirmed.contains(&upstream) {
                self.public.entry(upstream).or_default().insert(name.clone());
                there.insert(name);
            }
        }
        let mut portfolios = Vec::new();
        for private in wanted.private {
            there.insert(private.name.clone());
            if private.is_portfolio() && !self.private.contains_key(&private.name) {
                portfolios.push(private.clone());
            }
            self.private.insert(private.name.clone(), private);
        }
        let names = wanted.names.into_iter().filter(|name| there.contains(name));
        (names.map(Value::from).collect(), portfolios)
    }

    /// Takes channels away: the names that were subscribed, and the venue's names of those public
    /// ones that nobody is left for.
    pub(crate) fn remove(&mut self, wanted: &Wanted) -> (Value, Vec<String>) {
        let mut gone = BTreeSet::new();
        let mut upstream_gone = Vec::new();
        for private in &wanted.private {
            if self.private.remove(&private.name).is_some() {
                gone.insert(private.name.clone());
            }
        }
        for (upstream, name) in &wanted.public {
            let Some(names) = self.public.get_mut(upstream) else { continue };
            if names.remove(name) {
                gone.insert(name.clone());
            }
            if names.is_empty() {
                self.public.remove(upstream);
                upstream_gone.push(upstream.clone());
            }
        }
        let names = wanted.names.iter().filter(|name| gone.contains(*name));
        (names.map(|name| Value::from(name.as_str())).collect(), upstream_gone)
    }

    /// Takes all away.
    pub(crate) fn clear(&mut self) {
        *self = Subscriptions::default();
    }

    /// The caller's names for a public channel.
    pub(crate) fn public_names(&self, upstream: &str) -> impl Iterator<Item = &str> {
        self.public.get(upstream).into_iter().flatten().map(String::as_str)
    }

    /// The messages that a frame of the account's stream becomes for this caller. The venue bundles
    /// messages of `100ms` and `agg2`; here each is told at once, in the bundled form.
    pub(crate) fn told(&self, frame: &Value, viewer: &Viewer<'_>) -> Vec<String> {
        let params = frame.get("params");
        let from = params.and_then(|params| params.get("channel")).and_then(Value::as_str);
        let data = params.and_then(|params| params.get("data"));
        let (Some(from), Some(data)) = (from, data) else { return Vec::new() };
        if !self.private.values().any(|private| private.follows(from)) {
            return Vec::new();
        }
        let mut visible = data.clone();
        if !pass::restore(&mut visible, viewer, false) {
            return Vec::new();
        }
        let followers = self.private.values().filter(|private| private.follows(from));
        followers.flat_map(|private| one_told(private, &visible)).collect()
    }

    /// The state of currencies as the portfolio channels tell it: summaries without the limits.
    pub(crate) fn portfolio(of: &[Private], summaries: &[Value]) -> Vec<String> {
        let mut told = Vec::new();
        for private in of {
            for summary in summaries {
                let mut summary = summary.clone();
                if let Some(fields) = summary.as_object_mut() {
                    fields.shift_remove("limits");
                }
                let currency = summary.get("currency").and_then(Value::as_str);
                if private.tells_currency(currency.unwrap_or_default()) {
                    told.push(rpc::notification(&private.name, summary));
                }
            }
        }
        told
    }
}

fn one_told(private: &Private, data: &Value) -> Vec<String> {
    let word = |row: &Value, name: &str| {
        row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    if private.is_portfolio() {
        let ours = private.tells_currency(&word(data, "currency"));
        return ours.then(|| rpc::notification(&private.name, data.clone())).into_iter().collect();
    }
    let rows = match data {
        Value::Array(rows) if private.lists() => rows.as_slice(),
        one => std::slice::from_ref(one),
    };
    let ours = rows.iter().filter(|row| private.tells_instrument(&word(row, "instrument_name")));
    if private.one_order() || !private.lists() {
        return ours
            .filter(|row| !is_empty(row))
            .map(|row| rpc::notification(&private.name, row.clone()))
            .collect();
    }
    let rows: Vec<Value> = ours.cloned().collect();
    if rows.is_empty() {
        return Vec::new();
    }
    vec![rpc::notification(&private.name, Value::Array(rows))]
}

/// A change of which nothing is left: it was another caller's.
fn is_empty(row: &Value) -> bool {
    let lists = ["orders", "trades", "positions"];
    let empty =
        |name: &str| row.get(name).is_none_or(|list| list.as_array().is_some_and(Vec::is_empty));
    !row.as_object().is_some_and(|row| row.contains_key("order_id"))
        && lists.iter().all(|l| empty(l))
}

#[cfg(test)]
mod tests;
