//! What the gateway serves of its own at the main listener, beside the venues' routes.
//!
//! It runs on the event loop's thread: what takes longer than a millisecond goes aside.

use crate::desk::Desk;
use crate::edge::plain_refusal;
use std::sync::Arc;
use tidegate_identity::Ledger;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{RawRequest, Reply};

/// Everything that is no venue's.
pub struct Web {}

impl Web {
    /// What is served before this desk, `ledger` being who is calling as the journal tells it.
    pub fn new(_desk: Arc<Desk>, _ledger: Ledger) -> Web {
        Web {}
    }

    /// The answer to a request, by the first word of its path.
    pub async fn answer(&self, _request: RawRequest) -> Reply {
        plain_refusal(&Reject::new(Code::UnknownRoute, "nothing is served at this path"))
    }
}
