//! People, and what they have approved by each other.

use super::Administrator;
use super::grants::name;
use super::protocol::{
    ApprovalStatus, Failure, Invitation, LinkedStatus, NoticeStatus, PasskeyStatus, PersonSpec,
    PersonStatus, SessionStatus,
};
use super::rights::{is_setting_up, turned_down};
use super::service::{Administration, and_then, done, internal};
use super::standing::{Loss, takes_somebody_out};
use crate::clock;
use crate::people::{Listed, credential_digest, link_at};
use serde_json::{Value, json};
use std::fmt::Write as _;
use tidegate_core::action::Answer;
use tidegate_core::approvals::{FORBIDDEN, Request, Word, sees_request};
use tidegate_core::roles::{self, Action};
use tidegate_identity::people::notices::Notice;
use tidegate_identity::people::{Actor, LINK_LIFETIME, Linked, Passkey, fresh_link};
use tidegate_types::approval::{Act, Factor, Showing, Verdict};
use tidegate_types::ids::{ApprovalId, CallerName, PersonName};
use tidegate_types::person::{Person, Role};
use tidegate_types::record::{Approvals, ApproveBy, Change};
use tidegate_types::time::Time;
use zeroize::Zeroizing;

impl Administration {
    /// Adds a person, or sets its roles and callers anew.
    pub(super) async fn set_person(
        &self,
        by: &Administrator,
        spec: PersonSpec,
    ) -> Result<Value, Failure> {
        let callers = |names: &[String]| -> Result<Vec<CallerName>, Failure> {
            names.iter().map(|text| name("caller", text)).collect()
        };
        let role = |text: &String| {
            text.parse::<Role>().map_err(|_| {
                let words: Vec<&str> = Role::ALL.iter().map(|role| role.word()).collect();
                let message = format!("roles: {text:?} is none of {}", words.join(", "));
                Failure::new("bad_request", message, "correct it and ask again")
            })
        };
        let roles = spec.roles.iter().map(role).collect::<Result<_, _>>()?;
        let (owns, reads) = (callers(&spec.owns)?, callers(&spec.reads)?);
        let person = Person::new(name("person", &spec.person)?, roles, owns, reads);
        let set = self.change(by, Change::PersonSet { person }).await?;
        Ok(and_then(set, self.end_consents().await))
    }

    /// Removes a person, and what it logs in by.
    pub(super) async fn remove_person(
        &self,
        by: &Administrator,
        person: &str,
    ) -> Result<Value, Failure> {
        let person = name("person", person)?;
        let removed = self.change(by, Change::PersonRemoved { person }).await?;
        let forgotten = self.parts.people.forget_strangers(&Actor::person(&by.person)).await;
        let forgotten = forgotten.map_err(|e| internal(&e));
        let ended = self.end_consents().await;
        Ok(and_then(removed, forgotten.and(ended)))
    }

    /// What people consented to ends with their right to.
    async fn end_consents(&self) -> Result<(), Failure> {
        self.parts.oauth.hold_to(&self.parts.people).await.map_err(|e| internal(&e))
    }

    /// Makes a link by which a person enrols.
    pub(super) async fn invite(&self, by: &Administrator, person: &str) -> Result<Value, Failure> {
        let person: PersonName = name("person", person)?;
        let origin = self.parts.people.origin();
        if origin.is_empty() {
            let hint = "ask again once the gateway listens";
            return Err(Failure::new("starting", "the gateway does not listen yet", hint));
        }
        let mut random = Zeroizing::new([0; 32]);
        getrandom::fill(random.as_mut_slice()).map_err(|e| internal(&e))?;
        let (secret, link) = fresh_link(&random);
        let until = clock::now().plus(LINK_LIFETIME);
        let invited = Change::PersonInvited { person: person.clone(), link, until };
        let answer = self.change(by, invited).await?;
        let told = Invitation {
            person: person.to_string(),
            link: link_at(origin, &secret),
            until_ms: until.millis(),
            pending: answer.get("pending").and_then(Value::as_u64),
        };
        serde_json::to_value(told).map_err(|e| internal(&e))
    }

