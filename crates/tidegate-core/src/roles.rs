//! Who may do what: one table of actions and roles, and what keeps duties apart. Nobody loosens
//! anything for a caller of its own, and what a person may not see is not there for it.

pub(crate) mod loosen;

use crate::breakers;
use crate::state::State;
use std::fmt;
use std::mem;
use tidegate_types::approval::Act;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{AccountName, CallerName, KeyId, PersonName, VenueName};
use tidegate_types::key::{Replaced, VirtualKey};
use tidegate_types::person::{Person, Role};
use tidegate_types::record::{Approvals, ApproveBy, Change};

pub use loosen::loosens;

/// How far a role reaches for an action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Not at all.
    No,
    /// To what is the person's own: its callers, its orders, its requests.
    Own,
    /// To everything that is not the person's own.
    Others,
    /// To everything.
    All,
}

impl Reach {
    /// The word for it in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Reach::No => "–",
            Reach::Own => "own",
            Reach::Others => "others'",
            Reach::All => "yes",
        }
    }

    const fn covers(self, own: bool) -> bool {
        match self {
            Reach::No => false,
            Reach::Own => own,
            Reach::Others => !own,
            Reach::All => true,
        }
    }
}

/// The columns of the table.
pub const COLUMNS: [&str; 6] = ["trader", "risk", "approver", "admin", "auditor", "no role"];

macro_rules! actions {
    ($($action:ident $doc:literal: $($reach:ident)+;)+) => {
        /// Something that somebody may be allowed to do.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Action {
            $(#[doc = $doc] $action,)+
        }

        impl Action {
            /// Every action, in the order of the table.
            pub const ALL: &[Action] = &[$(Action::$action,)+];

            /// What it is, for people.
            pub const fn what(self) -> &'static str {
                match self { $(Action::$action => $doc,)+ }
            }

            /// The table's row, in the order of [`COLUMNS`].
            pub const fn row(self) -> [Reach; 6] {
                match self { $(Action::$action => [$(Reach::$reach,)+],)+ }
            }
        }
    };
}
actions! {
    //                                                trader risk approver admin auditor no-role
    Status "read the status":                             Own All All All All Own;
    Keys "list the virtual keys":                         Own All All All All No;
    People "list the people":                             No All All All All No;
    Approvals "list requests for approval":               Own All All All All No;
    Halt "halt":                                          Own All No All No All;
    Flatten "close positions with a halt":                No All No All No No;
    Resume "lift a halt":                                 No Others No No No No;
    DeskSet "name the desk":                              No No No No No No;
    AccountAdd "add an account":                          No No No All No No;
    VenueKey "take up an exchange key":                   No No No All No No;
    CallerAdd "add a caller":                             No No No All No No;
    CallerShare "let a person read a caller":             Own Own Own Own No No;
    CallerUnshare "have a person read a caller no more":  Own All Own All No No;
    KeyAdd "make a virtual key":                          No No No Others No No;
    KeyRotate "replace a virtual key by one like it":     Own No No Others No No;
    KeyRevoke "revoke a virtual key":                     Own All No All No No;
    GrantLoosen "give or widen a grant":                  No Others No No No No;
    GrantTighten "narrow a grant or take it back":        Own All No All No No;
    LimitsLoosen "set first limits or raise them":        No Others No No No No;
    LimitsTighten "lower limits":                         No All No All No No;
    BreakerLoosen "loosen, half-open or close a breaker": No Others No No No No;
    BreakerTighten "set or tighten a circuit breaker":    No All No All No No;
    PolicyLoosen "put a policy in force that allows more, or none": No Others No No No No;
    PolicyTighten "put a policy in force that allows less": No All No No No No;
    PolicyShadow "run a policy beside the one in force":   No All No No No No;
    OverrideGive "let a single order pass soft rules":     No Others No No No No;
    OverrideTake "take such an override back":             Own All No No No No;
    ThrottleRelease "let go on what executed too often":   No Others No No No No;
    AlarmsSeen "take alarms off the list":                No All No All No No;
    AppSet "register an app, or set its terms":           No No No Others No No;
    AppRevoke "revoke an app":                            Own All No All No No;
    Apps "list the apps":                                 Own All All All All No;
    AppGrants "list what people granted to apps":         Own All All All All No;
    AppGrantRevoke "take back what was granted to an app": Own All No All No No;
    AppKeyRevoke "put a key of apps out of force":        No All No All No No;
    Consent "consent to what an app asks":                Own Others No No No No;
    PersonLoosen "add a person, a role or a caller to it": No No No Others No No;
    PersonTighten "take a role or a person away":         No No No All No No;
    PersonInvite "let a person enrol by a link":          No No No Others No No;
    Sessions "list a person's sessions":                  Own Own Own All All No;
    SessionsEnd "end a person's sessions":                Own All Own All Own No;
    PasskeyRemove "remove another's passkey":             No No No Others No No;
    ApprovalsTwo "ask for two people from now on":        No No No All No No;
    ApprovalsOne "ask for one person from now on":        No No No All No No;
    FactorOn "ask for passkeys from now on":              No No No All No No;
    FactorOff "ask for no passkeys any more":             No No No All No No;
    Approve "approve a request":                          No No Others No No No;
    Deny "deny a request, or take it back":               Own Own All Own No No;
    Shutdown "stop the gateway":                          No No No All No No;
}

