//! What every account holds, in dollars: kept running, so that no decision walks positions.

use super::Ground;
use super::values::{coin_price, gain, unit_value};
use crate::exposure::worst;
use crate::orders::worth;
use crate::positions::Book;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::ids::{AccountName, CallerName, Currency, InstrumentId};
use tidegate_types::instrument::{Instrument, Kind, Price, Qty};
use tidegate_types::policy::Policy;
use tidegate_types::time::{Span, Time};

/// What a position with its open orders may come to be worth, in dollars of 10⁻⁸.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Worth {
    /// On its worse side.
    pub(crate) gross: i128,
    /// If everything open that raises it traded, what reduces too, signed: puts fall by being bought.
    pub(crate) up: i128,
    /// If everything open that lowers it traded, what reduces too, signed.
    pub(crate) down: i128,
    /// Won on it and not in the wallet yet.
    pub(crate) gain: i128,
}

impl Worth {
    /// Of a book of an instrument, at what a unit is worth.
    pub(crate) fn of(book: Book, terms: &Instrument, unit: Price) -> Worth {
        let (highest, lowest) = match is_put(terms) {
            true => (-book.lowest(), -book.highest()),
            false => (book.highest(), book.lowest()),
        };
        let (up, down) = (signed(highest, unit), signed(lowest, unit));
        Worth { gross: worst(book, None, unit), up, down, gain: 0 }
    }
}

/// Whether holding it is to be short of what it is on.
pub(crate) fn is_put(terms: &Instrument) -> bool {
    matches!(terms.kind, Kind::Option { call: false, .. })
}

/// What a quantity in 10⁻⁸ is worth, rounded away from zero.
pub(crate) fn signed(qty: i128, unit: Price) -> i128 {
    let raw = i64::try_from(qty.unsigned_abs()).unwrap_or(i64::MAX);
    let value = worth(Qty(Decimal::from_raw(raw)), unit);
    if qty < 0 { -value } else { value }
}

/// What is in an account's wallet, in dollars of 10⁻⁸.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Wallet {
    pub(crate) usd: i128,
    /// A coin that cannot be priced.
    pub(crate) missing: Option<Currency>,
    /// The perpetuals by whose index its coins are priced.
    pub(crate) by: BTreeSet<InstrumentId>,
}

/// What is held of each instrument by each of its holders, and by how young a mark it is valued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Held<K> {
    held: BTreeMap<InstrumentId, BTreeMap<K, Worth>>,
    /// When what is held was valued by; the beginning of time where it cannot be.
    at: BTreeMap<InstrumentId, Time>,
    ages: BTreeSet<(Time, InstrumentId)>,
}

impl<K> Default for Held<K> {
    fn default() -> Held<K> {
        Held { held: BTreeMap::new(), at: BTreeMap::new(), ages: BTreeSet::new() }
    }
}

/// A caller's part of an account's.
pub(crate) type Partner = (AccountName, CallerName);

/// What all accounts hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Worths {
    pub(crate) accounts: Held<AccountName>,
    /// Callers' parts of it, where a rule is over those.
    pub(crate) callers: Held<Partner>,
    wallets: BTreeMap<AccountName, Wallet>,
    gains: BTreeMap<AccountName, i128>,
}

impl Worths {
    pub(crate) fn wallet(&self, account: &AccountName) -> Option<&Wallet> {
        self.wallets.get(account)
    }

    /// The wallet and what is won on positions.
    pub(crate) fn equity(&self, account: &AccountName) -> i128 {
        self.wallets.get(account).map_or(0, |wallet| wallet.usd)
            + self.gains.get(account).copied().unwrap_or(0)
    }

    /// Values an instrument that an account holds anew; what it was worth and is worth.
    pub(crate) fn revalue(
        &mut self,
        policy: &Policy,
        ground: &Ground<'_>,
        account: &AccountName,
        id: &InstrumentId,
    ) -> (Worth, Worth) {
        let book = ground.positions.book(account, id);
        let won = || {
            let (terms, mark) = (ground.instruments.get(id)?, ground.marks.get(id)?);
            let entry = ground.entries.of(account, id);
            gain(policy, terms, mark, Decimal::from_raw(book.position), entry)
        };
        let won = won().map_or(0, |won| i128::from(won.raw()));
        let (before, after) = self.accounts.revalue((policy, ground), account, id, (book, won));
        let won = self.gains.get(account).copied().unwrap_or(0) + after.gain - before.gain;
        match won {
            0 => drop(self.gains.remove(account)),
            won => drop(self.gains.insert(account.clone(), won)),
        }
        (before, after)
    }

