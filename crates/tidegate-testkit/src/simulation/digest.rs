//! The fingerprint of a run: everything that was recorded, asked and answered, in order.

use aws_lc_rs::digest::{Context, SHA256};

/// What has been taken in so far.
pub(super) struct Digest(Context);

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest")
    }
}

impl Default for Digest {
    fn default() -> Digest {
        Digest(Context::new(&SHA256))
    }
}

impl Digest {
    /// Takes bytes in, told apart from what comes before and after.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// Sixteen bytes of it, in hexadecimal.
    pub(super) fn finish(self) -> String {
        let hash = self.0.finish();
        hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}
