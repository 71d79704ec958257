//! The people of a desk: what each may do follows from the roles it has and the callers it owns.

use crate::ids::{BadName, CallerName, PersonName};
use crate::{codec_enum, codec_struct};
use std::fmt;
use std::str::FromStr;

/// What a person is there for. A person may have several; which role may do what is one table in
/// the core.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// Trades through callers of its own, sees these, and may stop them.
    Trader,
    /// Sets limits and grants, halts and resumes.
    Risk,
    /// Is the second person for what others ask.
    Approver,
    /// Keeps accounts, keys, callers and people.
    Admin,
    /// Sees everything and changes nothing.
    Auditor,
}
codec_enum!(Role { 0 => Trader, 1 => Risk, 2 => Approver, 3 => Admin, 4 => Auditor });

impl Role {
    /// Every role.
    pub const ALL: [Role; 5] =
        [Role::Trader, Role::Risk, Role::Approver, Role::Admin, Role::Auditor];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Role::Trader => "trader",
            Role::Risk => "risk",
            Role::Approver => "approver",
            Role::Admin => "admin",
            Role::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Role, BadName> {
        Role::ALL.into_iter().find(|role| role.word() == text).ok_or(BadName)
    }
}

impl PersonName {
    /// Whether records call somebody so who is no person of the desk: a user of the machine, a caller, or
    /// the gateway itself.
    pub fn is_reserved(&self) -> bool {
        let text = self.as_str();
        matches!(text, "owner" | "gateway" | "halt-file")
            || ["uid-", "caller."].iter().any(|start| text.starts_with(start))
    }
}

/// A person of the desk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// Who, as an opaque id.
    pub name: PersonName,
    /// Its roles, in order, each once.
    pub roles: Vec<Role>,
    /// The callers that are its own, in order, each once.
    pub owns: Vec<CallerName>,
    /// Callers of others that it may look at.
    pub reads: Vec<CallerName>,
}
codec_struct!(Person { name, roles, owns, reads });

impl Person {
    /// A person; what is given twice counts once.
    pub fn new(
        name: PersonName,
        mut roles: Vec<Role>,
        mut owns: Vec<CallerName>,
        mut reads: Vec<CallerName>,
    ) -> Person {
        roles.sort_unstable();
        roles.dedup();
        for callers in [&mut owns, &mut reads] {
            callers.sort_unstable();
            callers.dedup();
        }
        Person { name, roles, owns, reads }
    }

    /// Whether it has this role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the caller is its own.
    pub fn owns(&self, caller: &CallerName) -> bool {
        self.owns.contains(caller)
    }

    /// Whether it may look at the caller as one of its own or one that is shared with it.
    pub fn knows(&self, caller: &CallerName) -> bool {
        self.owns(caller) || self.reads.contains(caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{from_bytes, to_bytes};

    #[test]
    fn roles_are_words_and_people_have_one_form() {
        for role in Role::ALL {
            assert_eq!(role.word().parse(), Ok(role));
        }
        assert_eq!("root".parse::<Role>(), Err(BadName));
        let name = |text: &str| PersonName::new(text).unwrap();
        let caller = |text: &str| CallerName::new(text).unwrap();
        let twice = Person::new(
            name("ann"),
            vec![Role::Admin, Role::Trader, Role::Admin],
            vec![caller("b"), caller("a"), caller("b")],
            vec![caller("c")],
        );
        assert_eq!(twice.roles, [Role::Trader, Role::Admin]);
        assert_eq!(twice.owns, [caller("a"), caller("b")]);
        assert!(twice.is(Role::Admin) && !twice.is(Role::Risk));
        assert!(twice.owns(&caller("a")) && !twice.owns(&caller("c")) && twice.knows(&caller("c")));
        assert_eq!(from_bytes::<Person>(&to_bytes(&twice)).unwrap(), twice);
    }
}
