//! Recovery codes: ten texts on paper for the day the authenticator is lost.
//!
//! Each has 120 bits, above the 112 from which SP 800-63B asks for no slow hash, so that checking one
//! costs nothing worth exhausting.

use super::assurance::{Factor, Shown};
use super::base32;
use super::hidden::{Hidden, OneTimeText, sha256};
use tidegate_types::codec_struct;
use tidegate_types::time::Time;
use zeroize::Zeroizing;

/// How many codes a person is given at a time.
pub const CODES: usize = 10;
/// Random bytes in one code.
const CODE_BYTES: usize = 15;
/// Random bytes for one set of codes.
pub const RANDOM_BYTES: usize = CODES * CODE_BYTES;

/// The codes that a person has left, as digests.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct RecoveryCodes {
    unused: Vec<Hidden<32>>,
}
codec_struct!(RecoveryCodes { unused });

/// New codes, to be shown once.
#[derive(Debug)]
pub struct FreshCodes(Vec<OneTimeText>);

impl RecoveryCodes {
    /// Ten new codes, which replace all before. `random` must be fresh from the system's generator.
    pub fn issue(random: &[u8; RANDOM_BYTES]) -> (RecoveryCodes, FreshCodes) {
        let texts: Vec<Zeroizing<String>> =
            random.chunks_exact(CODE_BYTES).map(|r| Zeroizing::new(base32::encode(r))).collect();
        let unused = texts.iter().map(|text| digest_of(text)).collect();
        let fresh = texts.iter().map(|text| OneTimeText::new(in_groups(text))).collect();
        (RecoveryCodes { unused }, FreshCodes(fresh))
    }

    /// Takes a code. The value must be stored before the answer is given: the code is gone from it.
    /// `None` when it is none of those left.
    pub fn spend(&mut self, typed: &str, now: Time) -> Option<Shown> {
        let tidy = Zeroizing::new(base32::tidy(typed));
        let digest = digest_of(&tidy);
        let before = self.unused.len();
        // Every one is compared: `retain` does not stop at the first.
        self.unused.retain(|code| *code != digest);
        (self.unused.len() < before).then(|| Shown::new(Factor::RecoveryCode, now))
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.unused.len()
    }
}

impl FreshCodes {
    /// The codes, in groups of four letters.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(OneTimeText::expose)
    }
}

fn digest_of(code: &str) -> Hidden<32> {
    Hidden::new(sha256(code.as_bytes()))
}

fn in_groups(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for (i, c) in text.chars().enumerate() {
        if i > 0 && i % 4 == 0 {
            out.push('-');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests;
