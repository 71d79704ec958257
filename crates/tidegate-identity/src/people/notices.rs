//! What people are told of what happened to their logins, so that who did not do it finds out.

use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_struct};

/// Most that is kept of one person, the newest.
pub const MAX_NOTICES: usize = 16;

/// Something that a person should know of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// A password and an authenticator app were set.
    PasswordSet,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// Passwords or codes were wrong before a login that worked.
    WrongGuesses {
        /// How many.
        count: u32,
    },
    /// An outside login was linked.
    OutsideLinked,
    /// An outside login was unlinked.
    OutsideUnlinked,
    /// Somebody used a link and began anew, which voided what was there before.
    EnrolledAnew,
    /// A passkey was shown whose counter did not grow.
    PasskeyDoubted,
    /// An administrator took everything away that was there to log in by.
    Reset,
}
codec_enum!(Event {
    0 => PasskeyAdded, 1 => PasskeyRemoved, 2 => PasswordSet, 3 => RecoveryCodeUsed,
    4 => WrongGuesses { count }, 5 => OutsideLinked, 6 => OutsideUnlinked, 7 => EnrolledAnew,
    8 => PasskeyDoubted, 9 => Reset,
});

/// One of them, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notice {
    /// What.
    pub event: Event,
    /// When; of several guesses the last.
    pub at: Time,
}
codec_struct!(Notice { event, at });

/// What a person is told, the oldest first. What was read stays on the list.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Notices {
    list: Vec<Notice>,
    read: Time,
}
codec_struct!(Notices { list, read });

impl Notices {
    /// Takes note of something; the oldest makes room.
    pub(super) fn add(&mut self, event: Event, at: Time) {
        if self.list.len() >= MAX_NOTICES {
            self.list.remove(0);
        }
        self.list.push(Notice { event, at });
    }

    /// Takes note that all until `until` was read.
    pub(super) fn read(&mut self, until: Time) {
        self.read = self.read.max(until);
    }

    /// All that is kept.
    pub fn all(&self) -> &[Notice] {
        &self.list
    }

    /// What was not read yet.
    pub fn unread(&self) -> impl Iterator<Item = &Notice> {
        self.list.iter().filter(|notice| notice.at > self.read)
    }
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Event::PasskeyAdded => f.write_str("a passkey was added"),
            Event::PasskeyRemoved => f.write_str("a passkey was removed"),
            Event::PasswordSet => f.write_str("a password and an app were set"),
            Event::RecoveryCodeUsed => f.write_str("a recovery code was used"),
            Event::WrongGuesses { count: 1 } => f.write_str("a password or code was wrong once"),
            Event::WrongGuesses { count } => {
                write!(f, "a password or code was wrong {count} times")
            }
            Event::OutsideLinked => f.write_str("an outside login was linked"),
            Event::OutsideUnlinked => f.write_str("an outside login was unlinked"),
            Event::PasskeyDoubted => {
                f.write_str("a passkey was refused that may have been copied: remove it")
            }
            Event::Reset => f.write_str("an administrator took all logins away"),
            Event::EnrolledAnew => {
                f.write_str("a link was used to enrol anew, and what was there before is void")
            }
        }
    }
}