    /// Takes away what a person logs in by, at once, and makes a link by which it begins anew. What waits
    /// for somebody else is the link alone.
    pub(super) async fn reset_person(
        &self,
        by: &Administrator,
        person: &str,
    ) -> Result<Value, Failure> {
        let known = self.person_for(by, person, Action::PasskeyRemove)?;
        self.leaves_two(&Loss::Logins(&known))?;
        // Where no link may be given out nothing is taken away.
        let told = self.invite(by, person).await?;
        let reset = self.parts.people.reset(&known, &Actor::person(&by.person)).await;
        reset.map_err(|e| internal(&e))?;
        self.end_consents().await?;
        Ok(told)
    }

    /// A person's sessions, as JSON.
    pub(super) fn sessions(&self, by: &Administrator, person: &str) -> Result<Value, Failure> {
        let person = self.person_for(by, person, Action::Sessions)?;
        let told = |session: Listed| SessionStatus {
            number: session.number,
            origin: session.origin,
            since_ms: session.since.millis(),
            last_seen_ms: session.last_seen.millis(),
        };
        let sessions: Vec<SessionStatus> =
            self.parts.people.sessions(&person).into_iter().map(told).collect();
        let told = |notice: Notice| NoticeStatus {
            at_ms: notice.at.millis(),
            what: notice.event.to_string(),
        };
        let notices: Vec<NoticeStatus> =
            self.parts.people.notices(&person).into_iter().map(told).collect();
        let passkeys =
            self.parts.people.passkeys(&person).into_iter().map(|(known, name)| PasskeyStatus {
                passkey: short(known.id()),
                name,
                synced: known.backed_up(),
                made_ms: known.made().millis(),
                last_used_ms: known.last_used().millis(),
            });
        let passkeys: Vec<PasskeyStatus> = passkeys.collect();
        Ok(json!({ "sessions": sessions, "passkeys": passkeys, "notices": notices }))
    }

    /// Removes a passkey of somebody else's, whose device is lost.
    pub(super) async fn remove_passkey(
        &self,
        by: &Administrator,
        person: &str,
        passkey: &str,
    ) -> Result<Value, Failure> {
        let person = self.person_for(by, person, Action::PasskeyRemove)?;
        let known = self.parts.people.passkeys(&person).into_iter().map(|(known, _)| known);
        let named: Vec<Passkey> = known.filter(|known| short(known.id()) == passkey).collect();
        let [known] = named.as_slice() else {
            let message = format!("there is no passkey {passkey} of {person}");
            let hint = "`tidegate person sessions NAME` lists them";
            return Err(Failure::new("unknown_passkey", message, hint));
        };
        self.leaves_two(&Loss::Passkey(&person, credential_digest(known.id())))?;
        let actor = Actor::person(&by.person);
        let removed = self.parts.people.revoke_passkey(&person, known.id(), actor).await;
        removed.map_err(|e| internal(&e))?;
        Ok(json!({}))
    }

    /// Who asks, and how far each action of the table reaches for that person.
    pub(super) fn me(&self, by: &Administrator) -> Value {
        self.parts.desk.look(|state| {
            let known = state.people().get(&by.person).map(person_status);
            let may = |action: &&Action| roles::may_ever(state, &by.person, **action).is_ok();
            let all = Action::ALL.iter().filter(may).map(|action| action.what());
            json!({
                "person": by.person.as_str(),
                "roles": known.as_ref().map(|it| it.roles.clone()).unwrap_or_default(),
                "owns": known.as_ref().map(|it| it.owns.clone()).unwrap_or_default(),
                "reads": known.as_ref().map(|it| it.reads.clone()).unwrap_or_default(),
                "sets_up": is_setting_up(state, by),
                "may": if state.has_admin() || by.full { all.collect() } else { Vec::new() },
            })
        })
    }

