//! What the device says of itself (section 6.1).

use super::cbor::Map;

/// Authenticator data, taken apart.
pub(super) struct AuthenticatorData<'a> {
    pub(super) party_hash: &'a [u8; 32],
    flags: u8,
    pub(super) sign_count: u32,
    pub(super) credential: Option<Credential<'a>>,
}

/// A new credential (attested credential data).
pub(super) struct Credential<'a> {
    pub(super) model: &'a [u8; 16],
    pub(super) id: &'a [u8],
    pub(super) key: Map,
}

const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

impl AuthenticatorData<'_> {
    /// Reads the whole of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Option<AuthenticatorData<'_>> {
        let (party_hash, rest) = bytes.split_first_chunk::<32>()?;
        let (flags, rest) = rest.split_first()?;
        let (count, mut rest) = rest.split_first_chunk::<4>()?;
        let credential = match flags & HAS_CREDENTIAL {
            0 => None,
            _ => Some(Credential::read(&mut rest)?),
        };
        if flags & HAS_EXTENSIONS != 0 {
            // None was asked for, and any may be ignored; they must be a map all the same.
            Map::read(&mut rest)?;
        }
        rest.is_empty().then_some(AuthenticatorData {
            party_hash,
            flags: *flags,
            sign_count: u32::from_be_bytes(*count),
            credential,
        })
    }

    pub(super) fn present(&self) -> bool {
        self.flags & PRESENT != 0
    }

    pub(super) fn verified(&self) -> bool {
        self.flags & VERIFIED != 0
    }

    pub(super) fn backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    pub(super) fn backed_up(&self) -> bool {
        self.flags & BACKED_UP != 0
    }
}

impl Credential<'_> {
    fn read<'a>(input: &mut &'a [u8]) -> Option<Credential<'a>> {
        let (model, rest) = input.split_first_chunk::<16>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (id, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        *input = rest;
        let key = Map::read(input)?;
        Some(Credential { model, id, key })
    }
}
