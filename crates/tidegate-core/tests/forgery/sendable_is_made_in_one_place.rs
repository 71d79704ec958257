//! What may leave cannot be put together by hand.

use tidegate_core::send::Sendable;
use tidegate_types::call::WireRequest;
use tidegate_types::ids::CallId;

fn forge(request: WireRequest) -> Sendable {
    Sendable { call: CallId(1), request }
}

fn main() {}
