//! What the settings of passkeys mean.

use super::{ConfigError, Passkeys};
use tidegate_types::person::Role;

impl Passkeys {
    /// The roles of which proof of a passkey's model is asked.
    pub fn roles(&self) -> Vec<Role> {
        self.attested_roles.iter().filter_map(|role| role.parse().ok()).collect()
    }

    /// The trusted models.
    pub fn aaguids(&self) -> Vec<[u8; 16]> {
        self.models.iter().filter_map(|model| aaguid(model)).collect()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |text: String| Err(ConfigError(format!("passkeys.{text}")));
        if let Some(odd) = self.attested_roles.iter().find(|role| role.parse::<Role>().is_err()) {
            return bad(format!("attested_roles: there is no role {odd:?}"));
        }
        if let Some(odd) = self.models.iter().find(|model| aaguid(model).is_none()) {
            return bad(format!("models: {odd:?} is not an AAGUID, 8-4-4-4-12 hexadecimal digits"));
        }
        let (roles, models) = (self.attested_roles.is_empty(), self.models.is_empty());
        match (roles, models, self.roots.is_none()) {
            (true, true, true) | (false, false, false) => Ok(()),
            (true, ..) => {
                bad("attested_roles: is empty, so that models and roots mean nothing".to_owned())
            }
            (false, ..) => bad("attested_roles: takes models and roots as well".to_owned()),
        }
    }
}

/// The bytes of an AAGUID as makers and the FIDO metadata service write it.
fn aaguid(text: &str) -> Option<[u8; 16]> {
    let lengths = text.split('-').map(str::len);
    if !lengths.eq([8, 4, 4, 4, 12]) || !text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()) {
        return None;
    }
    let digits = text.replace('-', "");
    let mut bytes = [0; 16];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
