//! The WebSocket API: the REST calls as messages.

use super::auth;
use super::fail::Fail;
use super::params::{Params, lexeme};
use super::routes::{self, Call, Outcome, Security};
use crate::config::KeySecret;
use crate::engine::Venue;
use crate::serve::faults::Fault;
use crate::serve::http::{Request, Socket};
use crate::serve::world::{Key, Shared, World};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::Duration;
use tidegate_types::time::Time;
use tokio_tungstenite::tungstenite::Message;

/// What a connection remembers.
struct Session {
    peer: IpAddr,
    connected: Time,
    limits_told: bool,
    signed_in: Option<(Key, Time)>,
}

/// Methods and the REST routes they are.
const METHODS: &[(&str, &str, &str)] = &[
    ("depth", "GET", "/fapi/v1/depth"),
    ("ticker.price", "GET", "/fapi/v2/ticker/price"),
    ("ticker.book", "GET", "/fapi/v1/ticker/bookTicker"),
    ("order.place", "POST", "/fapi/v1/order"),
    ("order.modify", "PUT", "/fapi/v1/order"),
    ("order.cancel", "DELETE", "/fapi/v1/order"),
    ("order.status", "GET", "/fapi/v1/order"),
    ("algoOrder.place", "POST", "/fapi/v1/algoOrder"),
    ("algoOrder.cancel", "DELETE", "/fapi/v1/algoOrder"),
    ("account.position", "GET", "/fapi/v2/positionRisk"),
    ("v2/account.position", "GET", "/fapi/v3/positionRisk"),
    ("account.balance", "GET", "/fapi/v2/balance"),
    ("v2/account.balance", "GET", "/fapi/v3/balance"),
    ("account.status", "GET", "/fapi/v2/account"),
    ("v2/account.status", "GET", "/fapi/v3/account"),
    ("userDataStream.start", "POST", "/fapi/v1/listenKey"),
    ("userDataStream.ping", "PUT", "/fapi/v1/listenKey"),
    ("userDataStream.stop", "DELETE", "/fapi/v1/listenKey"),
];

/// Serves a connection to its end.
pub(super) async fn serve(world: Shared, request: &Request, mut socket: Socket) {
    let told = Params::of_form(&request.query, "").flag("returnRateLimits");
    let mut session = Session {
        peer: request.peer.ip(),
        connected: world.borrow().now(),
        limits_told: !matches!(told, Ok(Some(false))),
        signed_in: None,
    };
    while let Some(Ok(frame)) = socket.next().await {
        let text = match frame {
            Message::Text(text) => text,
            Message::Close(_) => break,
            _ => continue,
        };
        let (answer, fault) = session.answer(&mut world.borrow_mut(), &text);
        match fault {
            Some(Fault::DropAnswer | Fault::Close) => break,
            Some(Fault::Delay(millis)) => tokio::time::sleep(Duration::from_millis(millis)).await,
            _ => {}
        }
        if socket.send(Message::text(answer.to_string())).await.is_err() {
            break;
        }
    }
}

impl Session {
    fn answer(&mut self, world: &mut World, text: &str) -> (Value, Option<Fault>) {
        let asked = serde_json::from_str::<Value>(text).ok();
        let Some(Value::Object(asked)) = asked else {
            let fail = Fail { status: 400, code: -1000, text: "Invalid JSON.".into() };
            return (self.envelope(&Value::Null, Err(fail), true, world), None);
        };
        let id = asked.get("id").cloned().unwrap_or(Value::Null);
        let method = asked.get("method").and_then(Value::as_str).unwrap_or_default();
        let fault = world.faults.strike(Venue::Binance, method, false);
        let params = match asked.get("params") {
            Some(Value::Object(params)) => Params::of_object(params),
            _ => Params::default(),
        };
        let top = asked.get("returnRateLimits").map(lexeme);
        let told = params.get("returnRateLimits").or(top.as_deref()) != Some("false");
        let outcome = match fault {
            Some(Fault::Close) => Err(Fail::UNKNOWN),
            Some(Fault::Status(status)) => Err(Fail { status, ..Fail::UNKNOWN }),
            _ => self.run(world, method, params),
        };
        let outcome = match fault {
            Some(Fault::StatusAfter(status)) => Err(Fail { status, ..Fail::UNKNOWN }),
            _ => outcome,
        };
        (self.envelope(&id, outcome, told, world), fault)
    }

