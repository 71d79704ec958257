//! One deterministic byte form for everything that is journalled, hashed or sent to the signer.
//!
//! Integers are LEB128 (signed ones zigzag first), text is a length and UTF-8, an option is 0 or 1
//! and the value, a list is a count and the items, a struct is its fields in order, and an enum is
//! the number of its variant and its fields. Variants are only ever appended. The same definitions
//! print a value as JSON for people (`show`).

use crate::decimal::Decimal;
use crate::text::{escape, is_hidden};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Why bytes could not be read back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodecError {
    /// The input ends inside a value.
    Truncated,
    /// A value is not one that is ever written: an unknown variant, bad text, an overlong number.
    Malformed,
    /// Bytes are left after the value.
    TrailingBytes,
}

/// A value with one byte form.
pub trait Codec: Sized {
    /// Appends the byte form.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads a value off the front of `input`.
    fn decode(input: &mut &[u8]) -> Result<Self, CodecError>;
    /// Appends the value as JSON.
    fn show(&self, out: &mut String);
}

/// The byte form of a value.
pub fn to_bytes<T: Codec>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    value.encode(&mut out);
    out
}

/// The value that `bytes` are the whole form of.
pub fn from_bytes<T: Codec>(mut bytes: &[u8]) -> Result<T, CodecError> {
    let value = T::decode(&mut bytes)?;
    if bytes.is_empty() { Ok(value) } else { Err(CodecError::TrailingBytes) }
}

/// The value as JSON text.
pub fn to_json<T: Codec>(value: &T) -> String {
    let mut out = String::new();
    value.show(&mut out);
    out
}

/// Appends `text` as a JSON string.
pub fn show_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_hidden(c) => escape(c, out),
            c => out.push(c),
        }
    }
    out.push('"');
}

impl std::fmt::Display for CodecError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            CodecError::Truncated => "the value is cut short",
            CodecError::Malformed => "the value is malformed",
            CodecError::TrailingBytes => "bytes are left after the value",
        })
    }
}

impl std::error::Error for CodecError {}

impl Codec for u64 {
    fn encode(&self, out: &mut Vec<u8>) {
        let mut left = *self;
        while left >= 0x80 {
            out.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        out.push(left as u8);
    }

    fn decode(input: &mut &[u8]) -> Result<u64, CodecError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = input.split_first().ok_or(CodecError::Truncated)?;
            *input = rest;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(CodecError::Malformed);
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                // A longer form of the same number would give one value two byte forms.
                return if part == 0 && shift > 0 { Err(CodecError::Malformed) } else { Ok(value) };
            }
        }
        Err(CodecError::Malformed)
    }

    fn show(&self, out: &mut String) {
        let _ = write!(out, "{self}");
    }
}

impl Codec for i64 {
    fn encode(&self, out: &mut Vec<u8>) {
        ((self << 1) ^ (self >> 63)).cast_unsigned().encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<i64, CodecError> {
        let folded = u64::decode(input)?;
        Ok((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    fn show(&self, out: &mut String) {
        let _ = write!(out, "{self}");
    }
}

macro_rules! small_unsigned {
    ($($t:ty),*) => {$(
        impl Codec for $t {
            fn encode(&self, out: &mut Vec<u8>) {
                u64::from(*self).encode(out);
            }
            fn decode(input: &mut &[u8]) -> Result<$t, CodecError> {
                <$t>::try_from(u64::decode(input)?).map_err(|_| CodecError::Malformed)
            }
            fn show(&self, out: &mut String) {
                let _ = write!(out, "{self}");
            }
        }
    )*};
}
small_unsigned!(u8, u16, u32);

impl Codec for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn decode(input: &mut &[u8]) -> Result<bool, CodecError> {
        match u64::decode(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError::Malformed),
        }
    }

    fn show(&self, out: &mut String) {
        let _ = write!(out, "{self}");
    }
}

impl Codec for Decimal {
    fn encode(&self, out: &mut Vec<u8>) {
        self.raw().encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Decimal, CodecError> {
        i64::decode(input).map(Decimal::from_raw)
    }

    fn show(&self, out: &mut String) {
        let _ = write!(out, "\"{self}\"");
    }
}

/// Appends a length and the bytes.
pub fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    (bytes.len() as u64).encode(out);
    out.extend_from_slice(bytes);
}

/// Reads a length and that many bytes off the front of `input`.
pub fn decode_bytes<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], CodecError> {
    let length = usize::try_from(u64::decode(input)?).map_err(|_| CodecError::Malformed)?;
    let (bytes, rest) = input.split_at_checked(length).ok_or(CodecError::Truncated)?;
    *input = rest;
    Ok(bytes)
}

/// Bytes that another part reads; shown in hexadecimal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Octets(pub Vec<u8>);

impl Codec for Octets {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_bytes(&self.0, out);
    }

