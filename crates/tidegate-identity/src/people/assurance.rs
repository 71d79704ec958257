//! What a person showed, when, and what that is worth.
//!
//! The levels are those of NIST SP 800-63B. A factor counts for as long as the asker says it is fresh,
//! so that one login answers both "may they be here" and "was it they a minute ago".

use tidegate_types::time::{Span, Time};
use tidegate_types::{codec_enum, codec_struct};

/// A way to show who one is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Factor {
    /// Something known.
    Password,
    /// A code of an authenticator app (RFC 6238).
    Totp,
    /// One of the codes kept for the day the app is lost.
    RecoveryCode,
    /// A passkey that may be copied between the person's devices. The device checked the person, so
    /// that it is two factors in one.
    SyncedPasskey,
    /// A passkey that cannot leave its device, as far as the device says.
    DevicePasskey,
    /// A passkey that cannot leave its device, of a model that the desk trusts and that proved it.
    AttestedPasskey,
    /// A login at an outside provider that is trusted with one factor.
    Outside,
    /// One that is trusted with two.
    OutsideTwo,
    /// One that is trusted with two, of which one resists phishing.
    OutsideResistant,
}
codec_enum!(Factor {
    0 => Password,
    1 => Totp,
    2 => RecoveryCode,
    3 => SyncedPasskey,
    4 => DevicePasskey,
    5 => AttestedPasskey,
    6 => Outside,
    7 => OutsideTwo,
    8 => OutsideResistant,
});

/// A factor that was checked and found good. Only the checks of this module make one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown {
    factor: Factor,
    at: Time,
}
codec_struct!(Shown { factor, at });

/// How far what was shown can be trusted (authenticator assurance levels of SP 800-63B).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Nothing fresh was shown.
    None,
    /// One factor: a login that is under way.
    One,
    /// Two factors, or a passkey.
    Two,
    /// A phishing-resistant factor in hardware of a trusted model.
    Three,
}

/// Everything that was shown in one login, the latest of each factor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assurance {
    shown: Vec<Shown>,
}
codec_struct!(Assurance { shown });

impl Factor {
    /// Whether a page that looks like ours cannot pass it on to ours.
    pub fn phishing_resistant(self) -> bool {
        match self {
            Factor::Password | Factor::Totp | Factor::RecoveryCode => false,
            Factor::Outside | Factor::OutsideTwo => false,
            Factor::OutsideResistant => true,
            Factor::SyncedPasskey | Factor::DevicePasskey | Factor::AttestedPasskey => true,
        }
    }

    /// Whether it is a passkey of the person's own, known here.
    pub fn is_passkey(self) -> bool {
        matches!(self, Factor::SyncedPasskey | Factor::DevicePasskey | Factor::AttestedPasskey)
    }

    /// Whether an outside provider vouched for it.
    pub fn is_outside(self) -> bool {
        matches!(self, Factor::Outside | Factor::OutsideTwo | Factor::OutsideResistant)
    }

    /// The names of RFC 8176 for it.
    fn methods(self) -> &'static [&'static str] {
        match self {
            Factor::Password => &["pwd"],
            Factor::Totp | Factor::RecoveryCode => &["otp"],
            Factor::SyncedPasskey => &["swk", "user"],
            Factor::DevicePasskey | Factor::AttestedPasskey => &["hwk", "user"],
            // How it was shown there is the provider's to say.
            Factor::Outside | Factor::OutsideTwo | Factor::OutsideResistant => &[],
        }
    }
}

impl Shown {
    pub(in crate::people) fn new(factor: Factor, at: Time) -> Shown {
        Shown { factor, at }
    }

    /// What was shown.
    pub fn factor(&self) -> Factor {
        self.factor
    }

    /// When.
    pub fn at(&self) -> Time {
        self.at
    }

    /// The same where the passkey's model is not trusted any more: one that stays on its device, and no more.
    pub fn untrusted(self) -> Shown {
        match self.factor {
            Factor::AttestedPasskey => Shown { factor: Factor::DevicePasskey, ..self },
            _ => self,
        }
    }
}

