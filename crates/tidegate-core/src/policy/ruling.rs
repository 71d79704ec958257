//! A policy with all that its rules count.

use super::Ground;
use super::flow::Flow;
use super::live::{Live, Message};
use super::part::{Part, Who};
use super::values::{coin_price, quote};
use super::worths::Worths;
use crate::gains::Owner;
use crate::orders::{Order, Share, Shift};
use std::collections::BTreeSet;
use tidegate_types::codec::{Codec, CodecError};
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::ids::{AccountName, CallerName, InstrumentId, RuleId};
use tidegate_types::instrument::{Instrument, Price};
use tidegate_types::order::Side;
use tidegate_types::policy::{Each, LimitKind, Policy};
use tidegate_types::report::BalanceReport;
use tidegate_types::time::{Span, Time};

/// How long equity must have stood at a height for drawdown to be measured from there: a venue tells a trade and what that
/// paid within that time.
const HEIGHT_LASTS: Span = Span::from_secs(5);

/// Why something cannot be measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Blind {
    /// With every name in it, for the journal.
    pub(crate) whole: String,
    /// Without the names of what an account holds.
    pub(crate) veiled: String,
    /// Whose holdings the names are of.
    pub(crate) of: Option<AccountName>,
}

impl Blind {
    /// Something that anybody may be told.
    pub(crate) fn open(why: impl Into<String>) -> Blind {
        let whole: String = why.into();
        Blind { veiled: whole.clone(), whole, of: None }
    }

