//! A proof is used once.

use tidegate_core::send::Sendable;
use tidegate_types::proof::{Authenticated, Durable, Signed};

fn copy<T: Clone>() {}

fn main() {
    copy::<Authenticated>();
    copy::<Durable>();
    copy::<Signed>();
    copy::<Sendable>();
}
