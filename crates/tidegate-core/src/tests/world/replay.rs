//! The same again from its records, and what must hold at every moment.

use super::*;
use crate::positions::Positions;
use tidegate_types::ids::Seq;

impl World {
    /// A core made of the first records alone.
    pub(in crate::tests) fn replayed(&self, records: usize) -> Core {
        let mut core = Core::new(self.core.settings.clone());
        for (at, record) in self.journal.iter().take(records).enumerate() {
            core.replay(Seq(at as u64), record);
        }
        core
    }

    /// The gateway is killed: what was not flushed is gone, what had left may arrive.
    pub(in crate::tests) fn kill(&mut self, arrives: bool) {
        self.journal.truncate(self.flushed as usize);
        self.core = self.replayed(self.journal.len());
        for call in std::mem::take(&mut self.to_send) {
            if arrives {
                let _ = self.venue.arrive(&call.body, self.now);
            }
        }
        self.to_sign.clear();
        self.signed.clear();
        self.to_read.clear();
        self.trades_to_read.clear();
        self.venue.stream.clear();
        self.start();
    }

    /// What must hold at every moment.
    pub(in crate::tests) fn check(&self) {
        let state = self.core.state();
        let recount = Positions::counted(state.positions().iter(), state.orders());
        assert!(state.positions().same(&recount), "{:?}\n{recount:?}", state.positions());
        assert_eq!(state.attributed, state.counted_parts(), "a caller's orders count otherwise");
        if state.gains.are_counted() {
            let all = state.attributed.all();
            let held = |(account, instrument, caller): (&_, &_, &_)| {
                state.attributed.book(account, caller, instrument).position
            };
            let parts: std::collections::BTreeMap<_, _> =
                all.map(|of| (of, held(of))).filter(|(_, qty)| *qty != 0).collect();
            assert_eq!(state.gains.parts().collect::<std::collections::BTreeMap<_, _>>(), parts);
        }
        assert!(state.exposures.same(&state.counted_exposures()), "{:?}", state.exposures);
        let policies = state.policies();
        assert_eq!(*policies, state.counted_policies(), "a rule counts what is not there");
        for (client, times) in &self.venue.arrivals {
            assert_eq!(*times, 1, "{client} arrived {times} times");
        }
    }

    pub(in crate::tests) fn check_replay(&self) {
        let replayed = self.replayed(self.journal.len());
        assert!(replayed.state_bytes() == self.core.state_bytes(), "replay differs");
        assert!(replayed.state().positions().same(self.core.state().positions()));
        // The same from a saved state and the records after it.
        let half = self.journal.len() / 2;
        let saved = self.replayed(half).state_bytes();
        let mut core =
            Core::restored(self.core.settings.clone(), Seq(half as u64), &saved).unwrap();
        assert!(core.state_bytes() == saved, "a saved state comes back otherwise");
        for (at, record) in self.journal.iter().enumerate().skip(half) {
            core.replay(Seq(at as u64), record);
        }
        assert!(core.state_bytes() == replayed.state_bytes(), "replay from a saved state differs");
        assert!(core.state().positions().same(replayed.state().positions()));
        assert!(core.state().exposures.same(&replayed.state().exposures));
    }
}
