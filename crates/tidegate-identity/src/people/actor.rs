//! Who did something to a person's credentials or sessions.

use tidegate_types::codec_enum;
use tidegate_types::ids::PersonName;

/// Who did it: on record beside what was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// Somebody of the desk, the person itself or another.
    Person {
        /// Who.
        name: PersonName,
    },
    /// The outside provider, which said that a login there is over.
    Provider {
        /// Its issuer.
        issuer: String,
    },
    /// The gateway by itself: what belongs to nobody of the desk is forgotten at a start.
    Gateway,
}
codec_enum!(Actor {
    0 => Person { name }, 1 => Provider { issuer }, 2 => Gateway,
});

impl Actor {
    /// Somebody of the desk.
    pub fn person(name: &PersonName) -> Actor {
        Actor::Person { name: name.clone() }
    }
}