    /// What a caller on an account is told, and what is on record besides.
    pub(crate) fn told_to(self, account: &AccountName) -> (String, Option<String>) {
        match self.of.as_ref().is_some_and(|of| of != account) {
            true => (self.veiled, Some(self.whole)),
            false => (self.whole, None),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ruling {
    pub(crate) policy: Policy,
    pub(crate) rules: Vec<Live>,
    pub(crate) worths: Worths,
}

impl Ruling {
    /// The ruling of a policy. What rules remember that were in the one before stays.
    pub(crate) fn new(policy: &Policy, before: Option<&Ruling>, ground: &Ground<'_>) -> Ruling {
        let mut ruling = Ruling::bare(policy.clone());
        for live in &mut ruling.rules {
            let known = before.into_iter().flat_map(|before| &before.rules);
            if let Some(known) = known.into_iter().find(|known| known.remembers_for(&live.rule)) {
                live.flows = known.flows.clone();
            }
        }
        ruling.recount(ground);
        if let Some(before) = before {
            // What counts otherwise by the new policy, a coin's price say, was neither won nor lost.
            for account in ground.accounts.keys() {
                let more = ruling.worths.equity(account) - before.worths.equity(account);
                ruling.enter(account, more);
            }
        }
        for account in ground.accounts.keys() {
            ruling.stand(ground, account);
        }
        ruling
    }

    fn bare(policy: Policy) -> Ruling {
        let rules = policy.rules().iter().cloned().map(Live::new).collect();
        Ruling { policy, rules, worths: Worths::default() }
    }

    /// Counts all that follows from orders, positions and balances anew.
    pub(crate) fn recount(&mut self, ground: &Ground<'_>) {
        self.worths = Worths::default();
        for live in &mut self.rules {
            live.stocks.clear();
            live.bases.clear();
        }
        for account in ground.accounts.keys() {
            if ground.knows(account) {
                self.worths.fill_wallet(&self.policy, ground, account);
            }
            for (id, _) in ground.positions.books(account) {
                self.value(ground, account, id);
            }
        }
        for (account, id, caller) in ground.attributed.all() {
            self.value_part(ground, (account, caller), id);
        }
        for order in ground.orders.open() {
            let (before, after) = (Share::default(), order.share());
            let side = order.request.side;
            let shift = Shift {
                id: order.id,
                before,
                after,
                filled: 0,
                executions: 0,
                traded: 0,
                price: None,
                side,
            };
            self.shifted(ground, order, &shift);
        }
    }

    /// A message of an order's went out, which these pay for.
    pub(crate) fn message(
        &mut self,
        ground: &Ground<'_>,
        order: &Order,
        (caller, account): (Option<&CallerName>, &AccountName),
        message: Message,
    ) {
        let Some(terms) = ground.instruments.get(&order.request.instrument) else { return };
        let who = Who { account, caller, terms };
        let ordered = super::live::dollars(i128::from(message.ordered), self.quote(terms));
        let ordered = u64::try_from(ordered).unwrap_or(u64::MAX);
        for live in &mut self.rules {
            live.message(who, Message { ordered, ..message }, ground.at);
        }
    }

    /// One order's part in the sums changed. The first rule that stops the order's strategy for it, with that.
    pub(crate) fn shifted(
        &mut self,
        ground: &Ground<'_>,
        order: &Order,
        shift: &Shift,
    ) -> Option<(RuleId, Part)> {
        let terms = ground.instruments.get(&order.request.instrument)?;
        let who = Who { account: &order.account, caller: order.caller.as_ref(), terms };
        let quote = self.quote(terms);
        let mut stopped = None;
        for live in &mut self.rules {
            let part = live.shifted((who, quote), (order, shift), ground.at);
            stopped = stopped.or(part.map(|part| (live.rule.id.clone(), part)));
        }
        stopped
    }

    /// What an account holds of an instrument changed, or what that is worth.
    pub(crate) fn revalue(
        &mut self,
        ground: &Ground<'_>,
        account: &AccountName,
        id: &InstrumentId,
    ) {
        self.value(ground, account, id);
        self.stand(ground, account);
    }

    /// What callers have of an account's in an instrument changed: one's, or everybody's.
    pub(crate) fn revalue_parts(
        &mut self,
        ground: &Ground<'_>,
        account: &AccountName,
        id: &InstrumentId,
    ) {
        if !self.rules.iter().any(Live::is_over_parts) {
            return;
        }
        let had = self.worths.callers.holders(id).into_iter();
        let had = had.filter(|(of, _)| of == account).map(|(_, caller)| caller);
        let have = ground.attributed.callers(account, id).cloned();
        for caller in had.chain(have).collect::<BTreeSet<_>>() {
            self.value_part(ground, (account, &caller), id);
        }
    }

    /// A mark came: what is held of it, and what is priced by it, is worth something else.
    pub(crate) fn marked(&mut self, ground: &Ground<'_>, id: &InstrumentId) {
        for account in self.worths.accounts.holders(id) {
            self.revalue(ground, &account, id);
        }
        for (account, caller) in self.worths.callers.holders(id) {
            self.value_part(ground, (&account, &caller), id);
        }
        for account in self.worths.priced_by(id) {
            self.wallet(ground, &account);
        }
        let prices = |account: &&AccountName| {
            self.worths.wallet(account).and_then(|w| w.missing.as_ref()).is_some()
        };
        let unpriced: Vec<AccountName> = ground.accounts.keys().filter(prices).cloned().collect();
        for account in unpriced {
            self.wallet(ground, &account);
        }
    }

    /// An account's wallet changed. What is known of it for the first time was there before: it moves the
    /// points from where losses are measured.
    pub(crate) fn wallet(&mut self, ground: &Ground<'_>, account: &AccountName) {
        if !ground.knows(account) {
            return;
        }
        let before = self.worths.wallet(account).map(|w| (w.usd, w.missing.is_some()));
        self.worths.fill_wallet(&self.policy, ground, account);
        let after = self.worths.wallet(account).map(|w| (w.usd, w.missing.is_some()));
        match (before, after) {
            (None, _) => self.enter(account, self.worths.equity(account)),
            (Some((partly, true)), Some((wholly, false))) => self.enter(account, wholly - partly),
            _ => {}
        }
        self.stand(ground, account);
    }

    /// Money was paid in or out: it moves the points from where losses are measured, as it moves the equity. Of a coin
    /// without a price that is done once it has one.
    pub(crate) fn paid(
        &mut self,
        ground: &Ground<'_>,
        account: &AccountName,
        change: &BalanceReport,
    ) {
        let price =
            coin_price(&self.policy, ground, &change.asset).filter(|_| ground.knows(account));
        let usd = price.and_then(|price| change.amount.mul(price.price.0, Rounding::Floor).ok());
        if let Some(usd) = usd {
            self.enter(account, i128::from(usd.raw()));
            self.stand(ground, account);
        }
    }

    /// More of an account's equity is known than was, or less.
    fn enter(&mut self, account: &AccountName, more: i128) {
        let more = i64::try_from(more).unwrap_or(i64::MAX);
        for live in self.rules.iter_mut().filter(|live| live.watches_equity()) {
            let part = live.equity_part(account);
            if let Some(flow) = part.and_then(|part| live.flows.get_mut(&part)) {
                flow.enter(more);
            }
        }
    }

    /// What executed too often is counted anew; whether there was such a throttle.
    pub(crate) fn release(
        &mut self,
        rule: &RuleId,
        (caller, instrument, side): (&CallerName, &InstrumentId, Side),
    ) -> bool {
        let live = self.rules.iter_mut().find(|live| live.rule.id == *rule);
        let part = Part::Strategy { caller: caller.clone(), instrument: instrument.clone(), side };
        live.is_some_and(|live| live.flows.remove(&part).is_some())
    }

    /// The equity of a part that a decision may rest on: of accounts that are heard of.
    pub(crate) fn equity_now(
        &self,
        ground: &Ground<'_>,
        live: &Live,
        part: &Part,
    ) -> Result<i64, Blind> {
        self.heard_of(ground, live, part)?;
        self.equity(ground, live, part)
    }

    /// Whether the accounts of a part are heard of.
    pub(crate) fn heard_of(
        &self,
        ground: &Ground<'_>,
        live: &Live,
        part: &Part,
    ) -> Result<(), Blind> {
        let meant = |account: &AccountName| match part {
            Part::Account { name } => name == account,
            _ => live.rule.reach.account.as_ref().is_none_or(|name| name == account),
        };
        let unheard = ground.accounts.iter().find(|(name, account)| {
            !account.open && meant(name) && ground.knows(name) && ground.has_something(name)
        });
        match unheard {
            Some((name, account)) => Err(Blind {
                whole: format!(
                    "{name} is closed, so that what it has is not known: {}",
                    account.why
                ),
                veiled: "another account is closed, so that what it has is not known".to_owned(),
                of: Some(name.clone()),
            }),
            None => Ok(()),
        }
    }

    /// The equity of a part as last heard of, or why it is not known.
    pub(crate) fn equity(
        &self,
        ground: &Ground<'_>,
        live: &Live,
        part: &Part,
    ) -> Result<i64, Blind> {
        let (mut sum, mut known) = (0_i128, false);
        for account in ground.accounts.keys() {
            let meant = match part {
                Part::Account { name } => name == account,
                _ => live.rule.reach.account.as_ref().is_none_or(|name| name == account),
            };
            // What was never open lost nothing, and is no equity to borrow on.
            if !meant || !ground.knows(account) {
                continue;
            }
            known = true;
            if let Some(coin) = self.worths.wallet(account).and_then(|w| w.missing.as_ref()) {
                let rest = "which has no price; peg it in the policy";
                return Err(Blind {
                    whole: format!("{account} holds {coin}, {rest}"),
                    veiled: format!("another account holds a coin {rest}"),
                    of: Some(account.clone()),
                });
            }
            let priced_by = self.worths.wallet(account).into_iter().flat_map(|w| &w.by);
            for id in priced_by {
                let at = ground.marks.get(id).map(|mark| mark.at).unwrap_or_default();
                self.young((account, id), at, ground.at)?;
            }
            if let Some((id, at)) = self.stale(ground, |of, _| of == account) {
                self.young((account, id), at, ground.at)?;
            }
            sum += self.worths.equity(account);
        }
        if !known {
            let why = "no account of it was open yet, so that its equity is not known";
            return Err(Blind::open(why));
        }
        i64::try_from(sum).map_err(|_| Blind::open("the equity is out of range"))
    }

    /// Something held by those meant whose mark is missing or too old.
    pub(crate) fn stale(
        &self,
        ground: &Ground<'_>,
        is_meant: impl Fn(&AccountName, &InstrumentId) -> bool,
    ) -> Option<(&InstrumentId, Time)> {
        self.worths.accounts.stale(ground.at, self.policy.max_mark_age(), is_meant)
    }

    /// Whether the mark of what an account holds is young enough.
    pub(crate) fn young(
        &self,
        (holder, id): (&AccountName, &InstrumentId),
        at: Time,
        now: Time,
    ) -> Result<(), Blind> {
        let (age, most) = (now.since(at), self.policy.max_mark_age());
        let blind = |whole, veiled| Err(Blind { whole, veiled, of: Some(holder.clone()) });
        match at {
            at if at == Time::default() => {
                let rest = "is held and cannot be valued: no mark, or no price of its coin";
                blind(
                    format!("{id} {rest}"),
                    format!("something that another account holds {rest}"),
                )
            }
            _ if age > most => {
                let (age, most) = (age.millis(), most.millis());
                let rest = format!("is {age} ms old, at most {most} ms");
                let veiled = format!("the mark of what another account holds {rest}");
                blind(format!("the mark of {id} {rest}"), veiled)
            }
            _ => Ok(()),
        }
    }

    /// What one of an instrument's quote counts; an order whose quote has no price is refused before it
    /// would count.
    fn quote(&self, terms: &Instrument) -> Price {
        quote(&self.policy, terms).unwrap_or(Price(Decimal::ONE))
    }

    fn value(&mut self, ground: &Ground<'_>, account: &AccountName, id: &InstrumentId) {
        let (before, after) = self.worths.revalue(&self.policy, ground, account, id);
        let Some(terms) = ground.instruments.get(id) else { return };
        if before != after {
            let who = Who { account, caller: None, terms };
            let whole = self.rules.iter_mut().filter(|live| !live.is_of_callers());
            whole.for_each(|live| live.revalued(who, before, after));
        }
    }

    fn value_part(
        &mut self,
        ground: &Ground<'_>,
        (account, caller): (&AccountName, &CallerName),
        id: &InstrumentId,
    ) {
        if !self.rules.iter().any(Live::is_over_parts) {
            return;
        }
        let of = (account, caller);
        let (before, after) = self.worths.revalue_part(&self.policy, ground, of, id);
        let Some(terms) = ground.instruments.get(id) else { return };
        if before != after {
            let who = Who { account, caller: Some(caller), terms };
            let parts = self.rules.iter_mut().filter(|live| live.is_over_parts());
            parts.for_each(|live| live.revalued(who, before, after));
        }
    }

    /// Takes note of what a caller gained, of the rules that watch it.
    pub(crate) fn stand_caller(
        &mut self,
        ground: &Ground<'_>,
        account: &AccountName,
        caller: &CallerName,
    ) {
        for live in self.rules.iter_mut().filter(|live| live.watches_gains()) {
            let Some(part) = live.gains_part(account, caller) else { continue };
            let gained = live.gained(ground, &part);
            let flow = Flow::stand(live.flows.get(&part), gained, live.lasting(), ground.at);
            live.flows.insert(part, flow);
        }
    }

    /// Takes note of what somebody gained on an instrument, of the rules that watch it. What a rule counts is the sum
    /// of it since the rule is there.
    pub(crate) fn gained_on(
        &mut self,
        ground: &Ground<'_>,
        owner: &Owner,
        (id, moved): (&InstrumentId, i64),
    ) {
        let Some(terms) = ground.instruments.get(id) else { return };
        for live in self.rules.iter_mut().filter(|live| live.watches_instruments()) {
            let who = match (owner, live.is_of_callers()) {
                (Owner::Account { name, .. }, false) => Who { account: name, caller: None, terms },
                (Owner::Caller { name, account }, true) => {
                    Who { account, caller: Some(name), terms }
                }
                _ => continue,
            };
            let Some(part) = Part::of(&live.rule, who) else { continue };
            let (lasting, gained) = (live.lasting(), live.gained_there(&part));
            let before = Flow::stand(live.flows.get(&part), gained, lasting, ground.at);
            let gained = gained.saturating_add(moved);
            let flow = Flow::stand(Some(&before), gained, lasting, ground.at);
            live.flows.insert(part, flow);
        }
    }

    /// Takes note of how equity stands, of the rules that watch it.
    fn stand(&mut self, ground: &Ground<'_>, account: &AccountName) {
        let mut notes = Vec::new();
        for (at, live) in self.rules.iter().enumerate() {
            if !live.watches_equity() {
                continue;
            }
            let Some(part) = live.equity_part(account) else { continue };
            if let Ok(equity) = self.equity(ground, live, &part) {
                let flow = Flow::stand(live.flows.get(&part), equity, live.lasting(), ground.at);
                notes.push((at, part, flow));
            }
        }
        for (at, part, flow) in notes {
            if let Some(live) = self.rules.get_mut(at) {
                live.flows.insert(part, flow);
            }
        }
    }
}

impl Live {
    /// Whether it counts what one caller holds, or each.
    pub(crate) fn is_of_callers(&self) -> bool {
        self.rule.is_of_callers()
    }

    /// For how long equity must have stood at a height that drawdown is measured from. What callers won, and what was
    /// won on instruments, is counted from trades alone, so that nothing comes in two pieces.
    pub(crate) fn lasting(&self) -> Span {
        match self.watches_equity() {
            true => HEIGHT_LASTS,
            false => Span::ZERO,
        }
    }

    /// Whether it counts what callers hold of accounts' positions.
    pub(crate) fn is_over_parts(&self) -> bool {
        self.is_of_callers() && self.rule.limit.kind().is_of_parts()
    }

    fn watches_losses(&self) -> bool {
        matches!(self.rule.limit.kind(), LimitKind::DailyLoss | LimitKind::Drawdown)
    }

    fn watches_equity(&self) -> bool {
        self.watches_losses() && !self.is_of_callers() && !self.rule.is_of_instruments()
    }

    /// Whether it is over what callers gain and lose, on whatever they trade.
    pub(crate) fn watches_gains(&self) -> bool {
        self.watches_losses() && self.is_of_callers() && !self.rule.is_of_instruments()
    }

    /// Whether it is over what is gained and lost on some instruments, by accounts or by callers.
    pub(crate) fn watches_instruments(&self) -> bool {
        self.watches_losses() && self.rule.is_of_instruments()
    }

    /// What was gained of such a part since the rule is there.
    pub(crate) fn gained_there(&self, part: &Part) -> i64 {
        match self.flows.get(part) {
            Some(Flow::Equity { last, .. }) => *last,
            _ => 0,
        }
    }

    /// The part of a rule over gains that a caller's on an account belong to.
    pub(crate) fn gains_part(&self, account: &AccountName, caller: &CallerName) -> Option<Part> {
        let part = match self.rule.each {
            Each::Account => Part::Account { name: account.clone() },
            Each::Caller => Part::Caller { name: caller.clone() },
            Each::All | Each::Instrument => Part::All,
        };
        self.has_gains(&part, account, caller).then_some(part)
    }

    /// What callers gained of such a part since it is counted.
    pub(crate) fn gained(&self, ground: &Ground<'_>, part: &Part) -> i64 {
        ground.gains.of(|owner| match owner {
            Owner::Caller { name, account } => self.has_gains(part, account, name),
            Owner::Account { .. } => false,
        })
    }

    fn has_gains(&self, part: &Part, account: &AccountName, caller: &CallerName) -> bool {
        let reach = &self.rule.reach;
        let reached = reach.account.as_ref().is_none_or(|name| name == account)
            && reach.caller.as_ref().is_none_or(|name| name == caller);
        reached
            && match part {
                Part::Account { name } => name == account,
                Part::Caller { name } => name == caller,
                _ => true,
            }
    }

    /// The part of a rule over equity that an account belongs to.
    pub(crate) fn equity_part(&self, account: &AccountName) -> Option<Part> {
        let reach = &self.rule.reach;
        if reach.account.as_ref().is_some_and(|name| name != account) {
            return None;
        }
        Some(match self.rule.each {
            Each::Account => Part::Account { name: account.clone() },
            _ => Part::All,
        })
    }
}

impl Codec for Ruling {
    fn encode(&self, out: &mut Vec<u8>) {
        self.policy.encode(out);
        for live in &self.rules {
            live.flows.encode(out);
        }
    }

    /// Stocks are to be counted anew.
    fn decode(input: &mut &[u8]) -> Result<Ruling, CodecError> {
        let mut ruling = Ruling::bare(Policy::decode(input)?);
        for live in &mut ruling.rules {
            live.flows = Codec::decode(input)?;
        }
        Ok(ruling)
    }

    fn show(&self, out: &mut String) {
        self.policy.show(out);
    }
}
