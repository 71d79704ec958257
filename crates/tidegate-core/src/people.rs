//! The people of the desk, and what of them has to be there so that it can be administered.

use crate::admin::{absent_to, present};
use crate::state::State;
use std::collections::BTreeMap;
use tidegate_types::codec_struct;
use tidegate_types::ids::{CallerName, PersonName};
use tidegate_types::limits::MAX_PEOPLE;
use tidegate_types::person::{Person, Role};
use tidegate_types::record::{Approvals, Change};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// A link by which a person enrols credentials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invitation {
    /// SHA-256 of its secret.
    pub link: [u8; 32],
    /// When it lapses.
    pub until: Time,
}
codec_struct!(Invitation { link, until });

impl State {
    /// The people.
    pub fn people(&self) -> &BTreeMap<PersonName, Person> {
        &self.people
    }

    /// With whom a caller is shared.
    pub fn readers(&self, caller: &CallerName) -> impl Iterator<Item = &PersonName> {
        let reads = |person: &&Person| person.reads.contains(caller);
        self.people.values().filter(reads).map(|person| &person.name)
    }

    /// The newest link of each person, used or not.
    pub fn invitations(&self) -> &BTreeMap<PersonName, Invitation> {
        &self.invitations
    }

    /// Whether the desk has an administrator; before, who owns the data folder sets it up alone.
    pub fn has_admin(&self) -> bool {
        has_admin(&self.people)
    }
}

/// Folds a change of people in.
pub(crate) fn apply(state: &mut State, change: &Change) {
    match change {
        Change::PersonSet { person } => {
            state.people.insert(person.name.clone(), person.clone());
        }
        Change::PersonRemoved { person } => {
            state.people.remove(person);
            state.invitations.remove(person);
        }
        Change::PersonInvited { person, link, until } => {
            let invitation = Invitation { link: *link, until: *until };
            state.invitations.insert(person.clone(), invitation);
        }
        Change::CallerShared { caller, person } => {
            if let Some(reader) = state.people.get_mut(person)
                && let Err(at) = reader.reads.binary_search(caller)
            {
                reader.reads.insert(at, caller.clone());
            }
        }
        Change::CallerUnshared { caller, person } => {
            if let Some(reader) = state.people.get_mut(person) {
                reader.reads.retain(|read| read != caller);
            }
        }
        Change::ApprovalsSet { approvals } => {
            let was = state.approvals_needed();
            if let Some((_, mode)) = &mut state.desk {
                *mode = *approvals;
            }
            // Who gave one out alone could let anybody in, by whom two would be one again.
            if (was, *approvals) == (Approvals::One, Approvals::Two) {
                state.invitations.clear();
            }
        }
        Change::ApproveBySet { approve_by } => state.approve_by = *approve_by,
        _ => {}
    }
}

/// Whether a change of people leaves somebody who can ask and, where it takes two, approve.
pub(crate) fn make_sense(state: &State, change: &Change) -> Result<(), Reject> {
    let (mut people, mut mode) = (state.people.clone(), state.approvals_needed());
    match change {
        Change::PersonSet { person } => {
            check_name(&person.name)?;
            if person.roles.is_empty() {
                return Err(bad("a person has a role, or is removed"));
            }
            let mut callers = person.owns.iter().chain(&person.reads);
            if let Some(none) = callers.find(|caller| !state.callers.contains_key(*caller)) {
                return Err(absent_to(&format!("there is no caller {none}")));
            }
            people.insert(person.name.clone(), person.clone());
        }
        Change::PersonRemoved { person } => {
            present(people.remove(person).is_some(), "person", person.as_str())?;
        }
        Change::PersonInvited { person, .. } => {
            check_name(person)?;
            // The first administrator is invited while somebody may still do so.
            let there = state.people.contains_key(person) || !state.has_admin();
            present(there, "person", person.as_str())?;
            if state.invitations.len() >= MAX_PEOPLE && !state.invitations.contains_key(person) {
                return Err(Reject::new(Code::OutOfRange, "too many people are invited"));
            }
        }
        Change::CallerShared { caller, person } => {
            let reader = people.get(person);
            present(reader.is_some(), "person", person.as_str())?;
            if reader.is_some_and(|reader| reader.knows(caller)) {
                return Err(bad(&format!("{person} reads {caller} already")));
            }
            return Ok(());
        }
        Change::CallerUnshared { caller, person } => {
            let reads = people.get(person).is_some_and(|reader| reader.reads.contains(caller));
            return present(reads, "reader", &format!("{person} of {caller}"));
        }
        Change::ApprovalsSet { approvals } => mode = *approvals,
        _ => return Ok(()),
    }
    if people.len() > MAX_PEOPLE {
        return Err(Reject::new(Code::OutOfRange, format!("more than {MAX_PEOPLE} people")));
    }
    if state.has_admin() && !has_admin(&people) {
        return Err(bad("the last admin cannot go: name another one first"));
    }
    if has_admin(&people) && mode == Approvals::Two && !can_be_two(&people) {
        return Err(bad(
            "two people need an admin and, besides, an approver: name the approver first",
        ));
    }
    Ok(())
}

/// Names by which records tell who is no person of the desk.
fn check_name(person: &PersonName) -> Result<(), Reject> {
    match person.is_reserved() {
        true => Err(bad("records call others so: choose another name")),
        false => Ok(()),
    }
}

fn has_admin(people: &BTreeMap<PersonName, Person>) -> bool {
    people.values().any(|person| person.is(Role::Admin))
}

/// An administrator and somebody else who approves what that one asks.
fn can_be_two(people: &BTreeMap<PersonName, Person>) -> bool {
    let admins = people.values().filter(|person| person.is(Role::Admin));
    let approved = |admin: &Person| {
        people.values().any(|person| person.name != admin.name && person.is(Role::Approver))
    };
    admins.into_iter().any(approved)
}

fn bad(why: &str) -> Reject {
    Reject::new(Code::BadParameter, why)
}