/// Why somebody may not do something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It may not; the text says what is missing.
    Forbidden(String),
    /// What it is about is not there for this person; said as if there were none.
    Unseen(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Forbidden(why) | Refusal::Unseen(why) => f.write_str(why),
        }
    }
}

/// What an act is in the table; the same kind of change may loosen or tighten.
pub fn action_of(state: &State, act: &Act) -> Action {
    let change = match act {
        Act::Resume { .. } => return Action::Resume,
        Act::Change { change } => change,
    };
    let loose = loosens(state, change);
    match change {
        Change::DeskSet { .. } => Action::DeskSet,
        Change::AccountAdded { .. } => Action::AccountAdd,
        Change::VenueKeyImported { .. } => Action::VenueKey,
        Change::CallerAdded { .. } => Action::CallerAdd,
        Change::CallerShared { .. } => Action::CallerShare,
        Change::CallerUnshared { .. } => Action::CallerUnshare,
        Change::KeyAdded { key, replaces: Some(replaced) } if is_alike(state, key, replaced) => {
            Action::KeyRotate
        }
        Change::KeyAdded { .. } => Action::KeyAdd,
        Change::KeyRevoked { .. } => Action::KeyRevoke,
        Change::GrantSet { .. } if loose => Action::GrantLoosen,
        Change::GrantSet { .. } | Change::GrantRemoved { .. } => Action::GrantTighten,
        Change::LimitsSet { .. }
        | Change::OptionLimitsSet { .. }
        | Change::OptionLimitsRemoved { .. }
        | Change::OwnerSet { .. }
        | Change::SelfTradeSet { .. }
            if loose =>
        {
            Action::LimitsLoosen
        }
        Change::LimitsSet { .. }
        | Change::OptionLimitsSet { .. }
        | Change::OptionLimitsRemoved { .. }
        | Change::OwnerSet { .. }
        | Change::SelfTradeSet { .. } => Action::LimitsTighten,
        Change::BreakerSet { .. } if !loose => Action::BreakerTighten,
        Change::BreakerSet { .. }
        | Change::BreakerRemoved { .. }
        | Change::BreakerHalfOpened { .. }
        | Change::BreakerClosed { .. }
        | Change::BreakerReset { .. } => Action::BreakerLoosen,
        Change::PolicySet { .. }
        | Change::PolicyRemoved
        | Change::PolicyPut { .. }
        | Change::PolicyTaken { .. }
            if loose =>
        {
            Action::PolicyLoosen
        }
        Change::PolicySet { .. }
        | Change::PolicyRemoved
        | Change::PolicyPut { .. }
        | Change::PolicyTaken { .. } => Action::PolicyTighten,
        Change::ShadowSet { .. }
        | Change::ShadowRemoved
        | Change::ShadowPut { .. }
        | Change::ShadowTaken { .. } => Action::PolicyShadow,
        Change::OverrideSet { .. } => Action::OverrideGive,
        Change::OverrideRemoved { .. } => Action::OverrideTake,
        Change::ThrottleReleased { .. } | Change::ThrottleFreed { .. } => Action::ThrottleRelease,
        Change::AppSet { .. } => Action::AppSet,
        Change::AppRevoked { .. } => Action::AppRevoke,
        Change::AlarmsSeen { .. } => Action::AlarmsSeen,
        Change::PersonSet { .. } if loose => Action::PersonLoosen,
        Change::PersonSet { .. } | Change::PersonRemoved { .. } => Action::PersonTighten,
        Change::PersonInvited { .. } => Action::PersonInvite,
        Change::ApprovalsSet { approvals: Approvals::Two } => Action::ApprovalsTwo,
        Change::ApprovalsSet { approvals: Approvals::One } => Action::ApprovalsOne,
        Change::ApproveBySet { approve_by: ApproveBy::Passkey } => Action::FactorOn,
        Change::ApproveBySet { approve_by: ApproveBy::Any } => Action::FactorOff,
    }
}