    /// Ends a person's sessions.
    pub(super) async fn end_sessions(
        &self,
        by: &Administrator,
        person: &str,
        number: Option<u64>,
    ) -> Result<Value, Failure> {
        let person = self.person_for(by, person, Action::SessionsEnd)?;
        let actor = Actor::person(&by.person);
        let ended = self.parts.people.end_sessions(&person, number, None, actor).await;
        Ok(json!({ "ended": ended.map_err(|e| internal(&e))? }))
    }

    /// The outside logins that are linked with a person, as JSON.
    pub(super) fn linked(&self, by: &Administrator, person: &str) -> Result<Value, Failure> {
        let person = self.person_for(by, person, Action::Sessions)?;
        let told = |linked: Linked| LinkedStatus {
            issuer: linked.identity.issuer,
            subject: linked.identity.subject,
            since_ms: linked.since.millis(),
            last_used_ms: linked.last_used.map(Time::millis),
        };
        let linked: Vec<LinkedStatus> =
            self.parts.people.linked(&person).into_iter().map(told).collect();
        let linked = serde_json::to_value(linked).map_err(|e| internal(&e))?;
        Ok(json!({ "linked": linked }))
    }

    /// Unlinks a person's outside logins.
    pub(super) async fn unlink(
        &self,
        by: &Administrator,
        person: &str,
        issuer: Option<String>,
    ) -> Result<Value, Failure> {
        let person = self.person_for(by, person, Action::PersonTighten)?;
        let there = self.parts.people.linked(&person).into_iter();
        let meant = there.filter(|it| issuer.as_ref().is_none_or(|at| *at == it.identity.issuer));
        self.leaves_two(&Loss::Linked(&person, meant.count()))?;
        let actor = Actor::person(&by.person);
        let unlinked = self.parts.people.unlink(&person, issuer.as_deref(), actor).await;
        Ok(json!({ "unlinked": unlinked.map_err(|e| internal(&e))? }))
    }

    /// A person of the desk to whose sessions and logins somebody may do this.
    fn person_for(
        &self,
        by: &Administrator,
        text: &str,
        action: Action,
    ) -> Result<PersonName, Failure> {
        let person: PersonName = name("person", text)?;
        let (there, may) = self.parts.desk.look(|state| {
            let may = roles::may(state, &by.person, action, person == by.person);
            (state.people().contains_key(&person), may)
        });
        may.map_err(turned_down)?;
        if there {
            return Ok(person);
        }
        let hint = "`tidegate person list` tells who there is";
        Err(Failure::new("unknown_person", format!("there is no person {person}"), hint))
    }

    /// The people, as JSON.
    pub(super) fn people(&self) -> Result<Value, Failure> {
        let mut people: Vec<PersonStatus> =
            self.parts.desk.look(|state| state.people().values().map(person_status).collect());
        for person in &mut people {
            let (enrolled, link) = self.parts.people.standing(&person.person);
            person.enrolled_ms = enrolled.map(Time::millis);
            person.link_until_ms = link.map(Time::millis);
        }
        Ok(json!({ "people": people }))
    }

    /// The requests for approval that this person may see, the oldest first.
    pub(super) fn approvals(&self, by: &Administrator) -> Result<Value, Failure> {
        let requests: Vec<ApprovalStatus> = self.parts.desk.look(|state| {
            let seen = |request: &&Request| sees_request(state, &by.person, request);
            let told = |request: &Request| {
                let (asked_by, act) = (&request.approval.by, &request.approval.act);
                // What ended nobody approves any more.
                let waits = request.ended.is_none();
                let yours = waits && roles::is_own(state, &by.person, asked_by, act);
                ApprovalStatus {
                    yours,
                    asked_by_you: *asked_by == by.person,
                    to_confirm: request.is_to_confirm(state),
                    ..approval_status(request)
                }
            };
            state.approvals().iter().filter(seen).map(told).collect()
        });
        let needed = self.parts.desk.look(|state| word(state.approvals_needed()));
        let requests = serde_json::to_value(requests).map_err(|e| internal(&e))?;
        Ok(json!({ "approvals": needed, "requests": requests }))
    }

