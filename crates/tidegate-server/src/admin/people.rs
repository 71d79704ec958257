//! People, and what they have approved by each other.

use super::Administrator;
use super::grants::name;
use super::protocol::{
    ApprovalStatus, Failure, Invitation, LinkedStatus, NoticeStatus, PasskeyStatus, PersonSpec,
    PersonStatus, SessionStatus,
};
use super::rights::{is_setting_up, turned_down};
use super::service::{Administration, done, internal};
use crate::clock;
use crate::people::{Listed, credential_digest, link_at};
use serde_json::{Value, json};
use std::fmt::Write as _;
use tidegate_core::action::Answer;
use tidegate_core::approvals::{FORBIDDEN, Request, Stage, Word, sees_request};
use tidegate_core::roles::{self, Action};
use tidegate_core::state::State;
use tidegate_identity::people::notices::Notice;
use tidegate_identity::people::{LINK_LIFETIME, Linked, Passkey, fresh_link};
use tidegate_types::approval::{Act, Factor, Showing, Verdict};
use tidegate_types::grant::KeyScheme;
use tidegate_types::ids::{ApprovalId, CallerName, KeyId, PersonName};
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
        let done = self.change(by, Change::PersonSet { person }).await?;
        self.end_consents().await?;
        Ok(done)
    }

    /// Removes a person, and what it logs in by.
    pub(super) async fn remove_person(
        &self,
        by: &Administrator,
        person: &str,
    ) -> Result<Value, Failure> {
        let person = name("person", person)?;
        let removed = self.change(by, Change::PersonRemoved { person }).await?;
        self.parts.people.forget_strangers().await.map_err(|e| internal(&e))?;
        self.end_consents().await?;
        Ok(removed)
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
        let removed = self.parts.people.revoke_passkey(&person, known.id()).await;
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
        let ended = self.parts.people.end_sessions(&person, number, None).await;
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
        let unlinked = self.parts.people.unlink(&person, issuer.as_deref()).await;
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
                let yours = roles::is_own(state, &by.person, asked_by, act);
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
        let without = deciding.iter().filter(|name| !self.parts.people.has_passkey(name));
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
        let word = Word { by: by.person.clone(), id, digest, factor };
        let answer = self.parts.desk.approve(word).await;
        self.forget_keys_never_made().await?;
        if let Answer::Pending { .. } = answer {
            return done(answer);
        }
        done(answer)?;
        let asked = self.parts.desk.look(|state| {
            state.approvals().get(id).map(|r| (r.approval.by.clone(), r.approval.act.clone()))
        });
        let Some((asker, act)) = asked else { return Ok(json!({})) };
        self.follow_up(asker, act).await
    }

    /// Where a request is approved.
    pub(super) fn page_of(&self, id: ApprovalId) -> String {
        format!("{}/console/approvals/{id}", self.parts.people.origin())
    }

    /// Somebody denies what was asked, or takes its own request back.
    pub(super) async fn deny(&self, by: &Administrator, id: u64) -> Result<Value, Failure> {
        let denied = done(self.parts.desk.deny(by.person.clone(), ApprovalId(id)).await)?;
        self.forget_keys_never_made().await?;
        Ok(denied)
    }

    /// What the server has to do once the core has carried out what was approved. After a crash in
    /// between, the start does the same.
    async fn follow_up(&self, asker: PersonName, act: Act) -> Result<Value, Failure> {
        match act {
            Act::Change { change: Change::KeyAdded { key, replaces } } => {
                let id = key.id.clone();
                let secret = match key.scheme {
                    KeyScheme::Hmac => self.with_secrets(move |secrets| secrets.get(&id)).await?,
                    KeyScheme::Ed25519 { .. } | KeyScheme::Rsa { .. } => None,
                };
                self.put_in_force(key, secret, replaces)?;
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

    /// The secrets of keys that were asked for and not approved are good for nothing.
    async fn forget_keys_never_made(&self) -> Result<(), Failure> {
        let never = |state: &State| -> Vec<KeyId> {
            let failed = state
                .approvals()
                .iter()
                .filter(|request| !matches!(request.stage, Stage::Waiting | Stage::CarriedOut));
            let ids = failed.filter_map(|request| match &request.approval.act {
                Act::Change { change: Change::KeyAdded { key, .. } } => Some(key.id.clone()),
                _ => None,
            });
            ids.filter(|id| !state.keys().contains_key(id)).collect()
        };
        let never = self.parts.desk.look(never);
        if never.is_empty() {
            return Ok(());
        }
        self.with_secrets(move |secrets| {
            never.iter().try_for_each(|id| secrets.remove(id).map(|_| ()))
        })
        .await
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
