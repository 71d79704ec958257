//! The last gate: nothing is sent that is not signed, and nothing that changes the venue is sent
//! before its record is durable.

use tidegate_types::call::{CallClass, Warrant, WireRequest};
use tidegate_types::ids::CallId;
use tidegate_types::proof::{Durable, Signed};

/// A request that may leave. Only this file makes one.
#[derive(Debug)]
pub struct Sendable {
    call: CallId,
    request: WireRequest,
}

impl Sendable {
    /// Which call.
    pub fn call(&self) -> CallId {
        self.call
    }

    /// The request, to be written out.
    pub fn into_request(self) -> WireRequest {
        self.request
    }
}

/// Lets a recorded call leave once the flush covers its record; gives it back until then.
pub(crate) fn recorded(
    signed: Signed,
    warrant: Warrant,
    durable: Option<&Durable>,
) -> Result<Sendable, Signed> {
    let covered = match warrant {
        Warrant::Journalled { seq } => durable.is_some_and(|durable| seq < durable.end()),
        Warrant::Emergency => signed.class() == CallClass::Cancel,
        Warrant::Unrecorded => changes_nothing(signed.class()),
    };
    if covered { Ok(release(signed)) } else { Err(signed) }
}

/// Lets a read or a session call leave; gives anything else back.
pub fn unrecorded(signed: Signed) -> Result<Sendable, Signed> {
    if changes_nothing(signed.class()) { Ok(release(signed)) } else { Err(signed) }
}

fn changes_nothing(class: CallClass) -> bool {
    match class {
        CallClass::Read | CallClass::Session => true,
        CallClass::New | CallClass::Amend | CallClass::Cancel | CallClass::Setting => false,
    }
}

fn release(signed: Signed) -> Sendable {
    Sendable { call: signed.call(), request: signed.into_request() }
}