    fn decode(input: &mut &[u8]) -> Result<Octets, CodecError> {
        decode_bytes(input).map(|bytes| Octets(bytes.to_vec()))
    }

    fn show(&self, out: &mut String) {
        out.push('"');
        for byte in &self.0 {
            let _ = write!(out, "{byte:02x}");
        }
        out.push('"');
    }
}

impl Codec for String {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_bytes(self.as_bytes(), out);
    }

    fn decode(input: &mut &[u8]) -> Result<String, CodecError> {
        let bytes = decode_bytes(input)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| CodecError::Malformed)
    }

    fn show(&self, out: &mut String) {
        show_text(self, out);
    }
}

impl Codec for Arc<str> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_bytes(self.as_bytes(), out);
    }

    fn decode(input: &mut &[u8]) -> Result<Arc<str>, CodecError> {
        let bytes = decode_bytes(input)?;
        std::str::from_utf8(bytes).map(Arc::from).map_err(|_| CodecError::Malformed)
    }

    fn show(&self, out: &mut String) {
        show_text(self, out);
    }
}

impl<const N: usize> Codec for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn decode(input: &mut &[u8]) -> Result<[u8; N], CodecError> {
        let (bytes, rest) = input.split_first_chunk::<N>().ok_or(CodecError::Truncated)?;
        *input = rest;
        Ok(*bytes)
    }

    fn show(&self, out: &mut String) {
        out.push('"');
        for byte in self {
            let _ = write!(out, "{byte:02x}");
        }
        out.push('"');
    }
}

impl<T: Codec> Codec for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.encode(out);
            }
        }
    }

    fn decode(input: &mut &[u8]) -> Result<Option<T>, CodecError> {
        match u64::decode(input)? {
            0 => Ok(None),
            1 => T::decode(input).map(Some),
            _ => Err(CodecError::Malformed),
        }
    }

    fn show(&self, out: &mut String) {
        match self {
            None => out.push_str("null"),
            Some(value) => value.show(out),
        }
    }
}

impl<T: Codec> Codec for Box<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        (**self).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Box<T>, CodecError> {
        T::decode(input).map(Box::new)
    }

    fn show(&self, out: &mut String) {
        (**self).show(out);
    }
}

impl<T: Codec> Codec for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).encode(out);
        for item in self {
            item.encode(out);
        }
    }

    fn decode(input: &mut &[u8]) -> Result<Vec<T>, CodecError> {
        let count = usize::try_from(u64::decode(input)?).map_err(|_| CodecError::Malformed)?;
        // Every item takes a byte at least, so a count above what is left cannot be honest.
        if count > input.len() {
            return Err(CodecError::Truncated);
        }
        (0..count).map(|_| T::decode(input)).collect()
    }

    fn show(&self, out: &mut String) {
        out.push('[');
        for (i, item) in self.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            item.show(out);
        }
        out.push(']');
    }
}

