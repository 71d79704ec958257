//! Who may ask for what: every operation is an action of the core's table of roles.

use super::Administrator;
use super::protocol::{Failure, Request};
use super::service::{Administration, refused};
use tidegate_core::approvals::Denial;
use tidegate_core::roles::{self, Action, Refusal};
use tidegate_core::state::State;
use tidegate_types::approval::Act;
use tidegate_types::grant::Scope;
use tidegate_types::ids::ApprovalId;
use tidegate_types::reject::{Code, Reject};

/// What an operation is in the table; several where it depends on what there is.
pub(super) const fn actions(request: &Request) -> &'static [Action] {
    match request {
        Request::Status {} => &[Action::Status],
        Request::Halt { flatten: false, .. } => &[Action::Halt],
        Request::Halt { flatten: true, .. } => &[Action::Flatten],
        Request::Resume { .. } => &[Action::Resume],
        Request::AccountAdd { .. } => &[Action::AccountAdd],
        Request::VenueKeyReload { .. } => &[Action::VenueKey],
        Request::CallerAdd { .. } => &[Action::CallerAdd],
        Request::CallerShare { .. } => &[Action::CallerShare],
        Request::CallerUnshare { .. } => &[Action::CallerUnshare],
        Request::KeyAdd { .. } => &[Action::KeyAdd],
        Request::KeyRotate { .. } => &[Action::KeyRotate, Action::KeyAdd],
        Request::Keys {} => &[Action::Keys],
        Request::KeyRevoke { .. } => &[Action::KeyRevoke],
        Request::GrantSet(_) => &[Action::GrantLoosen, Action::GrantTighten],
        Request::GrantRemove { .. } => &[Action::GrantTighten],
        Request::LimitsSet(_)
        | Request::OptionLimitsSet(_)
        | Request::OptionLimitsRemove { .. }
        | Request::SelfTradeSet { .. }
        | Request::AccountOwner { .. } => &[Action::LimitsLoosen, Action::LimitsTighten],
        Request::Policy {} | Request::PolicyCheck { .. } => &[Action::Status],
        Request::PolicySet { .. } | Request::PolicyRemove { .. } => {
            &[Action::PolicyLoosen, Action::PolicyTighten]
        }
        Request::ShadowSet { .. } | Request::ShadowRemove { .. } => &[Action::PolicyShadow],
        Request::OverrideGive(_) => &[Action::OverrideGive],
        Request::OverrideTakeBack { .. } => &[Action::OverrideTake],
        Request::ThrottleRelease(_) => &[Action::ThrottleRelease],
        Request::BreakerSet(_) => &[Action::BreakerTighten, Action::BreakerLoosen],
        Request::BreakerRemove { .. }
        | Request::BreakerHalfOpen { .. }
        | Request::BreakerClose { .. }
        | Request::BreakerReset { .. } => &[Action::BreakerLoosen],
        Request::AlarmsSeen { .. } => &[Action::AlarmsSeen],
        Request::AppSet(_) => &[Action::AppSet],
        Request::AppRevoke { .. } => &[Action::AppRevoke],
        Request::Apps {} => &[Action::Apps],
        Request::AppGrants {} => &[Action::AppGrants],
        Request::AppRevokeGrant { .. } => &[Action::AppGrantRevoke],
        Request::AppRevokeKey { .. } => &[Action::AppKeyRevoke],
        Request::People {} => &[Action::People],
        Request::PersonSet(_) => &[Action::PersonLoosen, Action::PersonTighten],
        Request::PersonRemove { .. } => &[Action::PersonTighten],
        Request::PersonInvite { .. } | Request::PersonReset { .. } => &[Action::PersonInvite],
        Request::Sessions { .. } | Request::Linked { .. } => &[Action::Sessions],
        Request::Unlink { .. } => &[Action::PersonTighten],
        Request::SessionsEnd { .. } => &[Action::SessionsEnd],
        Request::PasskeyRemove { .. } => &[Action::PasskeyRemove],
        Request::Me {} => &[Action::Status],
        Request::Approvals {} => &[Action::Approvals],
        Request::ApprovalsSet { .. } => &[Action::ApprovalsTwo, Action::ApprovalsOne],
        Request::ApproveBySet { .. } => &[Action::FactorOn, Action::FactorOff],
        Request::Approve { .. } => &[Action::Approve],
        Request::Deny { .. } => &[Action::Deny],
        Request::Shutdown {} => &[Action::Shutdown],
    }
}

impl Administration {
    /// Whether somebody may ask for this at all, before anything is said of what it is about.
    pub(super) fn may_ask(&self, by: &Administrator, request: &Request) -> Result<(), Failure> {
        let actions = actions(request);
        self.parts.desk.look(|state| {
            // Until there is an administrator the desk is set up by who owns the data folder.
            if !state.has_admin() && !by.full {
                let open = |action: &Action| matches!(action, Action::Status | Action::Halt);
                return match actions.iter().all(open) {
                    true => Ok(()),
                    false => Err(forbidden("only the owner of the data folder sets the desk up")),
                };
            }
            // Who asked confirms it by the same operation, whatever its roles.
            let asked = |id| state.approvals().get(ApprovalId(id)).map(|r| &r.approval.by);
            if matches!(request, Request::Approve { id, .. } if asked(*id) == Some(&by.person)) {
                return Ok(());
            }
            let mut answers = actions.iter().map(|a| roles::may_ever(state, &by.person, *a));
            let first = answers.next().unwrap_or(Ok(()));
            match first {
                Ok(()) => Ok(()),
                Err(refusal) if answers.all(|answer| answer.is_err()) => Err(turned_down(refusal)),
                Err(_) => Ok(()),
            }
        })
    }

    /// Whether somebody may do exactly this; the core holds it once more when it is done.
    pub(super) fn may_act(&self, by: &Administrator, act: &Act) -> Result<(), Failure> {
        let may = self.parts.desk.look(|state| roles::may_act(state, &by.person, act));
        may.map_err(turned_down)
    }

    /// Whether somebody may halt this.
    pub(super) fn may_halt(
        &self,
        by: &Administrator,
        scope: &Scope,
        flatten: bool,
    ) -> Result<(), Failure> {
        let may = self.parts.desk.look(|state| roles::may_halt(state, &by.person, scope, flatten));
        may.map_err(turned_down)
    }
}

/// Whether somebody sets the desk up: who owns the data folder, until there is an administrator.
pub(super) fn is_setting_up(state: &State, by: &Administrator) -> bool {
    !state.has_admin() && by.full
}

pub(super) fn turned_down(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Forbidden(why) => forbidden(&why),
        // As the core says it of what is not there.
        Refusal::Unseen(what) => refused(Reject::new(Code::BadParameter, what)),
    }
}

fn forbidden(why: &str) -> Failure {
    denied(&Denial::Forbidden { why: why.to_owned() })
}

/// A denial of the core's, with what to do about it.
pub(super) fn denied(denial: &Denial) -> Failure {
    let hint = match denial {
        Denial::Forbidden { .. } => "docs/roles.md tells who may do what; ask one of them",
        Denial::NoRequest { .. } => "`tidegate approvals` lists those there are",
        Denial::Ended { .. } | Denial::Outdated { .. } => "have it asked again",
        Denial::WrongDigest { .. } => "read the request again and approve what it says now",
        Denial::NeedsPasskey { .. } | Denial::Unconfirmed { .. } => {
            "open it in the console, under Approvals, and sign it there by passkey"
        }
        Denial::TooMany { .. } => "have some approved or taken back, and ask again",
    };
    Failure::new(denial.code(), denial.to_string(), hint)
}
