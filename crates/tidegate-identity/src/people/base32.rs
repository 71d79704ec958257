//! Base 32 of RFC 4648, which people can type and authenticator apps read.

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The text of `bytes`, without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity((bytes.len() * 8).div_ceil(5));
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8 | u32::from(*byte)) & 0xfff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(letter(held >> bits));
        }
    }
    if bits > 0 {
        out.push(letter(held << (5 - bits)));
    }
    out
}

/// What was typed, as `encode` would have written it: letters that the alphabet lacks because they
/// are taken for others become those, and what separates groups goes.
pub(crate) fn tidy(typed: &str) -> String {
    let letters = typed.chars().filter(|c| !matches!(c, '-' | ' ' | '\t' | '\u{2013}'));
    letters
        .map(|c| match c.to_ascii_uppercase() {
            '0' => 'O',
            '1' => 'I',
            '8' => 'B',
            other => other,
        })
        .collect()
}

fn letter(index: u32) -> char {
    ALPHABET.get((index & 31) as usize).copied().map_or('A', char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_the_standard_s_examples() {
        // RFC 4648, section 10, padding left off.
        let examples = [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ];
        for (bytes, text) in examples {
            assert_eq!(encode(bytes.as_bytes()), text);
        }
        assert_eq!(encode(&[0xff; 5]), "77777777");
    }

    #[test]
    fn typed_text_is_read_with_lenience() {
        assert_eq!(tidy("mzxw-6ytb 01-8"), "MZXW6YTBOIB");
    }
}
