//! What goes without a record while the journal cannot be written: kept beside it, and put on record
//! at the next start.

use crate::call::OrderRef;
use crate::codec_enum;
use crate::grant::Scope;
use crate::ids::{AccountName, PersonName};
use crate::record::Canceller;

/// Something that went without a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Emergency {
    /// A halt was pulled, or was in force when the journal failed.
    Halted {
        /// Who.
        by: PersonName,
        /// Of what.
        scope: Scope,
        /// Why.
        reason: String,
        /// Orders that reduce a position still pass.
        allow_reduce: bool,
    },
    /// A cancel was sent, or was about to be.
    Cancelled {
        /// On which account.
        account: AccountName,
        /// Which order, as the venue was told.
        order: OrderRef,
        /// Who asked.
        by: Canceller,
    },
    /// A halt that closes positions as well was pulled, or had not closed them all when the journal
    /// failed. Its `Halted` comes before.
    Flattening {
        /// Who.
        by: PersonName,
        /// Of what.
        scope: Scope,
    },
}
codec_enum!(Emergency {
    0 => Halted { by, scope, reason, allow_reduce },
    1 => Cancelled { account, order, by },
    2 => Flattening { by, scope },
});