/// Whether somebody may ever do this, whatever it is about.
///
/// # Errors
/// When no role of the person's allows any of it.
pub fn may_ever(state: &State, by: &PersonName, action: Action) -> Result<(), Refusal> {
    let person = state.people.get(by);
    let some = sets_up(state, by) || reaches(person, action).any(|reach| reach != Reach::No);
    if some { Ok(()) } else { Err(forbidden(by, action, false)) }
}

/// Whether somebody may do this to its own, or to what is not its own.
///
/// # Errors
/// When no role of the person's allows it.
pub fn may(state: &State, by: &PersonName, action: Action, own: bool) -> Result<(), Refusal> {
    let person = state.people.get(by);
    let allowed = sets_up(state, by) || reaches(person, action).any(|reach| reach.covers(own));
    if allowed { Ok(()) } else { Err(forbidden(by, action, own)) }
}

/// Whether somebody may do or ask for this.
///
/// # Errors
/// When it may not, or may not see what it is about.
pub fn may_act(state: &State, by: &PersonName, act: &Act) -> Result<(), Refusal> {
    let caller = caller_of(state, act);
    if let Some((_, absent)) = caller.as_ref().filter(|(caller, _)| match caller {
        Some(caller) => !sees(state, by, caller),
        None => true,
    }) {
        return Err(Refusal::Unseen(absent.clone()));
    }
    let own = concerns(state, by, act, caller.and_then(|(caller, _)| caller).as_ref());
    may(state, by, action_of(state, act), own)
}

/// Whether somebody may halt this.
///
/// # Errors
/// When it may not.
pub fn may_halt(
    state: &State,
    by: &PersonName,
    scope: &Scope,
    flatten: bool,
) -> Result<(), Refusal> {
    let action = if flatten { Action::Flatten } else { Action::Halt };
    let own = match scope_caller(state, scope) {
        Some(caller) => state.people.get(by).is_some_and(|person| person.owns(&caller)),
        None => false,
    };
    may(state, by, action, own)
}

/// Whether the callers of others are there for this person.
pub fn sees_all(state: &State, by: &PersonName) -> bool {
    may(state, by, Action::Status, false).is_ok()
}

/// Whether a caller is there for this person.
pub fn sees(state: &State, by: &PersonName, caller: &CallerName) -> bool {
    sees_all(state, by) || state.people.get(by).is_some_and(|person| person.knows(caller))
}

/// Whether this person may know with whom a caller is shared, and end that.
pub fn may_unshare(state: &State, by: &PersonName, caller: &CallerName) -> bool {
    let own = state.people.get(by).is_some_and(|person| person.owns(caller));
    sees(state, by, caller) && may(state, by, Action::CallerUnshare, own).is_ok()
}

/// Whether an account is there for this person: a caller that is there has a grant on it.
pub fn sees_account(state: &State, by: &PersonName, account: &AccountName) -> bool {
    sees_all(state, by)
        || state.grants().any(|grant| grant.account == *account && sees(state, by, &grant.caller))
}

