//! What markets show of themselves: best prices, depth, volume. Rules read it, so it is on record.

use crate::Core;
use crate::action::Action;
use crate::state::State;
use tidegate_types::ids::InstrumentId;
use tidegate_types::limits::LIQUIDITY_INTERVAL;
use tidegate_types::policy::Liquidity;
use tidegate_types::proof::Authenticated;
use tidegate_types::record::Body;
use tidegate_types::reject::Code;
use tidegate_types::time::Time;

/// Most facts in one record, so that none outgrows the journal's longest.
const FACTS: usize = 200;

impl Core {
    /// Puts on record what is of known instruments and not too soon after the last.
    pub(crate) fn liquidity(&mut self, facts: Vec<Liquidity>, now: Time, out: &mut Vec<Action>) {
        let due = |fact: &Liquidity| {
            let last = self.state.liquidity.get(&fact.instrument);
            self.state.instruments.contains_key(&fact.instrument)
                && last.is_none_or(|last| {
                    let tells_more = last.volume.is_none() && fact.volume.is_some();
                    fact.at >= last.at.plus(LIQUIDITY_INTERVAL) || tells_more && fact.at > last.at
                })
        };
        let due: Vec<Liquidity> = facts.into_iter().filter(due).collect();
        for facts in due.chunks(FACTS) {
            self.append(Body::Liquidity { facts: facts.to_vec() }, now, out);
        }
    }
}

impl Core {
    /// Has the server follow the market of an order where a rule reads what it shows. `refused` is what became of the
    /// order: who may not trade the instrument at all asks for nothing.
    pub(crate) fn ask_for_market(
        &self,
        who: &Authenticated,
        instrument: &InstrumentId,
        refused: Option<Code>,
        out: &mut Vec<Action>,
    ) {
        let judged = refused.is_none_or(|code| {
            matches!(code, Code::PolicyUnmeasured | Code::PolicyLimit | Code::SoftLimit)
        });
        let terms = self.state.instruments.get(instrument);
        if judged && terms.is_some_and(|terms| self.state.policies().reads_market(who, terms)) {
            out.push(Action::FollowMarket { instrument: instrument.clone() });
        }
    }
}

/// Takes note of a fact.
pub(crate) fn fold(state: &mut State, fact: &Liquidity) {
    state.liquidity.insert(fact.instrument.clone(), fact.clone());
}
