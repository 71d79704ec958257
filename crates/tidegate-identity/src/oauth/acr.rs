//! How well a person was known when they logged in.

use tidegate_types::codec_enum;

/// Levels of a login, from weakest to strongest. `phr` and `phrh` are registered by OpenID's EAP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Acr {
    /// A password.
    Password,
    /// A password and a one-time code.
    TwoFactor,
    /// A factor that no false page can ask for: a passkey.
    PhishingResistant,
    /// The same, held by hardware.
    Hardware,
}
codec_enum!(Acr { 0 => Password, 1 => TwoFactor, 2 => PhishingResistant, 3 => Hardware });

impl Acr {
    /// Every level, by its name in `acr` claims and `acr_values`.
    pub const NAMES: &'static [(&'static str, Acr)] = &[
        ("pwd", Acr::Password),
        ("mfa", Acr::TwoFactor),
        ("phr", Acr::PhishingResistant),
        ("phrh", Acr::Hardware),
    ];

    /// The level that `name` is.
    pub fn named(name: &str) -> Option<Acr> {
        Acr::NAMES.iter().find(|(known, _)| *known == name).map(|(_, acr)| *acr)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Acr::Password => "pwd",
            Acr::TwoFactor => "mfa",
            Acr::PhishingResistant => "phr",
            Acr::Hardware => "phrh",
        }
    }
}
