//! A signature alone lets nothing leave: it takes the proof that the record is durable, which only
//! the core puts together with it.

use tidegate_core::action::Action;
use tidegate_core::send;
use tidegate_types::call::Warrant;
use tidegate_types::ids::Seq;
use tidegate_types::proof::{Durable, Signed};

fn send_signed(proof: Signed) -> Action {
    Action::Send { request: proof }
}

fn send_both(proof: Signed, durable: &Durable) -> Action {
    let warrant = Warrant::Journalled { seq: Seq(1) };
    Action::Send { request: send::recorded(proof, warrant, Some(durable)).unwrap() }
}

fn main() {}