    /// How many people a loosening takes from now on.
    pub(super) async fn set_approvals(
        &self,
        by: &Administrator,
        text: &str,
    ) -> Result<Value, Failure> {
        let all = [Approvals::One, Approvals::Two];
        let approvals = all.into_iter().find(|mode| word(*mode) == text).ok_or_else(|| {
            let message = format!("approvals: {text:?} is neither one nor two");
            Failure::new("bad_request", message, "correct it and ask again")
        })?;
        self.change(by, Change::ApprovalsSet { approvals }).await
    }

    /// By what people approve from now on. Passkeys are asked for once everybody who approves, or asks for what
    /// loosens, has one.
    pub(super) async fn set_approve_by(
        &self,
        by: &Administrator,
        text: &str,
    ) -> Result<Value, Failure> {
        let approve_by = match text {
            "any" => ApproveBy::Any,
            "passkey" => ApproveBy::Passkey,
            _ => {
                let message = format!("approve_by: {text:?} is neither any nor passkey");
                return Err(Failure::new("bad_request", message, "correct it and ask again"));
            }
        };
        let without = self.without_passkey();
        if approve_by == ApproveBy::Passkey && !without.is_empty() {
            let message = format!("without a passkey: {}", without.join(", "));
            let hint =
                "invite them with `tidegate person invite`, and ask again once they enrolled";
            return Err(Failure::new("no_passkey", message, hint));
        }
        self.change(by, Change::ApproveBySet { approve_by }).await
    }

    /// Who asks for what loosens, or approves it, and has no passkey.
    pub(super) fn without_passkey(&self) -> Vec<String> {
        let decides = |person: &&Person| {
            [Role::Risk, Role::Approver, Role::Admin].iter().any(|role| person.is(*role))
        };
        let deciding: Vec<PersonName> = self.parts.desk.look(|state| {
            state.people().values().filter(decides).map(|person| person.name.clone()).collect()
        });
        let without = deciding.iter().filter(|name| !self.parts.people.can_sign(name));
        without.map(ToString::to_string).collect()
    }

    /// A second person approves what somebody asked, or who asked confirms it.
    pub(super) async fn approve(
        &self,
        by: &Administrator,
        id: u64,
        digest: &str,
    ) -> Result<Value, Failure> {
        let id = ApprovalId(id);
        let digest = super::service::bytes_of(digest).ok_or_else(|| {
            let hint = "give the 64 hexadecimal digits that `tidegate approvals` shows";
            Failure::new("bad_request", "digest: not a SHA-256 in hex", hint)
        })?;
        let factor = by.factor.ok_or_else(|| {
            let hint = format!("approve at {}, by passkey", self.page_of(id));
            Failure::new(FORBIDDEN, "neither a session nor the token alone approves", hint)
        })?;
        if factor == Factor::LocalSocket && self.parts.people.is_asked_for_model(&by.person) {
            let hint = format!("approve at {}, by passkey", self.page_of(id));
            let message = "your role approves by a passkey of a trusted model";
            return Err(Failure::new("needs_passkey", message, hint));
        }
        let asked = self.parts.desk.look(|state| {
            let request = state.approvals().get(id);
            let seen = request.filter(|request| sees_request(state, &by.person, request));
            seen.map(|request| request.approval.act.clone())
        });
        if let Some(Act::Change { change }) = asked
            && takes_somebody_out(&change)
        {
            self.leaves_two(&Loss::Change(&change))?;
        }
        let word = Word { by: by.person.clone(), id, digest, factor };
        let answer = self.parts.desk.approve(word).await;
        self.swept.notify_one();
        if let Answer::Pending { .. } = answer {
            return done(answer);
        }
        done(answer)?;
        let asked = self.parts.desk.look(|state| {
            state.approvals().get(id).map(|r| (r.approval.by.clone(), r.approval.act.clone()))
        });
        let Some((asker, act)) = asked else { return Ok(json!({})) };
        // It is carried out, whatever becomes of the rest.
        Ok(match self.follow_up(asker, act).await {
            Ok(told) => told,
            Err(failure) => and_then(json!({}), Err(failure)),
        })
    }

