//! A request that nobody signed is not sent.

use tidegate_core::action::Action;
use tidegate_types::call::WireRequest;

fn send(request: WireRequest) -> Action {
    Action::Send { request }
}

fn main() {}
