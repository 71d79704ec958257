//! What the desk needs of the signer.

use tidegate_types::call::{Call, Warrant};
use tidegate_types::proof::Signed;
use tidegate_types::reject::Reject;

/// Takes the answer of the signer.
pub type Done = Box<dyn FnOnce(Result<Signed, Reject>) + Send>;

/// Signs calls in another process.
pub trait Signer: Send + Sync {
    /// Asks for a signature. Calls reach the signer in the order of these calls; `done` is called
    /// once, later, from any thread, and never from inside `sign`.
    fn sign(&self, call: Call, warrant: Warrant, done: Done);
}
