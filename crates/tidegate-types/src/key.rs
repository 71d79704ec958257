//! Virtual keys: how they sign, from where and until when they are good.

use crate::codec::{Codec, CodecError, Octets};
use crate::ids::{AccountName, BadName, CallerName, KeyId, VenueName};
use crate::reject::{Code, Reject};
use crate::time::{Span, Time};
use crate::{codec_enum, codec_struct};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// How a virtual key signs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyScheme {
    /// HMAC-SHA256; the shared secret is sealed in the store under the key's id.
    Hmac,
    /// Ed25519; only the public key is kept.
    Ed25519 {
        /// The public key.
        public: [u8; 32],
    },
    /// RSASSA-PKCS1-v1_5 with SHA-256, of as many bits as the desk asks for; only the public key is kept.
    Rsa {
        /// The public key, a `SubjectPublicKeyInfo` in DER.
        public: Octets,
    },
}
codec_enum!(KeyScheme { 0 => Hmac, 1 => Ed25519 { public }, 2 => Rsa { public } });

/// The public part of a virtual key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VirtualKey {
    /// What the caller sends.
    pub id: KeyId,
    /// Whose it is.
    pub caller: CallerName,
    /// Which venue's dialect it signs.
    pub venue: VenueName,
    /// Which account it trades.
    pub account: AccountName,
    /// How it signs.
    pub scheme: KeyScheme,
    /// From where and until when it is good.
    pub terms: KeyTerms,
}
codec_struct!(VirtualKey { id, caller, venue, account, scheme, terms });

/// From where and until when a key is good. Nothing set: from anywhere, until it is revoked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyTerms {
    /// The networks that it may be used from; any, when there is none.
    pub from: Vec<Network>,
    /// SHA-256 of the client certificate, in DER, that its connection has to show.
    pub certificate: Option<[u8; 32]>,
    /// When it ends.
    pub until: Option<Time>,
}
codec_struct!(KeyTerms { from, certificate, until });

/// A key that another one takes the place of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// Which.
    pub key: KeyId,
    /// How long it is good beside the new one.
    pub overlap: Span,
}
codec_struct!(Replaced { key, overlap });

/// Where a request comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// Who connected.
    pub peer: IpAddr,
    /// SHA-256 of the client certificate, in DER, that the connection showed and holds the key of.
    pub certificate: Option<[u8; 32]>,
}

impl From<IpAddr> for Origin {
    /// A connection that showed no certificate.
    fn from(peer: IpAddr) -> Origin {
        Origin { peer, certificate: None }
    }
}

/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or a single one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Network {
    /// Its first address, an IPv4 one mapped into IPv6.
    first: u128,
    /// How many of the 128 bits are fixed.
    fixed: u8,
}

/// Where the IPv4 addresses are among those of IPv6 (RFC 4291, 2.5.5.2).
const V4: u128 = 0xffff_0000_0000;

impl KeyTerms {
    /// Whether a key of these terms is good for a request from `origin`.
    ///
    /// # Errors
    /// Code 108 when it has ended, 109 when it is not good from there. What is told names neither the
    /// addresses nor the certificate that would be.
    pub fn admit(&self, origin: &Origin, now: Time) -> Result<(), Reject> {
        self.in_time(now)?;
        if !self.from.is_empty() && !self.from.iter().any(|network| network.has(origin.peer)) {
            return Err(Reject::new(Code::KeyNotFromHere, format!("not from {}", origin.peer)));
        }
        match (self.certificate, origin.certificate) {
            (None, _) => Ok(()),
            (Some(bound), Some(shown)) if bound == shown => Ok(()),
            (Some(_), Some(_)) => {
                Err(Reject::new(Code::KeyNotFromHere, "not by this client certificate"))
            }
            (Some(_), None) => {
                Err(Reject::new(Code::KeyNotFromHere, "the connection shows no client certificate"))
            }
        }
    }

    /// Whether the key has not ended.
    ///
    /// # Errors
    /// Code 108 when it has.
    pub fn in_time(&self, now: Time) -> Result<(), Reject> {
        match self.until {
            Some(until) if until <= now => Err(Reject::new(Code::KeyExpired, "")),
            _ => Ok(()),
        }
    }
}

impl Network {
    /// Whether the address is in it.
    pub fn has(&self, address: IpAddr) -> bool {
        bits(address) & self.mask() == self.first
    }

    fn mask(&self) -> u128 {
        u128::MAX.checked_shl(128 - u32::from(self.fixed)).unwrap_or(0)
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => V4 | u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl FromStr for Network {
    type Err = BadName;

    /// The network that `text` is. Bits that are not fixed must be zero: `10.1.2.3/8` is a mistake.
    fn from_str(text: &str) -> Result<Network, BadName> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| BadName)?;
        let (most, above) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        let length = match length {
            None => most,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().ok().filter(|length| *length <= most).ok_or(BadName)?
            }
            Some(_) => return Err(BadName),
        };
        let network = Network { first: bits(address), fixed: above + length };
        if network.first & network.mask() != network.first {
            return Err(BadName);
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = Ipv6Addr::from_bits(self.first);
        match first.to_ipv4_mapped().filter(|_| self.fixed >= 96) {
            Some(v4) => write!(f, "{v4}/{}", self.fixed - 96),
            None => write!(f, "{first}/{}", self.fixed),
        }
    }
}

impl Codec for Network {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first.to_be_bytes());
        self.fixed.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Network, CodecError> {
        let first = u128::from_be_bytes(<[u8; 16]>::decode(input)?);
        let network = Network { first, fixed: u8::decode(input)? };
        if network.fixed > 128 || network.first & network.mask() != network.first {
            return Err(CodecError::Malformed);
        }
        Ok(network)
    }

    fn show(&self, out: &mut String) {
        crate::codec::show_text(&self.to_string(), out);
    }
}

#[cfg(test)]
mod tests;
