//! Orders of one owner that would trade with each other: found before the newer one is sent, over all
//! callers of an account and over all accounts of one owner at the venue.
//!
//! `resting` is an index of what is open by price, `reach` says how far a new order goes at once, `apart`
//! does what the account's mode asks for, and `waits` holds an order until others are cancelled before it.

mod apart;
mod reach;
mod resting;
mod waits;

pub(crate) use resting::Resting;
pub(crate) use waits::{Asker, Waits};

use crate::orders::Order;
use crate::state::State;
use std::collections::BTreeMap;
use tidegate_types::codec_struct;
use tidegate_types::ids::{AccountName, OwnerName};
use tidegate_types::order::NewOrder;
use tidegate_types::record::Change;
use tidegate_types::self_trade::SelfTradeMode;
use tidegate_types::time::Time;

/// Which accounts belong together, and what each does with orders that would meet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SelfTrades {
    modes: BTreeMap<AccountName, SelfTradeMode>,
    owners: BTreeMap<AccountName, OwnerName>,
}
codec_struct!(SelfTrades { modes, owners });

impl SelfTrades {
    /// What an account does with an order that would trade with one of the same owner.
    pub fn mode(&self, account: &AccountName) -> SelfTradeMode {
        self.modes.get(account).copied().unwrap_or_default()
    }

    /// Whom an account belongs to, where that is said.
    pub fn owner(&self, account: &AccountName) -> Option<&OwnerName> {
        self.owners.get(account)
    }

    /// The account, and the others of its owner.
    fn together<'a>(
        &'a self,
        account: &'a AccountName,
    ) -> impl Iterator<Item = &'a AccountName> + use<'a> {
        let owner = self.owner(account);
        let others = self.owners.iter().filter(move |(other, of)| {
            *other != account && owner.is_some_and(|owner| owner == *of)
        });
        std::iter::once(account).chain(others.map(|(other, _)| other))
    }

    /// Folds a change of modes or owners in.
    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::SelfTradeSet { account, mode } => {
                self.modes.insert(account.clone(), *mode);
            }
            Change::OwnerSet { account, owner: Some(owner) } => {
                self.owners.insert(account.clone(), owner.clone());
            }
            Change::OwnerSet { account, owner: None } => {
                self.owners.remove(account);
            }
            _ => {}
        }
    }
}

impl State {
    /// Which accounts belong together, and what each does with orders that would meet.
    pub fn self_trades(&self) -> &SelfTrades {
        &self.self_trades
    }

    /// The open orders of the same owner with which an order of this account would trade at once, those
    /// it meets first before the others.
    pub(crate) fn met_by<'a>(
        &'a self,
        account: &'a AccountName,
        order: &NewOrder,
        now: Time,
    ) -> Vec<&'a Order> {
        let Some(reach) = reach::of(self, order, now) else { return Vec::new() };
        let mark = self.marks.get(&order.instrument);
        let accounts = self.self_trades.together(account);
        let mut met: Vec<_> = accounts
            .flat_map(|other| {
                let reach = if other == account { reach.own } else { reach.others };
                self.resting.met(other, &order.instrument, (order.side, reach), mark)
            })
            .collect();
        met.sort_by_key(|(distance, id)| (*distance, *id));
        met.into_iter().filter_map(|(_, id)| self.orders.get(id)).collect()
    }
}