/// The whole table as text, for the documents and the test that holds it.
pub fn table() -> String {
    let mut text = format!("| action | {} |\n|---|---|---|---|---|---|---|\n", COLUMNS.join(" | "));
    for action in Action::ALL {
        let cells = action.row().map(Reach::word);
        text.push_str(&format!("| {} | {} |\n", action.what(), cells.join(" | ")));
    }
    text
}

/// Whether somebody sets the desk up: until there is an administrator, who is nobody of the desk. The door
/// lets nobody else through who is a stranger here than the owner of the data folder; people of the desk,
/// who may have enrolled already, are held to the table from the beginning.
fn sets_up(state: &State, by: &PersonName) -> bool {
    !state.has_admin() && !state.people.contains_key(by)
}

/// What each of a person's roles allows; who has none is in a column of its own.
fn reaches(person: Option<&Person>, action: Action) -> impl Iterator<Item = Reach> {
    let row = action.row();
    let [trader, risk, approver, admin, auditor, nobody] = row;
    let of = move |role| match role {
        Role::Trader => trader,
        Role::Risk => risk,
        Role::Approver => approver,
        Role::Admin => admin,
        Role::Auditor => auditor,
    };
    let named: Vec<Reach> = match person {
        Some(person) => person.roles.iter().copied().map(of).collect(),
        None => vec![nobody],
    };
    named.into_iter()
}

fn forbidden(by: &PersonName, action: Action, own: bool) -> Refusal {
    let what = action.what();
    let row = action.row();
    let holders = |wanted: fn(&Reach) -> bool| -> Vec<&str> {
        let roles = COLUMNS.iter().zip(row.iter()).take(Role::ALL.len());
        roles.filter(|(_, reach)| wanted(reach)).map(|(role, _)| *role).collect()
    };
    let any = holders(|reach| *reach != Reach::No);
    let why = match own {
        true if row.contains(&Reach::Others) => {
            format!("nobody may {what} for itself: {by} asks for its own")
        }
        _ if any.is_empty() => format!("nobody may {what}"),
        _ => format!("{by} may not {what} here: that is for {}", any.join(", ")),
    };
    Refusal::Forbidden(why)
}

/// Whether a request is a person's own, so that somebody else approves it: it asked, or it gains.
pub fn is_own(state: &State, by: &PersonName, asked_by: &PersonName, act: &Act) -> bool {
    let caller = caller_of(state, act).and_then(|(caller, _)| caller);
    let gains = match act {
        Act::Change { change: Change::CallerShared { person, .. } } => person == by,
        _ => false,
    };
    by == asked_by || gains || concerns(state, by, act, caller.as_ref())
}

/// The caller that an act is about, with what is said where there is none; none at all where an act
/// is about no caller.
fn caller_of(state: &State, act: &Act) -> Option<(Option<CallerName>, String)> {
    let caller = |caller: &CallerName| {
        let known = state.callers.contains_key(caller).then(|| caller.clone());
        Some((known, format!("there is no caller {caller}")))
    };
    match act {
        Act::Change { change: Change::KeyAdded { key, .. } } => caller(&key.caller),
        Act::Change { change: Change::KeyRevoked { id } } => {
            Some((key_caller(state, id), format!("there is no key {id}")))
        }
        Act::Change { change: Change::AppSet { app } } => caller(&app.caller),
        Act::Change { change: Change::AppRevoked { app } } => {
            let there = state.apps.contains_key(app).then(|| app.clone());
            Some((there, format!("there is no app {app}")))
        }
        Act::Change { change: Change::GrantSet { grant } } => caller(&grant.caller),
        Act::Change { change: Change::OverrideSet { exception } } => caller(&exception.caller),
        Act::Change {
            change:
                Change::ThrottleReleased { caller: stopped, .. }
                | Change::ThrottleFreed { caller: stopped, .. },
        } => caller(stopped),
        Act::Change { change: Change::OverrideRemoved { id } } => {
            let there = state.policies.exceptions().get(id).map(|known| known.caller.clone());
            Some((there, format!("there is no override {id}")))
        }
        Act::Change {
            change:
                Change::CallerShared { caller: shared, .. }
                | Change::CallerUnshared { caller: shared, .. },
        } => caller(shared),
        Act::Change { change: Change::GrantRemoved { caller, account } } => {
            let there = state.grant(caller, account).map(|grant| grant.caller.clone());
            Some((there, format!("there is no grant {caller} on {account}")))
        }
        _ => None,
    }
}

