//! Requests for approval, as far as they concern a caller: read, and taken back by who asked. None is approved
//! here: that is a person's signature over the statement, by passkey, in the console.

use super::ask::Ask;
use super::page::{Page, Wanted};
use super::problem::Problem;
use super::vocabulary::When;
use super::{Api, halts, json};
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write as _;
use tidegate_core::approvals::{Request as Known, Stage, sees_request};
use tidegate_core::state::State;
use tidegate_identity::oauth::TokenBearer;
use tidegate_types::approval::{Act, Factor, Verdict};
use tidegate_types::ids::{ApprovalId, PersonName};
use tidegate_types::proof::Authenticated;
use tidegate_types::record::Change;
use tidegate_types::request::Reply;

/// What the list's cursors begin with.
const APPROVALS: &str = "approvals";

/// How far a request has come.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum Progress {
    /// It waits.
    Waiting,
    /// It was approved and is done.
    CarriedOut,
    /// It was denied or taken back.
    Denied,
    /// Nobody approved it in time.
    Expired,
    /// What it was asked against was not so any more.
    Outdated,
    /// It was approved with a wrong digest too often.
    Spoiled,
}

/// For whom a request waits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum WaitsFor {
    /// Who asked, to confirm it by a passkey.
    WhoAsked,
    /// A second person.
    SecondPerson,
}

/// By what a person shows that they approve.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ApprovedBy")]
pub(super) enum Shown {
    /// A passkey's signature over the digest.
    Passkey,
    /// Being a user of the machine, at the local socket.
    LocalSocket,
}

/// A request for approval.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Approval {
    /// Its number.
    #[schemars(regex(pattern = r"^(0|[1-9][0-9]{0,18})$"), length(max = 19))]
    id: String,
    /// Who asked.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_.-]{1,64}$"), length(max = 64))]
    by: String,
    /// Whether the person in whose name the token is did.
    mine: bool,
    /// What it does, in the words that are signed.
    statement: String,
    /// SHA-256 of all of it in hexadecimal digits: what a passkey signs.
    #[schemars(length(equal = 64), regex(pattern = r"^[0-9a-f]{64}$"))]
    digest: String,
    /// How far it has come.
    state: Progress,
    /// For whom it waits, while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<WaitsFor>,
    /// When it was asked.
    asked: When,
    /// It cannot be approved after this.
    until: When,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<When>,
    /// Who approved, denied or took it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9_.-]{1,64}$"), length(max = 64))]
    ended_by: Option<String>,
    /// By what that was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    factor: Option<Shown>,
    /// Why it is void, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// The page on which a person confirms or approves it.
    #[schemars(url)]
    page: String,
}

/// Who stands behind a caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Behind {
    /// The person in whose name the token is.
    Person(PersonName),
    /// Whoever owns the caller: it shows a key, or a token in its own name.
    Owners,
    /// Nobody who is still of the desk.
    Nobody,
}

impl Behind {
    /// Whether a request for approval is there: it concerns the caller, and who stands behind it may see it.
    pub(super) fn sees(&self, state: &State, who: &Authenticated, request: &Known) -> bool {
        let seen = |person: &PersonName| sees_request(state, person, request);
        let may = match self {
            Behind::Person(person) => seen(person),
            Behind::Owners => {
                let mut people = state.people().values();
                people.any(|person| person.owns(who.caller()) && seen(&person.name))
            }
            Behind::Nobody => false,
        };
        may && concerns(state, who, &request.approval.act)
    }

    fn is(&self, person: &PersonName) -> bool {
        matches!(self, Behind::Person(behind) if behind == person)
    }
}

/// Whether what is asked is about a caller on its account, or about the account.
fn concerns(state: &State, who: &Authenticated, act: &Act) -> bool {
    let (caller, account) = (who.caller(), who.account());
    match act {
        Act::Resume { scope, .. } => halts::binds(state, scope, who),
        Act::Change { change } => match change {
            Change::GrantSet { grant } => grant.caller == *caller && grant.account == *account,
            Change::KeyAdded { key, .. } => key.caller == *caller && key.account == *account,
            Change::LimitsSet { limits } => limits.account == *account,
            Change::OwnerSet { account: of, .. } | Change::SelfTradeSet { account: of, .. } => {
                of == account
            }
            Change::OptionLimitsSet { limits } => limits.account == *account,
            Change::OptionLimitsRemoved { account: of } => of == account,
            Change::VenueKeyImported { account: of, .. } => of == account,
            Change::BreakerHalfOpened { scope, .. } | Change::BreakerClosed { scope, .. } => {
                halts::binds(state, scope, who)
            }
            Change::AppSet { app } => app.caller == *caller,
            _ => false,
        },
    }
}