impl<K: Codec + Ord, V: Codec> Codec for BTreeMap<K, V> {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).encode(out);
        for (key, value) in self {
            key.encode(out);
            value.encode(out);
        }
    }

    fn decode(input: &mut &[u8]) -> Result<BTreeMap<K, V>, CodecError> {
        let count = usize::try_from(u64::decode(input)?).map_err(|_| CodecError::Malformed)?;
        if count > input.len() {
            return Err(CodecError::Truncated);
        }
        (0..count).map(|_| Ok((K::decode(input)?, V::decode(input)?))).collect()
    }

    fn show(&self, out: &mut String) {
        out.push('[');
        for (i, (key, value)) in self.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            out.push('[');
            key.show(out);
            out.push(',');
            value.show(out);
            out.push(']');
        }
        out.push(']');
    }
}

impl<A: Codec, B: Codec> Codec for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<(A, B), CodecError> {
        Ok((A::decode(input)?, B::decode(input)?))
    }

    fn show(&self, out: &mut String) {
        out.push('[');
        self.0.show(out);
        out.push(',');
        self.1.show(out);
        out.push(']');
    }
}

/// Gives a struct its byte form: `codec_struct!(Point { x, y });`. Every field must be listed.
#[macro_export]
macro_rules! codec_struct {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::codec::Codec for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                let $name { $($field),* } = self;
                $($crate::codec::Codec::encode($field, out);)*
                let _ = out;
            }
            fn decode(input: &mut &[u8]) -> Result<Self, $crate::codec::CodecError> {
                $(let $field = $crate::codec::Codec::decode(input)?;)*
                let _ = input;
                Ok($name { $($field),* })
            }
            fn show(&self, out: &mut String) {
                let $name { $($field),* } = self;
                out.push('{');
                let mut _first = true;
                $(
                    if !std::mem::replace(&mut _first, false) { out.push(','); }
                    $crate::codec::show_text(stringify!($field), out);
                    out.push(':');
                    $crate::codec::Codec::show($field, out);
                )*
                out.push('}');
            }
        }
    };
}

/// Gives an enum its byte form: `codec_enum!(Shape { 0 => Dot, 1 => Circle { radius } });`.
/// Variants have named fields or none; numbers are for ever.
#[macro_export]
macro_rules! codec_enum {
    ($name:ident { $($tag:literal => $variant:ident $({ $($field:ident),* $(,)? })?),* $(,)? }) => {
        impl $crate::codec::Codec for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $($name::$variant $({ $($field),* })? => {
                        let tag: u64 = $tag;
                        $crate::codec::Codec::encode(&tag, out);
                        $($($crate::codec::Codec::encode($field, out);)*)?
                    })*
                }
            }
            fn decode(input: &mut &[u8]) -> Result<Self, $crate::codec::CodecError> {
                let tag: u64 = $crate::codec::Codec::decode(input)?;
                match tag {
                    $($tag => {
                        $($(let $field = $crate::codec::Codec::decode(input)?;)*)?
                        Ok($name::$variant $({ $($field),* })?)
                    })*
                    _ => Err($crate::codec::CodecError::Malformed),
                }
            }
            fn show(&self, out: &mut String) {
                match self {
                    $($name::$variant $({ $($field),* })? => {
                        let mut _bare = true;
                        $($(
                            out.push_str(if std::mem::replace(&mut _bare, false) {
                                concat!("{\"", stringify!($variant), "\":{")
                            } else { "," });
                            $crate::codec::show_text(stringify!($field), out);
                            out.push(':');
                            $crate::codec::Codec::show($field, out);
                        )*)?
                        if _bare {
                            $crate::codec::show_text(stringify!($variant), out);
                        } else {
                            out.push_str("}}");
                        }
                    })*
                }
            }
        }
    };
}

/// Gives a one-field wrapper the byte form of what it wraps: `codec_newtype!(Price);`.
#[macro_export]
macro_rules! codec_newtype {
    ($($name:ident),* $(,)?) => {$(
        impl $crate::codec::Codec for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                $crate::codec::Codec::encode(&self.0, out);
            }
            fn decode(input: &mut &[u8]) -> Result<Self, $crate::codec::CodecError> {
                $crate::codec::Codec::decode(input).map($name)
            }
            fn show(&self, out: &mut String) {
                $crate::codec::Codec::show(&self.0, out);
            }
        }
    )*};
}

#[cfg(test)]
mod tests;