/// Whether an act is about what is a person's own.
fn concerns(state: &State, by: &PersonName, act: &Act, caller: Option<&CallerName>) -> bool {
    let Some(person) = state.people.get(by) else { return false };
    if let Some(caller) = caller {
        return person.owns(caller);
    }
    if let Act::Change { change } = act
        && let Some(scope) = breakers::scope_of(change)
    {
        // As with a halt of the same: who trades there does not let itself trade.
        return concerns(state, by, &Act::Resume { scope, reason: String::new() }, None);
    }
    let trades = |account: &AccountName| trades_where(state, person, |other, _| other == account);
    let at_venue = |venue: &VenueName| trades_where(state, person, |_, other| other == venue);
    match act {
        Act::Change { change: Change::LimitsSet { limits } } => trades(&limits.account),
        Act::Change {
            change:
                Change::OwnerSet { account, .. }
                | Change::SelfTradeSet { account, .. }
                | Change::OptionLimitsRemoved { account },
        } => trades(account),
        Act::Change { change: Change::OptionLimitsSet { limits } } => trades(&limits.account),
        Act::Change {
            change:
                Change::PolicySet { .. }
                | Change::PolicyRemoved
                | Change::PolicyPut { .. }
                | Change::PolicyTaken { .. },
        } => trades_where(state, person, |_, _| true),
        Act::Change { change: Change::PersonSet { person: set } } => set.name == *by,
        Act::Change {
            change: Change::PersonRemoved { person } | Change::PersonInvited { person, .. },
        } => person == by,
        Act::Resume { scope: Scope::Account { name }, .. } => trades(name),
        Act::Resume { scope: Scope::Venue { name }, .. } => at_venue(name),
        // Whatever its grants say of the instrument now: they may have said more before.
        Act::Resume { scope: Scope::Instrument { id }, .. } => at_venue(&id.venue),
        Act::Resume { scope: Scope::All | Scope::Desk { .. }, .. } => {
            trades_where(state, person, |_, _| true)
        }
        Act::Resume { scope, .. } => {
            scope_caller(state, scope).is_some_and(|caller| person.owns(&caller))
        }
        Act::Change { .. } => false,
    }
}

/// Whether a caller of a person's has a grant or a key for such an account, or ever had one. Who takes the grant
/// of its own caller back, or narrows it, is not freed by that, since somebody else may give it again.
fn trades_where(
    state: &State,
    person: &Person,
    is: impl Fn(&AccountName, &VenueName) -> bool,
) -> bool {
    let accounts = person.owns.iter().filter_map(|caller| state.ever_on.get(caller));
    accounts.flatten().any(|(account, venue)| is(account, venue))
}

/// Whether a key allows no more than the one that it takes the place of: then it may be its owner's to make,
/// so that nobody else has ever seen its secret.
fn is_alike(state: &State, key: &VirtualKey, replaced: &Replaced) -> bool {
    let Some(old) = state.keys.get(&replaced.key).filter(|old| !old.revoked) else { return false };
    let old = &old.key;
    let same = (&old.caller, &old.account, &old.venue) == (&key.caller, &key.account, &key.venue);
    let terms = old.terms.from == key.terms.from && old.terms.certificate == key.terms.certificate;
    let ends = old.terms.until.is_none_or(|end| key.terms.until.is_some_and(|until| until <= end));
    same && terms && ends && mem::discriminant(&old.scheme) == mem::discriminant(&key.scheme)
}

fn key_caller(state: &State, id: &KeyId) -> Option<CallerName> {
    state.keys.get(id).map(|key| key.key.caller.clone())
}

/// The caller that alone is meant by a scope.
fn scope_caller(state: &State, scope: &Scope) -> Option<CallerName> {
    match scope {
        Scope::Caller { name } => Some(name.clone()),
        Scope::Order { id } => state.orders.get(*id).and_then(|order| order.caller.clone()),
        Scope::All
        | Scope::Desk { .. }
        | Scope::Venue { .. }
        | Scope::Account { .. }
        | Scope::Instrument { .. } => None,
    }
}
