//! The proofs of the gates cannot be named outside the crate, let alone made.

use tidegate_core::authorize::Authorized;
use tidegate_core::risk::Cleared;
use tidegate_core::shape::Shaped;

fn main() {}
