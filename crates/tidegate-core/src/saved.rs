//! The state as bytes and back, so that a start need not replay the whole journal. What follows from
//! the rest (sums, indexes) is not in the bytes; everything that decides anything is.

use crate::orders::{Order, Orders};
use crate::positions::Positions;
use crate::state::State;
use tidegate_types::codec::{Codec, CodecError};
use tidegate_types::ids::{AccountName, InstrumentId};
use tidegate_types::instrument::SignedQty;

/// The fields whose byte form is their own, in order.
macro_rules! kept {
    ($($field:ident,)+) => {
        fn encode_kept(state: &State, out: &mut Vec<u8>) {
            $(state.$field.encode(out);)+
        }

        fn decode_kept(input: &mut &[u8]) -> Result<State, CodecError> {
            Ok(State { $($field: Codec::decode(input)?,)+ ..State::default() })
        }
    };
}
kept! {
    desk, epoch, accounts, callers, keys, grants, ever_on, limits, instruments, marks, halts, halts_pulled,
    caller_buckets, account_buckets, refusals, calls, next_order, next_call, guards, recent,
    alarms, balances, lost_books, people, approvals, approve_by, apps, invitations, daily,
    self_trades, venue_terms,
    liquidity, breakers, gains, clocks, option_limits, option_quotes, policies, entries,
    venue_margins, settlements, attributed,
}

impl State {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        encode_kept(self, out);
        self.orders.next_done().encode(out);
        (self.orders.iter().count() as u64).encode(out);
        for order in self.orders.iter() {
            order.encode(out);
        }
        (self.positions.iter().count() as u64).encode(out);
        for (account, instrument, qty) in self.positions.iter() {
            account.encode(out);
            instrument.encode(out);
            qty.encode(out);
        }
    }

    pub(crate) fn decode(input: &mut &[u8]) -> Result<State, CodecError> {
        let mut state = decode_kept(input)?;
        let next_done = u64::decode(input)?;
        let count = u64::decode(input)?;
        let orders = (0..count).map(|_| Order::decode(input)).collect::<Result<Vec<_>, _>>()?;
        state.orders = Orders::restored(orders, next_done);
        state.orders.open().for_each(|order| state.resting.follow(order));
        let mut held = Vec::new();
        for _ in 0..u64::decode(input)? {
            let account = AccountName::decode(input)?;
            let instrument = InstrumentId::decode(input)?;
            held.push((account, instrument, SignedQty::decode(input)?));
        }
        let held = held.iter().map(|(account, instrument, qty)| (account, instrument, *qty));
        state.positions = Positions::counted(held, &state.orders);
        state.attributed.rest(&state.orders);
        state.exposures = state.counted_exposures();
        state.portfolios = state.counted_portfolios();
        state.recount_policies();
        Ok(state)
    }
}
