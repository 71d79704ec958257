//! A trade that a soft rule lets pass for once.

use crate::codec_struct;
use crate::ids::{AccountName, CallerName, ExceptionId, InstrumentId, RuleId};
use crate::instrument::Qty;
use crate::order::Side;
use crate::time::Time;

/// A single order that passes soft rules by name. It is used up by the first order that needs it, whatever
/// becomes of that one; who gave it stands in the record that did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exception {
    /// What people call it; never used twice.
    pub id: ExceptionId,
    /// Whose order.
    pub caller: CallerName,
    /// On which account.
    pub account: AccountName,
    /// Of what.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How much, at most.
    pub max_qty: Qty,
    /// Which rules it passes, soft ones all.
    pub rules: Vec<RuleId>,
    /// Why.
    pub why: String,
    /// When it is good no more.
    pub expires: Time,
}
codec_struct!(Exception { id, caller, account, instrument, side, max_qty, rules, why, expires });
