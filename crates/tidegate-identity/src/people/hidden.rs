//! Secret values of a fixed length, and texts that are shown once.

use crate::constant_time::equal;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use tidegate_types::codec::{Codec, CodecError};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` bytes that are wiped when dropped and never printed. Their byte form is theirs, so what holds
/// one belongs into the sealed store alone.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Hidden<const N: usize>([u8; N]);

/// A text that its owner sees once: wiped when dropped, never printed.
#[derive(PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct OneTimeText(String);

impl<const N: usize> Hidden<N> {
    /// Takes the bytes over.
    pub fn new(bytes: [u8; N]) -> Hidden<N> {
        Hidden(bytes)
    }

    pub(crate) fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> PartialEq for Hidden<N> {
    /// Takes the same time wherever they differ.
    fn eq(&self, other: &Hidden<N>) -> bool {
        equal(&self.0, &other.0)
    }
}

impl<const N: usize> Eq for Hidden<N> {}

impl<const N: usize> Codec for Hidden<N> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Hidden<N>, CodecError> {
        Codec::decode(input).map(Hidden)
    }

    fn show(&self, out: &mut String) {
        out.push_str("\"[secret]\"");
    }
}

impl<const N: usize> fmt::Debug for Hidden<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl OneTimeText {
    pub(crate) fn new(text: String) -> OneTimeText {
        OneTimeText(text)
    }

    /// 43 characters that are good in a URL, a header and a cookie.
    pub(crate) fn of_random(random: &[u8; 32]) -> OneTimeText {
        OneTimeText(URL_SAFE_NO_PAD.encode(random))
    }

    /// The text, for the one answer that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OneTimeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest::digest(&digest::SHA256, bytes).as_ref()) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests;