impl Assurance {
    /// A login that begins with one factor.
    pub fn new(shown: Shown) -> Assurance {
        Assurance { shown: vec![shown] }
    }

    /// Adds what was shown since.
    pub fn add(&mut self, shown: Shown) {
        match self.shown.iter_mut().find(|had| had.factor == shown.factor) {
            Some(had) => had.at = had.at.max(shown.at),
            None => self.shown.push(shown),
        }
    }

    /// What it is worth where the models that are trusted today were told at `since`, and none is without that:
    /// by which model a passkey was shown is not kept, so one from before counts as one that stays on its device.
    pub fn trusted_since(&self, since: Option<Time>) -> Assurance {
        let mut worth = Assurance { shown: Vec::new() };
        for shown in &self.shown {
            let trusted = since.is_some_and(|since| shown.at >= since);
            worth.add(if trusted { *shown } else { shown.untrusted() });
        }
        worth
    }

    /// The level of everything shown in this login.
    pub fn level(&self) -> Level {
        level_of(self.shown.iter().map(|shown| shown.factor))
    }

    /// The level of what was shown at most `max_age` ago.
    pub fn level_within(&self, max_age: Span, now: Time) -> Level {
        let fresh = self.shown.iter().filter(|shown| is_fresh(shown, max_age, now));
        level_of(fresh.map(|shown| shown.factor))
    }

    /// Whether a factor that resists phishing was shown at most `max_age` ago: what risky actions ask.
    pub fn phishing_resistant_within(&self, max_age: Span, now: Time) -> bool {
        self.shown
            .iter()
            .any(|shown| shown.factor.phishing_resistant() && is_fresh(shown, max_age, now))
    }

    /// Whether a passkey of the person's own was shown at most `max_age` ago: what credentials are
    /// changed by. No provider's word stands for it.
    pub fn passkey_within(&self, max_age: Span, now: Time) -> bool {
        self.shown.iter().any(|shown| shown.factor.is_passkey() && is_fresh(shown, max_age, now))
    }

    /// Whether an outside provider's word is part of it.
    pub fn is_outside(&self) -> bool {
        self.shown.iter().any(|shown| shown.factor.is_outside())
    }

    /// When the person last showed anything (`auth_time`).
    pub fn last_shown(&self) -> Time {
        self.shown.iter().map(|shown| shown.at).max().unwrap_or_default()
    }

    /// What was shown by its names in RFC 8176 (`amr`), sorted, `mfa` among them when it was two
    /// factors.
    pub fn methods(&self) -> Vec<&'static str> {
        methods(&self.shown)
    }

    /// What was shown, each factor once.
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }
}

/// What was shown by its names in RFC 8176 (`amr`), sorted, `mfa` among them when it was two factors.
pub fn methods(shown: &[Shown]) -> Vec<&'static str> {
    let mut names: Vec<&str> =
        shown.iter().flat_map(|shown| shown.factor.methods()).copied().collect();
    if level_of(shown.iter().map(|shown| shown.factor)) >= Level::Two {
        names.push("mfa");
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// A time to come is not fresh: a clock that was set back must not make a factor last longer.
fn is_fresh(shown: &Shown, max_age: Span, now: Time) -> bool {
    shown.at <= now && now.since(shown.at) <= max_age
}

fn level_of(factors: impl Iterator<Item = Factor>) -> Level {
    let (mut known, mut held, mut whole) = (false, false, Level::None);
    for factor in factors {
        match factor {
            Factor::Password | Factor::Outside => known = true,
            Factor::Totp | Factor::RecoveryCode => held = true,
            Factor::SyncedPasskey | Factor::DevicePasskey => whole = whole.max(Level::Two),
            Factor::OutsideTwo | Factor::OutsideResistant => whole = whole.max(Level::Two),
            Factor::AttestedPasskey => whole = Level::Three,
        }
    }
    whole.max(match (known, held) {
        (true, true) => Level::Two,
        (true, false) | (false, true) => Level::One,
        (false, false) => Level::None,
    })
}

#[cfg(test)]
mod tests;
