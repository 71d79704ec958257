//! What the channels tell: rows as they stand, by what happened since.

use super::super::approvals::Behind;
use super::super::halts;
use super::super::lists::{self, Fill, OrderFilter};
use super::super::orders::Order;
use super::super::page::{MOST, Page, Wanted};
use super::super::problem::Problem;
use super::super::reads;
use super::messages::{Channel, Message, News, Waiting};
use crate::clock;
use serde_json::Value;
use std::collections::BTreeSet;
use tidegate_core::news::Piece;
use tidegate_core::orders::Order as Known;
use tidegate_core::state::State;
use tidegate_identity::Named;
use tidegate_types::ids::OrderId;
use tidegate_types::proof::Authenticated;

/// Who follows.
pub(super) struct Viewer {
    pub(super) who: Authenticated,
    pub(super) behind: Behind,
    /// It sees every order of the account.
    pub(super) wide: bool,
}

/// What happened to the orders that somebody may see.
pub(super) struct Happened {
    pub(super) orders: Vec<Order>,
    pub(super) fills: Vec<Fill>,
    /// The number of the piece of news after these.
    pub(super) next: u64,
    /// There is more.
    pub(super) more: bool,
}

impl Happened {
    /// The messages of the wanted channels. There is none about nothing.
    pub(super) fn told(self, viewer: &Viewer, wanted: impl Fn(Channel) -> bool) -> Vec<Message> {
        let Happened { orders, fills, next, .. } = self;
        let orders = (wanted(Channel::Orders) && !orders.is_empty())
            .then(|| Message::Orders(viewer.news(next, false, orders)));
        let fills = (wanted(Channel::Fills) && !fills.is_empty())
            .then(|| Message::Fills(viewer.news(next, false, fills)));
        orders.into_iter().chain(fills).collect()
    }
}

impl Viewer {
    fn sees(&self, order: &Known) -> bool {
        let who = &self.who;
        order.account == *who.account()
            && (self.wide || order.caller.as_ref() == Some(who.caller()))
    }

    /// What happened from piece `from` on and before `until`; `None` when that is not known any more. An order
    /// that changed more than once is there once, as it stands now.
    pub(super) fn since(&self, state: &State, from: u64, until: u64) -> Option<Happened> {
        let table = state.orders();
        let news = table.news();
        let (mut changed, mut fills, mut next) = (BTreeSet::new(), Vec::new(), from);
        for piece in news.since(from)?.take(MOST) {
            if next >= until {
                break;
            }
            next += 1;
            match piece {
                Piece::Order(id) => drop(changed.insert(*id)),
                Piece::Trade(place) => {
                    let order = table.get(place.1).filter(|order| self.sees(order));
                    let traded = order.and_then(|order| Some((order, order.trades.get(&place.2)?)));
                    if let Some((order, trade)) = traded {
                        fills.push(Fill::of(order, &place.2, trade));
                    }
                }
            }
        }
        let orders = changed.into_iter().filter_map(|id: OrderId| table.get(id));
        let orders = orders.filter(|order| self.sees(order)).map(Order::from).collect();
        Some(Happened { orders, fills, next, more: next < news.next().min(until) })
    }

    /// A page of the open orders.
    pub(super) fn open(&self, state: &State, cursor: Option<&str>) -> Result<Page<Order>, Problem> {
        let filter = OrderFilter { open: Some(true), ..OrderFilter::default() };
        let page = Wanted { limit: MOST, ..Wanted::read(lists::ORDERS, None, cursor)? };
        lists::orders(state, &Named::from(&self.who), self.wide, &filter, &page)
    }

    /// A page of a channel that is told as a whole, and the cursor of the next; `None` for another channel.
    pub(super) fn whole(
        &self,
        state: &State,
        channel: Channel,
        cursor: Option<&str>,
    ) -> Option<(Message, Option<String>)> {
        let named = Named::from(&self.who);
        let page = |list| {
            let wanted = Wanted::read(list, None, cursor).ok();
            Wanted { limit: MOST, after: wanted.and_then(|wanted| wanted.after) }
        };
        let seq = state.orders().news().next();
        let mut next = None;
        let message = match channel {
            Channel::Orders | Channel::Fills => return None,
            Channel::Positions => {
                let rows = reads::positions(state, &named, &page(reads::POSITIONS));
                next = rows.next;
                let more = next.is_some();
                Message::Positions(News { more, ..self.news(seq, true, rows.items) })
            }
            Channel::Balances => {
                let rows = reads::balances(state, &named, &page(reads::BALANCES));
                next = rows.next;
                let more = next.is_some();
                Message::Balances(News { more, ..self.news(seq, true, rows.items) })
            }
            Channel::Limits => {
                let limits = reads::limits(state, &self.who, clock::now()).ok();
                Message::Limits(self.news(seq, true, limits.into_iter().collect()))
            }
            Channel::Halts => {
                Message::Halts(self.news(seq, true, halts::halts(state, &self.who).items))
            }
            Channel::Approvals => {
                let waiting = state.approvals().waiting();
                let count = waiting.filter(|request| self.behind.sees(state, &self.who, request));
                let waiting = u32::try_from(count.count()).unwrap_or(u32::MAX);
                Message::Approvals(self.news(seq, true, vec![Waiting { waiting }]))
            }
        };
        Some((message, next))
    }

    /// Rows of a channel.
    pub(super) fn news<T>(&self, seq: u64, whole: bool, items: Vec<T>) -> News<T> {
        let account = self.who.account().to_string();
        News { account, seq: seq.to_string(), whole, more: false, items }
    }
}

/// What of a message is news: neither its number nor what moves with the marks.
pub(super) fn substance(message: &Message) -> Value {
    let mut value = serde_json::to_value(message).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.remove("seq");
        let rows = object.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten();
        for row in rows.filter_map(Value::as_object_mut) {
            for moving in ["notional", "last_mark", "exposure"] {
                row.remove(moving);
            }
        }
    }
    value
}