    fn envelope(&self, id: &Value, outcome: Outcome, told: bool, world: &World) -> Value {
        let mut answer = match outcome {
            Ok(result) => json!({"id": id, "status": 200, "result": result}),
            Err(fail) => json!({"id": id, "status": fail.status, "error": fail.body()}),
        };
        if self.limits_told
            && told
            && let Some(fields) = answer.as_object_mut()
        {
            let limits = json!([{
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": world.limits.weight_per_minute,
                "count": world.binance.counters.used(self.peer),
            }]);
            fields.insert("rateLimits".to_owned(), limits);
        }
        answer
    }

    fn run(&mut self, world: &mut World, method: &str, params: Params) -> Outcome {
        let now = world.now();
        match method {
            "session.logon" => return self.sign_in(world, &params, now),
            "session.status" => return Ok(self.status(now)),
            "session.logout" => {
                self.signed_in = None;
                return Ok(self.status(now));
            }
            _ => {}
        }
        let known = METHODS.iter().find(|(name, ..)| *name == method);
        let (_, verb, path) = known.ok_or(Fail {
            status: 400,
            code: -1020,
            text: "This operation is not supported.".into(),
        })?;
        let route = routes::find(verb, path)?;
        let limits = world.limits;
        let weight = (route.weight)(&params);
        world.binance.counters.weigh(self.peer, weight, &limits, now)?;
        let key = match route.security {
            Security::None => None,
            Security::Key => Some(self.named_key(world, &params)?),
            Security::Read | Security::Trade | Security::Withdraw => {
                Some(self.signer(world, &params, now)?)
            }
        };
        let mut call = Call { world, params, key, now };
        call.permitted(route.security)?;
        call.count_orders(route, &limits)?;
        (route.run)(&mut call)
    }

    fn named_key(&self, world: &World, params: &Params) -> Result<Key, Fail> {
        match (params.get("apiKey"), &self.signed_in) {
            (None, Some((key, _))) => Ok(key.clone()),
            (id, _) => auth::find_key(world, id),
        }
    }

    /// Who signed the request, or signed the connection in.
    fn signer(&self, world: &World, params: &Params, now: Time) -> Result<Key, Fail> {
        if let (None, Some((key, _))) = (params.get("apiKey"), &self.signed_in) {
            auth::check_time(params, now)?;
            return Ok(key.clone());
        }
        let key = auth::find_key(world, params.get("apiKey"))?;
        auth::check_time(params, now)?;
        let given = params.need("signature")?;
        auth::check_signature(&key, &auth::sorted_payload(params), given)
            .or_else(|_| auth::check_signature(&key, &encoded_payload(params), given))?;
        Ok(key)
    }

    fn sign_in(&mut self, world: &World, params: &Params, now: Time) -> Outcome {
        let key = auth::find_key(world, params.get("apiKey"))?;
        if !matches!(key.config.secret, KeySecret::Ed25519(_)) {
            return Err(Fail {
                status: 400,
                code: -4056,
                text: "Invalid api key type: only Ed25519 keys may log on.".into(),
            });
        }
        let key = self.signer_of(&key, params, now)?;
        self.signed_in = Some((key, now));
        Ok(self.status(now))
    }

    fn signer_of(&self, key: &Key, params: &Params, now: Time) -> Result<Key, Fail> {
        auth::check_time(params, now)?;
        auth::check_signature(key, &auth::sorted_payload(params), params.need("signature")?)?;
        Ok(key.clone())
    }

    fn status(&self, now: Time) -> Value {
        let signed = self.signed_in.as_ref();
        json!({
            "apiKey": signed.map(|(key, _)| key.config.id.clone()),
            "authorizedSince": signed.map(|(_, since)| since.millis()),
            "connectedSince": self.connected.millis(),
            "returnRateLimits": self.limits_told,
            "serverTime": now.millis(),
            "userDataStream": false,
        })
    }
}

/// The payload as the venue's own library signs it: sorted, and percent-encoded.
fn encoded_payload(params: &Params) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    let mut pairs: Vec<&(String, String)> =
        params.pairs().iter().filter(|(name, _)| name != "signature").collect();
    pairs.sort();
    let encode = |(name, value): &(String, String)| {
        let value = utf8_percent_encode(value, KEPT).to_string().replace("%20", "+");
        format!("{name}={value}")
    };
    pairs.into_iter().map(encode).collect::<Vec<_>>().join("&")
}
