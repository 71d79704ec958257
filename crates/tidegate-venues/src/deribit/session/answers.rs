//! What comes back: from the pipeline, and from the venue's public socket.

use super::{DeribitSession, Relayed, Waiting, frame, refusal, token};
use crate::deribit::rpc;
use crate::deribit::subscriptions::Subscriptions;
use crate::deribit::{context, errors};
use crate::front::{From, Step, Tag};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

impl DeribitSession {
    pub(super) fn replied(&mut self, tag: Tag, reply: Reply) -> Vec<Step> {
        match self.asked.remove(&tag) {
            Some(Waiting::Renew(_)) => {
                let answer: Option<Value> = serde_json::from_slice(&reply.body).ok();
                let access = answer.as_ref().and_then(|answer| answer.get("result"));
                let access = access.and_then(|result| result.get("access_token"));
                match access.and_then(Value::as_str) {
                    Some(access) => {
                        let presented = token(access);
                        let from = From::Credentials { presented, remember: true };
                        vec![self.identify(from, Waiting::Renewed(reply))]
                    }
                    None => vec![frame(reply)],
                }
            }
            Some(Waiting::Portfolio(of)) => {
                let answer: Option<Value> = serde_json::from_slice(&reply.body).ok();
                let result = answer.as_ref().and_then(|answer| answer.get("result"));
                let summaries = result.and_then(|result| result.get("summaries"));
                let summaries = summaries.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                Subscriptions::portfolio(&of, summaries).into_iter().map(Step::Send).collect()
            }
            Some(Waiting::Logout) => vec![closed()],
            Some(
                Waiting::Pass(_)
                | Waiting::Renewed(_)
                | Waiting::Subscribe(..)
                | Waiting::Unsubscribe(..),
            ) => vec![frame(reply)],
            None => Vec::new(),
        }
    }

    pub(super) fn identified(
        &mut self,
        tag: Tag,
        identity: Result<(), Reject>,
        now: Time,
    ) -> Vec<Step> {
        if let Err(reject) = identity {
            return self.rejected(tag, &reject, now);
        }
        match self.asked.remove(&tag) {
            Some(Waiting::Subscribe(context, wanted)) => self.subscribe(context, wanted, now),
            Some(Waiting::Unsubscribe(context, wanted)) => {
                self.unsubscribe(&context, wanted.as_ref(), now)
            }
            Some(Waiting::Renewed(reply)) => vec![frame(reply)],
            Some(Waiting::Logout) => vec![closed()],
            Some(Waiting::Pass(_) | Waiting::Renew(_) | Waiting::Portfolio(_)) | None => Vec::new(),
        }
    }

    pub(super) fn rejected(&mut self, tag: Tag, reject: &Reject, now: Time) -> Vec<Step> {
        match self.asked.remove(&tag) {
            Some(Waiting::Subscribe(context, _) | Waiting::Unsubscribe(context, _)) => {
                vec![not_subscribed(&context, reject, now)]
            }
            Some(Waiting::Pass(context) | Waiting::Renew(context)) => {
                vec![refusal(&context, reject, now)]
            }
            Some(Waiting::Renewed(reply)) => vec![frame(reply)],
            // The state that a portfolio channel begins with is missing; its changes still come.
            Some(Waiting::Portfolio(_)) | None => Vec::new(),
            Some(Waiting::Logout) => vec![closed()],
        }
    }

    pub(super) fn public_said(&mut self, text: &str, now: Time) -> Vec<Step> {
        let Ok(said) = serde_json::from_str::<Said<'_>>(text) else { return Vec::new() };
        match said.method.as_deref() {
            Some("subscription") => said.params.map_or_else(Vec::new, |params| {
                let told = |name: &str| renamed(text, &params, name);
                self.subscriptions.public_names(&params.channel).map(told).map(Step::Send).collect()
            }),
            Some("heartbeat") => {
                let test = said.params.is_some_and(|params| params.kind == "test_request");
                if !test {
                    return Vec::new();
                }
                self.relay("public/test", Map::new(), Relayed::Ignore)
            }
            Some(_) => Vec::new(),
            None => said.id.map_or_else(Vec::new, |id| self.public_answered(id, text, now)),
        }
    }

    fn public_answered(&mut self, id: u64, text: &str, now: Time) -> Vec<Step> {
        let Some(waiting) = self.relayed.remove(&id) else { return Vec::new() };
        let Ok(Value::Object(mut answer)) = serde_json::from_str::<Value>(text) else {
            return Vec::new();
        };
        match waiting {
            Relayed::Ignore => Vec::new(),
            Relayed::Subscribe(context, wanted) => {
                let Some(Value::Array(names)) = answer.get("result") else {
                    rpc::restore_id(&mut answer, context::id(&context));
                    return vec![Step::Send(Value::Object(answer).to_string())];
                };
                let names: Vec<String> =
                    names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                self.subscribed(&context, wanted, &names, now)
            }
        }
    }
}

/// What the venue's public socket says, as far as it must be known.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default, borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    params: Option<SaidParams<'a>>,
}

#[derive(Deserialize)]
struct SaidParams<'a> {
    #[serde(default, borrow)]
    channel: Cow<'a, str>,
    #[serde(default, borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
}

/// The message under the caller's name for its channel; as it is when that is the venue's own.
fn renamed(text: &str, params: &SaidParams<'_>, name: &str) -> String {
    match params.data {
        Some(data) if params.channel != name => format!(
            r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{name}","data":{data}}}}}"#
        ),
        _ => text.to_owned(),
    }
}

/// The venue has words of its own for a subscription without a login.
fn not_subscribed(context: &crate::front::Context, reject: &Reject, now: Time) -> Step {
    if reject.code != Code::MissingCredentials {
        return refusal(context, reject, now);
    }
    let (code, word) = match context::method(context) {
        "public/subscribe" => (13778, "raw_subscriptions_not_available_for_unauthorized"),
        _ => (13009, "unauthorized"),
    };
    frame(errors::refusal_as(context, code, word, reject, now))
}

fn closed() -> Step {
    Step::Close { code: 1000, reason: "logout".into() }
}
