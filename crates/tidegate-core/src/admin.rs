//! What the administration and the venues' public side tell.

use crate::Core;
use crate::action::Action;
use crate::breakers;
use crate::{options, people, policy};
use tidegate_types::app::App;
use tidegate_types::approval::Act;
use tidegate_types::grant::{AccountLimits, Grant};
use tidegate_types::ids::{AccountName, CallerName, VenueName};
use tidegate_types::instrument::{Instrument, Mark};
use tidegate_types::key::{Replaced, VirtualKey};
use tidegate_types::limits::{
    MAX_APP_BYTES, MAX_APPS, MAX_KEY_OVERLAP, MAX_KEYS_OF_CALLER, MAX_REPEAT_WINDOW,
};
use tidegate_types::record::{Body, Change};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// Rows in one record, so that it stays below the longest a record may be.
const INSTRUMENTS: usize = 100;
const MARKS: usize = 400;

impl Core {
    /// Whether what is asked can be carried out as things are.
    pub(crate) fn makes_sense(&self, act: &Act) -> Result<(), Reject> {
        let change = match act {
            Act::Change { change } => change,
            Act::Resume { scope, .. } if self.state.halts.contains_key(scope) => return Ok(()),
            Act::Resume { scope, .. } => {
                return Err(absent_to(&format!("no halt of {scope} is in force")));
            }
        };
        match change {
            Change::DeskSet { .. } | Change::AlarmsSeen { .. } | Change::ApproveBySet { .. } => {
                Ok(())
            }
            Change::PersonSet { .. }
            | Change::PersonRemoved { .. }
            | Change::PersonInvited { .. }
            | Change::CallerShared { .. }
            | Change::CallerUnshared { .. }
            | Change::ApprovalsSet { .. } => people::make_sense(&self.state, change),
            Change::AccountAdded { account, .. } => {
                absent(self.state.accounts.contains_key(account), "account", account.as_str())
            }
            Change::CallerAdded { caller } => {
                absent(self.state.callers.contains_key(caller), "caller", caller.as_str())
            }
            Change::VenueKeyImported { account, .. } | Change::OwnerSet { account, .. } => {
                self.account(account).map(|_| ())
            }
            // What is set before its account is there holds from its first order on.
            Change::SelfTradeSet { .. } => Ok(()),
            Change::KeyAdded { key, replaces } => self.key_makes_sense(key, replaces.as_ref()),
            Change::KeyRevoked { id } => {
                present(self.state.keys.contains_key(id), "key", id.as_str())
            }
            Change::GrantSet { grant } => self.grant_makes_sense(grant),
            Change::GrantRemoved { caller, account } => {
                let there = self.state.grant(caller, account).is_some();
                present(there, "grant", &format!("{caller} on {account}"))
            }
            Change::AppSet { app } => self.app_makes_sense(app),
            Change::AppRevoked { app } => {
                let there = self.state.apps.get(app).is_some_and(|app| !app.revoked);
                present(there, "app", app.as_str())
            }
            change @ (Change::PolicySet { .. }
            | Change::PolicyRemoved
            | Change::PolicyPut { .. }
            | Change::PolicyTaken { .. }
            | Change::ShadowSet { .. }
            | Change::ShadowRemoved
            | Change::ShadowPut { .. }
            | Change::ShadowTaken { .. }
            | Change::ThrottleFreed { .. }
            | Change::OverrideSet { .. }
            | Change::OverrideRemoved { .. }
            | Change::ThrottleReleased { .. }) => policy::makes_sense(&self.state, change),
            Change::LimitsSet { limits } => self.limits_make_sense(limits),
            Change::BreakerSet { .. }
            | Change::BreakerRemoved { .. }
            | Change::BreakerHalfOpened { .. }
            | Change::BreakerClosed { .. }
            | Change::BreakerReset { .. } => breakers::make_sense(&self.state, change),
            Change::OptionLimitsSet { limits } => {
                self.account(&limits.account)?;
                options::make_sense(limits)
            }
            Change::OptionLimitsRemoved { account } => {
                let known = self.state.option_limits.contains_key(account);
                present(known, "limits of options of account", account.as_str())
            }
        }
    }

    fn account(&self, name: &AccountName) -> Result<&crate::state::Account, Reject> {
        let found = self.state.accounts.get(name);
        found.ok_or_else(|| Reject::new(Code::BadParameter, format!("there is no account {name}")))
    }

    fn caller(&self, name: &CallerName) -> Result<(), Reject> {
        present(self.state.callers.contains_key(name), "caller", name.as_str())
    }

    fn key_makes_sense(&self, key: &VirtualKey, replaces: Option<&Replaced>) -> Result<(), Reject> {
        absent(self.state.keys.contains_key(&key.id), "key", key.id.as_str())?;
        self.caller(&key.caller)?;
        self.at_venue(&key.account, &key.venue)?;
        self.room_for_key(&key.caller)?;
        replaces.map_or(Ok(()), |replaced| self.replaceable(key, replaced))
    }