    /// Values a caller's part of it anew.
    pub(crate) fn revalue_part(
        &mut self,
        policy: &Policy,
        ground: &Ground<'_>,
        (account, caller): (&AccountName, &CallerName),
        id: &InstrumentId,
    ) -> (Worth, Worth) {
        let book = ground.attributed.book(account, caller, id);
        let key = (account.clone(), caller.clone());
        self.callers.revalue((policy, ground), &key, id, (book, 0))
    }

    /// Values an account's wallet anew.
    pub(crate) fn fill_wallet(
        &mut self,
        policy: &Policy,
        ground: &Ground<'_>,
        account: &AccountName,
    ) {
        let mut wallet = Wallet::default();
        for (coin, amount) in ground.balances.of(account) {
            let price = coin_price(policy, ground, coin);
            let worth = price.as_ref().and_then(|p| amount.mul(p.price.0, Rounding::Floor).ok());
            match worth {
                Some(usd) => wallet.usd += i128::from(usd.raw()),
                None => wallet.missing = Some(coin.clone()),
            }
            wallet.by.extend(price.and_then(|price| price.by));
        }
        self.wallets.insert(account.clone(), wallet);
    }

    /// The accounts whose wallets are priced by an instrument's index.
    pub(crate) fn priced_by(&self, instrument: &InstrumentId) -> Vec<AccountName> {
        let priced = self.wallets.iter().filter(|(_, wallet)| wallet.by.contains(instrument));
        priced.map(|(account, _)| account.clone()).collect()
    }
}

impl<K: Ord + Clone> Held<K> {
    pub(crate) fn of(&self, holder: &K, instrument: &InstrumentId) -> Worth {
        let held = self.held.get(instrument).and_then(|held| held.get(holder));
        held.copied().unwrap_or_default()
    }

    /// Whether somebody holds an instrument.
    pub(crate) fn holds(&self, holder: &K, instrument: &InstrumentId) -> bool {
        self.held.get(instrument).is_some_and(|held| held.contains_key(holder))
    }

    /// Who holds an instrument.
    pub(crate) fn holders(&self, instrument: &InstrumentId) -> Vec<K> {
        self.held.get(instrument).into_iter().flat_map(BTreeMap::keys).cloned().collect()
    }

    /// An instrument that one of those meant holds and whose mark is missing or too old.
    pub(crate) fn stale(
        &self,
        now: Time,
        most: Span,
        is_meant: impl Fn(&K, &InstrumentId) -> bool,
    ) -> Option<(&InstrumentId, Time)> {
        let old = self.ages.iter().take_while(|(at, _)| at.plus(most) < now);
        old.map(|(at, id)| (id, *at)).find(|(id, _)| {
            let held = self.held.get(*id).into_iter().flat_map(BTreeMap::keys);
            held.into_iter().any(|holder| is_meant(holder, id))
        })
    }

    /// Values what somebody holds anew, on which so much is won; what it was worth and is worth.
    fn revalue(
        &mut self,
        (policy, ground): (&Policy, &Ground<'_>),
        holder: &K,
        id: &InstrumentId,
        (book, won): (Book, i128),
    ) -> (Worth, Worth) {
        let before = self.of(holder, id);
        if book == Book::default() {
            self.forget(holder, id);
            return (before, Worth::default());
        }
        let known = ground.instruments.get(id).zip(ground.marks.get(id));
        let valued = known.and_then(|(terms, mark)| {
            let worth = Worth::of(book, terms, unit_value(policy, terms, mark)?);
            Some((Worth { gain: won, ..worth }, mark.at))
        });
        let (after, at) = valued.unwrap_or_default();
        self.held.entry(id.clone()).or_default().insert(holder.clone(), after);
        if let Some(old) = self.at.insert(id.clone(), at) {
            self.ages.remove(&(old, id.clone()));
        }
        self.ages.insert((at, id.clone()));
        (before, after)
    }

    fn forget(&mut self, holder: &K, id: &InstrumentId) {
        let Some(held) = self.held.get_mut(id) else { return };
        held.remove(holder);
        if held.is_empty() {
            self.held.remove(id);
            if let Some(old) = self.at.remove(id) {
                self.ages.remove(&(old, id.clone()));
            }
        }
    }
}