impl Api {
    /// Who stands behind a caller that shows a key or this token.
    pub(super) fn behind(&self, bearer: Option<&TokenBearer>) -> Behind {
        match bearer.filter(|bearer| bearer.grant.is_some()) {
            None => Behind::Owners,
            Some(bearer) => match self.people.named(&bearer.subject) {
                Some(person) => Behind::Person(person),
                None => Behind::Nobody,
            },
        }
    }

    pub(super) fn approvals(
        &self,
        who: &Authenticated,
        bearer: Option<&TokenBearer>,
        ask: &Ask,
    ) -> Result<Reply, Problem> {
        let page = Wanted::read(APPROVALS, ask.query("limit"), ask.query("cursor"))?;
        let behind = self.behind(bearer);
        let wanted = |stage: Stage| match ask.query("state") {
            None | Some("waiting") => stage == Stage::Waiting,
            Some("ended") => stage != Stage::Waiting,
            Some(_) => true,
        };
        let list: Page<Approval> = self.look(|state| {
            let all = state.approvals().iter().rev();
            let seen = all.filter(|it| wanted(it.stage) && behind.sees(state, who, it));
            // The newest first: names in order are what pages go by.
            let row = |it: &Known| {
                (format!("{:020}", u64::MAX - it.approval.id.0), self.shown(state, &behind, it))
            };
            page.of(APPROVALS, seen.map(row))
        });
        json(200, &list)
    }

    pub(super) fn approval(
        &self,
        who: &Authenticated,
        bearer: Option<&TokenBearer>,
        text: &str,
    ) -> Result<Reply, Problem> {
        let behind = self.behind(bearer);
        let found = number(text).and_then(|id| {
            self.look(|state| {
                let found = state.approvals().get(id);
                let found = found.filter(|it| behind.sees(state, who, it));
                found.map(|it| self.shown(state, &behind, it))
            })
        });
        json(200, &found.ok_or_else(missing)?)
    }

    /// A request that was just made.
    pub(super) fn asked(&self, behind: &Behind, id: ApprovalId) -> Result<Approval, Problem> {
        let shown = |state: &State| {
            let request = state.approvals().get(id)?;
            Some(self.shown(state, behind, request))
        };
        self.look(shown).ok_or_else(missing)
    }

    fn shown(&self, state: &State, behind: &Behind, request: &Known) -> Approval {
        let Known { approval, digest, asked, stage, ended, .. } = request;
        let (by, factor, why) = match ended {
            Some((Verdict::CarriedOut { by, factor }, _)) => {
                (Some(by), Some(by_what(*factor)), None)
            }
            Some((Verdict::Denied { by }, _)) => (Some(by), None, None),
            Some((Verdict::Outdated { why }, _)) => (None, None, Some(why.clone())),
            _ => (None, None, None),
        };
        let waits_for = (*stage == Stage::Waiting).then(|| match request.is_to_confirm(state) {
            true => WaitsFor::WhoAsked,
            false => WaitsFor::SecondPerson,
        });
        let hex = digest.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Approval {
            id: approval.id.to_string(),
            by: approval.by.to_string(),
            mine: behind.is(&approval.by),
            statement: approval.statement.clone(),
            digest: hex,
            state: progress(*stage),
            waits_for,
            asked: When(*asked),
            until: When(approval.until),
            ended: ended.as_ref().map(|(_, at)| When(*at)),
            ended_by: by.map(ToString::to_string),
            factor,
            why,
            page: self.admin.page_of(approval.id),
        }
    }
}

/// The number of a request, written as it is told.
pub(super) fn number(text: &str) -> Option<ApprovalId> {
    text.parse::<u64>().ok().filter(|number| number.to_string() == text).map(ApprovalId)
}

pub(super) fn missing() -> Problem {
    Problem::plain("not-found", "there is no such thing", 404)
}

const fn progress(stage: Stage) -> Progress {
    match stage {
        Stage::Waiting => Progress::Waiting,
        Stage::CarriedOut => Progress::CarriedOut,
        Stage::Denied => Progress::Denied,
        Stage::Expired => Progress::Expired,
        Stage::Outdated => Progress::Outdated,
        Stage::Spoiled => Progress::Spoiled,
    }
}

const fn by_what(factor: Factor) -> Shown {
    match factor {
        Factor::LocalSocket => Shown::LocalSocket,
        Factor::Passkey { .. } => Shown::Passkey,
    }
}
