//! Settlements: some venues pay what positions made into the wallet once a day and leave their average entry as
//! it was. From then on what is not paid yet counts from the price of the settlement.
//!
//! A price counts once for each position: what is traded afterwards is averaged in as ever.

use crate::Core;
use crate::action::Action;
use crate::reconcile::ROWS;
use crate::state::State;
use std::collections::BTreeMap;
use tidegate_types::codec_newtype;
use tidegate_types::ids::{AccountName, InstrumentId};
use tidegate_types::instrument::Price;
use tidegate_types::record::Body;
use tidegate_types::report::Settlement;
use tidegate_types::time::Time;

/// The last settlement that each position was held over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Settlements(BTreeMap<AccountName, BTreeMap<InstrumentId, Price>>);
codec_newtype!(Settlements);

impl Settlements {
    fn of(&self, account: &AccountName, instrument: &InstrumentId) -> Option<Price> {
        self.0.get(account)?.get(instrument).copied()
    }
}

impl Core {
    /// Takes the settlements that a snapshot shows and that have not counted yet. Where the position differs, its
    /// correction comes first.
    pub(crate) fn settlements_shown(
        &mut self,
        account: &AccountName,
        shown: &[Settlement],
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(watch) = self.watches.get(account) else { return };
        let is_new = |settlement: &&Settlement| {
            let instrument = &settlement.instrument;
            let held = self.state.positions.book(account, instrument).position != 0;
            let known = self.state.settlements.of(account, instrument);
            held && known != Some(settlement.price) && !watch.suspects.contains_key(instrument)
        };
        let new: Vec<Settlement> = shown.iter().filter(is_new).cloned().collect();
        for settlements in new.chunks(ROWS) {
            let (account, settlements) = (account.clone(), settlements.to_vec());
            self.append(Body::SettledAt { account, settlements }, now, out);
        }
    }
}

/// What an account holds counts from these prices.
pub(crate) fn fold(state: &mut State, account: &AccountName, settlements: &[Settlement]) {
    let positions = &state.positions;
    let known = state.settlements.0.entry(account.clone()).or_default();
    known.retain(|instrument, _| positions.book(account, instrument).position != 0);
    for Settlement { instrument, price } in settlements {
        known.insert(instrument.clone(), *price);
    }
    for Settlement { instrument, price } in settlements {
        state.entered(account, instrument, *price);
    }
}
