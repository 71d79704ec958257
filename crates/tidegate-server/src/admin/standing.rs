//! That two people are left who can act. Where it takes two to loosen, nothing is done after which no
//! administrator, or no approver besides, could get in: nobody would be left who could undo it.

use super::protocol::Failure;
use super::service::Administration;
use std::collections::BTreeMap;
use tidegate_core::state::State;
use tidegate_types::ids::PersonName;
use tidegate_types::person::{Person, Role};
use tidegate_types::record::{Approvals, ApproveBy, Change};

/// What is about to be taken away.
pub(crate) enum Loss<'a> {
    /// What this change takes.
    Change(&'a Change),
    /// One of a person's passkeys, known by SHA-256 of its id.
    Passkey(&'a PersonName, [u8; 32]),
    /// This many outside logins of a person.
    Linked(&'a PersonName, usize),
    /// All that a person logs in by.
    Logins(&'a PersonName),
}

/// Whether a change may leave the desk without somebody who can act.
pub(super) const fn takes_somebody_out(change: &Change) -> bool {
    matches!(
        change,
        Change::PersonSet { .. }
            | Change::PersonRemoved { .. }
            | Change::ApprovalsSet { .. }
            | Change::ApproveBySet { .. }
    )
}

/// Which logins are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ways {
    /// Those by which somebody can act now.
    ThatCount,
    /// Any: who gets in can be given, or make, one that counts.
    All,
}

/// The people, and what it takes of them to loosen.
struct Desk {
    people: BTreeMap<PersonName, Person>,
    mode: Approvals,
    approve_by: ApproveBy,
}

impl Desk {
    fn of(state: &State) -> Desk {
        let (mode, approve_by) = (state.approvals_needed(), state.approve_by());
        Desk { people: state.people().clone(), mode, approve_by }
    }

    fn after(mut self, change: &Change) -> Desk {
        match change {
            Change::PersonSet { person } => {
                self.people.insert(person.name.clone(), person.clone());
            }
            Change::PersonRemoved { person } => drop(self.people.remove(person)),
            Change::ApprovalsSet { approvals } => self.mode = *approvals,
            Change::ApproveBySet { approve_by } => self.approve_by = *approve_by,
            _ => {}
        }
        self
    }

    /// Whether it takes one, or an administrator is left who gets in and an approver besides.
    fn holds(&self, gets_in: impl Fn(&Person) -> bool) -> bool {
        let of = |role| {
            let people = self.people.values().filter(move |person| person.is(role));
            people.filter(|person| gets_in(person)).collect::<Vec<_>>()
        };
        let approvers = of(Role::Approver);
        let besides = |admin: &Person| approvers.iter().any(|other| other.name != admin.name);
        self.mode == Approvals::One || of(Role::Admin).into_iter().any(besides)
    }
}

impl Administration {
    /// Whether two who can act are left once this is gone, if there are two now.
    ///
    /// # Errors
    /// When there are not.
    pub(crate) fn leaves_two(&self, loss: &Loss<'_>) -> Result<(), Failure> {
        let (there, now, change) = self.parts.desk.look(|state| {
            let changed = match loss {
                Loss::Change(change) => Desk::of(state).after(change),
                Loss::Passkey(..) | Loss::Linked(..) | Loss::Logins(_) => Desk::of(state),
            };
            (state.has_admin(), Desk::of(state), changed)
        });
        // Before there is an administrator who owns the folder undoes it.
        if !there {
            return Ok(());
        }
        // What was so before is no reason. Who has some login yet can still come to have what counts.
        let lost = [Ways::ThatCount, Ways::All].into_iter().any(|ways| {
            let held = now.holds(|person| self.gets_in(person, &now, ways, None));
            held && !change.holds(|person| self.gets_in(person, &change, ways, Some(loss)))
        });
        if !lost {
            return Ok(());
        }
        let with = match change.approve_by {
            ApproveBy::Passkey => "a passkey",
            ApproveBy::Any => {
                "a login of the console, or a user id under `people` in tidegate.toml"
            }
        };
        let message = format!(
            "nobody could undo that: two people need an administrator and, besides, an approver who has {with}"
        );
        let hint = "`tidegate person list` tells who is enrolled; have another one enrol first";
        Err(Failure::new("locks_out", message, hint))
    }

    /// Whether a person can ask or approve on this desk, after this loss.
    fn gets_in(&self, person: &Person, desk: &Desk, ways: Ways, loss: Option<&Loss<'_>>) -> bool {
        let (people, name) = (&self.parts.people, &person.name);
        let (mut passkeys, mut password, mut linked) = people.ways_in(name);
        let (mut lost, mut all_lost) = (None, false);
        match loss {
            Some(Loss::Passkey(whose, which)) if *whose == name => {
                passkeys = passkeys.saturating_sub(1);
                lost = Some(*which);
            }
            Some(Loss::Linked(whose, count)) if *whose == name => {
                linked = linked.saturating_sub(*count);
            }
            Some(Loss::Logins(whose)) if *whose == name => {
                (passkeys, password, linked) = (0, false, 0);
                all_lost = true;
            }
            _ => {}
        }
        // Nothing else counts of those who are asked for a model, however the desk approves; whoever gets into the
        // console can make one.
        if people.asks_for_model(&person.roles) {
            return match ways {
                Ways::ThatCount => !all_lost && people.can_sign_without(name, &person.roles, lost),
                Ways::All => passkeys + linked > 0 || password,
            };
        }
        match desk.approve_by {
            ApproveBy::Passkey => passkeys > 0,
            ApproveBy::Any => passkeys + linked > 0 || password || self.parts.config.names(name),
        }
    }
}