    /// Where a request is approved.
    pub(crate) fn page_of(&self, id: ApprovalId) -> String {
        format!("{}/console/approvals/{id}", self.parts.people.origin())
    }

    /// Somebody denies what was asked, or takes its own request back.
    pub(super) async fn deny(&self, by: &Administrator, id: u64) -> Result<Value, Failure> {
        let denied = done(self.parts.desk.deny(by.person.clone(), ApprovalId(id)).await)?;
        self.swept.notify_one();
        Ok(denied)
    }

    /// What the server has to do once the core has carried out what was approved. After a crash in
    /// between, the start does the same.
    async fn follow_up(&self, asker: PersonName, act: Act) -> Result<Value, Failure> {
        match act {
            Act::Change { change: Change::KeyAdded { key, replaces } } => {
                self.take_up_key(key, replaces).await?;
            }
            Act::Change { change: Change::AccountAdded { account, .. } } => {
                // Its key is for the asker to ask for: what it may do is another question.
                let asker = Administrator {
                    person: asker,
                    full: false,
                    factor: None,
                    showing: Showing::Door,
                };
                let then = self.take_up_held(&asker, account).await?;
                return Ok(json!({ "then": then }));
            }
            Act::Change { change: Change::VenueKeyImported { .. } } => self.parts.reload.take_up(),
            Act::Change { change: Change::AppSet { .. } | Change::AppRevoked { .. } } => {
                self.parts.oauth.take_up_apps();
            }
            Act::Change { change: Change::PersonSet { .. } } => self.end_consents().await?,
            Act::Change { .. } | Act::Resume { .. } => {}
        }
        Ok(json!({}))
    }
}

/// The word for by what people approve.
pub(super) const fn factor_wanted(approve_by: ApproveBy) -> &'static str {
    match approve_by {
        ApproveBy::Any => "any",
        ApproveBy::Passkey => "passkey",
    }
}

/// How a passkey is called: by the beginning of its id's digest.
fn short(credential: &[u8]) -> String {
    let digest = credential_digest(credential);
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// The word for how many people a loosening takes.
pub(crate) const fn word(mode: Approvals) -> &'static str {
    match mode {
        Approvals::One => "one",
        Approvals::Two => "two",
    }
}

fn person_status(person: &Person) -> PersonStatus {
    let texts = |callers: &[CallerName]| callers.iter().map(ToString::to_string).collect();
    PersonStatus {
        person: person.name.to_string(),
        enrolled_ms: None,
        link_until_ms: None,
        roles: person.roles.iter().map(ToString::to_string).collect(),
        owns: texts(&person.owns),
        reads: texts(&person.reads),
    }
}

fn approval_status(request: &Request) -> ApprovalStatus {
    let Request { approval, digest, asked, misses, confirmed, stage, ended } = request;
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let (by, factor) = match ended {
        Some((Verdict::CarriedOut { by, factor }, _)) => (Some(by), Some(factor_word(*factor))),
        Some((Verdict::Denied { by }, _)) => (Some(by), None),
        _ => (None, None),
    };
    let why = match ended {
        Some((Verdict::Outdated { why }, _)) => Some(why.clone()),
        _ => None,
    };
    ApprovalStatus {
        yours: false,
        asked_by_you: false,
        to_confirm: false,
        confirmed_by: confirmed.map(|factor| factor_word(factor).to_owned()),
        id: approval.id.0,
        by: approval.by.to_string(),
        statement: approval.statement.clone(),
        digest: hex,
        asked_ms: asked.millis(),
        until_ms: approval.until.millis(),
        stage: stage.word().to_owned(),
        ended_ms: ended.as_ref().map(|(_, at)| at.millis()),
        ended_by: by.map(ToString::to_string),
        factor: factor.map(str::to_owned),
        why,
        misses: *misses,
    }
}

const fn factor_word(factor: Factor) -> &'static str {
    match factor {
        Factor::LocalSocket => "local-socket",
        Factor::Passkey { .. } => "passkey",
    }
}