    fn grant_makes_sense(&self, grant: &Grant) -> Result<(), Reject> {
        self.caller(&grant.caller)?;
        self.at_venue(&grant.account, &grant.venue)?;
        not_negative(&[
            grant.max_order_notional.0,
            grant.max_open_notional.0,
            grant.max_daily_notional.unwrap_or_default().0,
        ])
    }

    fn limits_make_sense(&self, limits: &AccountLimits) -> Result<(), Reject> {
        self.account(&limits.account)?;
        not_negative(&[
            limits.max_order_notional.0,
            limits.max_open_notional.0,
            limits.max_position_notional.0,
            limits.max_exposure.0,
        ])?;
        if limits.repeat_window > MAX_REPEAT_WINDOW {
            let most = MAX_REPEAT_WINDOW.millis();
            let detail = format!("a repeat window above {most} ms");
            return Err(Reject::new(Code::OutOfRange, detail));
        }
        self.may_have_dead_man(limits)
    }

    fn app_makes_sense(&self, app: &App) -> Result<(), Reject> {
        self.caller(&app.caller)?;
        let known = self.state.apps.get(&app.caller);
        if known.is_some_and(|known| known.revoked) {
            let detail = format!("{} was an app that is no more; take another name", app.caller);
            return Err(Reject::new(Code::BadParameter, detail));
        }
        if app.bytes() > MAX_APP_BYTES || (known.is_none() && self.state.apps.len() >= MAX_APPS) {
            return Err(Reject::new(Code::OutOfRange, "its terms are too long, or too many apps"));
        }
        Ok(())
    }

    fn room_for_key(&self, caller: &CallerName) -> Result<(), Reject> {
        let theirs = self.state.keys.values().filter(|known| known.key.caller == *caller);
        if theirs.count() < MAX_KEYS_OF_CALLER {
            return Ok(());
        }
        let detail = format!("{caller} had {MAX_KEYS_OF_CALLER} keys; add another caller");
        Err(Reject::new(Code::OutOfRange, detail))
    }

    /// Whether a key may take the place of another one: only of one that does the same.
    fn replaceable(&self, key: &VirtualKey, replaced: &Replaced) -> Result<(), Reject> {
        let old = self.state.keys.get(&replaced.key).filter(|old| !old.revoked);
        let seat = |key: &VirtualKey| (key.caller.clone(), key.account.clone());
        let there = old.is_some_and(|old| seat(&old.key) == seat(key));
        present(there, "key in force", replaced.key.as_str())?;
        if replaced.overlap > MAX_KEY_OVERLAP {
            let most = MAX_KEY_OVERLAP.millis() / 86_400_000;
            return Err(Reject::new(Code::OutOfRange, format!("an overlap above {most} days")));
        }
        Ok(())
    }

    fn at_venue(&self, account: &AccountName, venue: &VenueName) -> Result<(), Reject> {
        let at = &self.account(account)?.venue;
        if at == venue {
            return Ok(());
        }
        Err(Reject::new(Code::WrongVenue, format!("account {account} is at {at}")))
    }

    /// Records the terms that are new or changed.
    pub(crate) fn instruments(
        &mut self,
        venue: &VenueName,
        instruments: Vec<Instrument>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let new =
            |i: &Instrument| i.id.venue == *venue && self.state.instruments.get(&i.id) != Some(i);
        let news: Vec<_> = instruments.into_iter().filter(new).collect();
        for part in news.chunks(INSTRUMENTS) {
            let body = Body::Instruments { venue: venue.clone(), instruments: part.to_vec() };
            self.append(body, now, out);
        }
    }

    pub(crate) fn marks(&mut self, marks: Vec<Mark>, now: Time, out: &mut Vec<Action>) {
        // A mark is never newer than its arrival, whatever the venue's clock says, or it would hold
        // off every later one and never be stale.
        let arrived = |mark: Mark| Mark { at: mark.at.min(now), ..mark };
        let newer = |mark: &Mark| {
            self.state.marks.get(&mark.instrument).is_none_or(|known| mark.at > known.at)
        };
        let mut marks: Vec<_> = marks.into_iter().map(arrived).filter(newer).collect();
        while !marks.is_empty() {
            let rest = marks.split_off(marks.len().min(MARKS));
            self.append(Body::Marks { marks }, now, out);
            marks = rest;
        }
    }
}

pub(crate) fn present(there: bool, what: &str, name: &str) -> Result<(), Reject> {
    if there {
        return Ok(());
    }
    Err(Reject::new(Code::BadParameter, format!("there is no {what} {name}")))
}

/// What is said of what is not there, or not there for who asks.
pub(crate) fn absent_to(what: &str) -> Reject {
    Reject::new(Code::BadParameter, what)
}

fn absent(there: bool, what: &str, name: &str) -> Result<(), Reject> {
    if !there {
        return Ok(());
    }
    Err(Reject::new(Code::BadParameter, format!("there is a {what} {name} already")))
}

fn not_negative(amounts: &[tidegate_types::Decimal]) -> Result<(), Reject> {
    if amounts.iter().any(|amount| amount.is_negative()) {
        return Err(Reject::new(Code::OutOfRange, "a limit below zero"));
    }
    Ok(())
}
