//! The same signature does not let two requests leave.

use tidegate_core::send;
use tidegate_types::proof::Signed;

fn twice(proof: Signed) {
    let _ = send::unrecorded(proof);
    let _ = send::unrecorded(proof);
}

fn main() {}
