//! How long the RSA keys of others must be. Keys of other kinds have 128 bits of security as they are.

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

/// Fewest bits of an RSA key that is taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RsaBits(usize);

impl RsaBits {
    /// 3072: 128 bits of security (SP 800-57 part 1 revision 5, table 2).
    pub const DEFAULT: RsaBits = RsaBits(3072);
    /// 2048: 112 bits of security, the fewest that FAPI 2.0 allows (5.4.1).
    pub const FEWEST: RsaBits = RsaBits(2048);
    /// The most that anybody can be asked for: longer keys are not taken as keys of apps.
    pub const MOST: RsaBits = RsaBits(4096);

    /// That many, if it is from `FEWEST` to `MOST`.
    pub fn new(bits: usize) -> Option<RsaBits> {
        let asked = RsaBits(bits);
        (RsaBits::FEWEST..=RsaBits::MOST).contains(&asked).then_some(asked)
    }

    /// Whether a modulus, big-endian, has as many bits.
    pub(crate) fn are_in(self, modulus: &[u8]) -> bool {
        let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
        let digits = modulus.get(zeros..).unwrap_or_default();
        let missing = digits.first().map_or(0, |first| first.leading_zeros() as usize);
        digits.len() * 8 - missing >= self.0
    }

    /// Whether the key of a certificate is of another kind, or has as many bits. What is no certificate has no
    /// key that could.
    pub fn are_in_certificate(self, der: &[u8]) -> bool {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else { return false };
        match certificate.public_key().parsed() {
            Ok(PublicKey::RSA(key)) => self.are_in(key.modulus),
            Ok(_) => true,
            Err(_) => false,
        }
    }

    /// Whether the RSA key in `der`, a `SubjectPublicKeyInfo` or an `RSAPublicKey`, has as many bits. None
    /// when it is neither.
    pub(crate) fn are_in_key(self, der: &[u8]) -> Option<bool> {
        if let Ok((_, info)) = SubjectPublicKeyInfo::from_der(der) {
            return match info.parsed() {
                Ok(PublicKey::RSA(key)) => Some(self.are_in(key.modulus)),
                Ok(_) | Err(_) => None,
            };
        }
        let (_, key) = RSAPublicKey::from_der(der).ok()?;
        Some(self.are_in(key.modulus))
    }
}

impl Default for RsaBits {
    fn default() -> RsaBits {
        RsaBits::DEFAULT
    }
}

impl std::fmt::Display for RsaBits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_highest_one() {
        let modulus = |first: u8, rest: usize| [&[0, first], vec![7; rest].as_slice()].concat();
        assert!(RsaBits::DEFAULT.are_in(&modulus(0x80, 383)));
        assert!(!RsaBits::DEFAULT.are_in(&modulus(0x7f, 383)));
        assert!(!RsaBits::DEFAULT.are_in(&modulus(0x80, 255)));
        assert!(RsaBits::FEWEST.are_in(&modulus(0x80, 255)));
        assert!(!RsaBits::FEWEST.are_in(&[]) && !RsaBits::FEWEST.are_in(&[0; 600]));
    }

    #[test]
    fn nobody_asks_for_less_than_fapi_allows_or_more_than_is_taken() {
        for (bits, good) in [(1024, false), (2047, false), (2048, true), (3072, true), (4096, true)]
        {
            assert_eq!(RsaBits::new(bits).is_some(), good, "{bits}");
        }
        assert_eq!(RsaBits::new(4097), None);
        assert_eq!(RsaBits::new(3072), Some(RsaBits::default()));
        assert_eq!(RsaBits::default().to_string(), "3072");
        assert_eq!(RsaBits::DEFAULT.are_in_key(b"no key"), None);
    }
}
