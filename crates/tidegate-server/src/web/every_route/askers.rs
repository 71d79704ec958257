//! A desk with something to take away, and who asks there.

use super::{Needs, Place, Row, samples};
use crate::admin::tests::{Office, office};
use crate::clock;
use crate::config::Logins;
use crate::desk::tests::name;
use crate::edge::Site;
use crate::front::Gate;
use crate::people::tests::{Device, answer};
use crate::web::oauth::tests::{App, ISSUER, key};
use serde_json::{Value, json};
use std::sync::Arc;
use tidegate_core::action::Answer;
use tidegate_identity::oauth::dpop::ath;
use tidegate_identity::people::sessions::csrf_token;
use tidegate_types::record::Change;
use tidegate_types::request::{Method, RawRequest, Reply};
use tidegate_venues::front::Instruments;
use tidegate_venues::registry;

/// What nobody else may read: the id that an order was given by its caller.
pub(super) const MINE: &str = "only-ann-knows";

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asker {
    /// One who shows nothing.
    Nobody,
    /// One who shows what was made up.
    Forged,
    /// One who says, as a proxy would, that somebody else was let in.
    Proxied,
    /// A page that has nothing but a good session of a person's.
    Cookie,
    /// One whose credentials were good.
    Revoked,
    /// Another who is let in, and may read its own.
    Reader,
    /// One who may.
    Good,
}

/// What is there to be changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Holds {
    orders: usize,
    /// What was sent to a venue, but for comparisons.
    sent: usize,
    grants: usize,
    keys: usize,
}

/// One desk, at two venues; `ann` and `der` trade, `bob` and `eve` have apps that read.
pub(super) struct Desk {
    office: Office,
    gate: Arc<Gate>,
    trades: [Bearer; 2],
    reads: [Bearer; 2],
    /// The session of an administrator, and of a trader who owns nothing.
    sessions: [String; 2],
    /// A key of `ann`'s, and an order.
    key: String,
    order: String,
}

struct Bearer {
    app: App,
    token: String,
}

const VENUES: [&str; 2] = ["binance", "deribit"];

async fn bearer(office: &Office, app: &'static str, venue: &str, reads: bool) -> Bearer {
    let account = if venue == "binance" { "main" } else { "second" };
    let mut terms = json!({"type": "tidegate_trading", "venue": venue, "account": account,
        "instruments": ["*"], "sides": ["buy", "sell"], "order_types": ["limit"]});
    match reads {
        true => {
            terms = json!({"type": "tidegate_trading", "venue": venue, "account": account,
                "instruments": ["*"], "read_only": true});
        }
        false => {
            terms["max_order"] = json!({"notional": "500"});
            terms["max_open_notional"] = "1000".into();
        }
    }
    let _ = office.ask(json!({"op": "caller-add", "caller": app})).await;
    let keys = json!({"keys": [key(1).public().to_json()]});
    for request in [
        json!({"op": "grant-set", "caller": app, "account": account, "trade": true,
            "instruments": ["*"], "max_order_notional": "5000", "max_open_notional": "9000",
            "orders_per_second": 50, "burst": 50}),
        json!({"op": "app-set", "app": app, "title": "An app", "jwks": keys,
            "grants": ["client_credentials"], "details": [terms]}),
    ] {
        office.ask(request.clone()).await.unwrap_or_else(|e| panic!("{request}: {e:?}"));
    }
    let app = App::named(office.oauth(), app);
    let token = app.token().await;
    Bearer { app, token }
}

async fn session(office: &Office, person: &str, roles: &[&str]) -> String {
    let people = office.people();
    let made = office.ask(json!({"op": "person-invite", "person": person})).await.unwrap();
    let link = made["link"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
    let set = json!({"op": "person-set", "person": person, "roles": roles});
    office.ask(set).await.unwrap();
    let (mut device, first) = Device::make(&people.ask_first_passkey(&link).unwrap());
    people.enrol_passkey(&link, &answer(first), "here").await.unwrap();
    let shown = device.sign(&people.ask_passkey(person).unwrap());
    let id = people.log_in_by_passkey(person, &answer(shown), "here").await.unwrap();
    id.expose().to_owned()
}

pub(super) async fn desk() -> Desk {
    let office = office().await;
    // The venue is not configured; its door is there, as it is for every venue.
    let add = Change::AccountAdded { venue: name(VENUES[1]), account: name("second") };
    let added = office.world.desk.administer(name("owner"), add).await;
    assert!(matches!(added, Answer::Done), "{added:?}");
    let book = office.world.desk.book(&name(VENUES[0]));
    let mut perpetual = book.get(&name("BTCUSDT")).unwrap().clone();
    perpetual.id.venue = name(VENUES[1]);
    perpetual.id.name = name("BTC-PERPETUAL");
    let perpetual = [(name("BTC-PERPETUAL"), perpetual)];
    office.world.desk.publish(&name(VENUES[1]), Instruments(perpetual.into()));
    let trades = [
        bearer(&office, "ann", VENUES[0], false).await,
        bearer(&office, "der", VENUES[1], false).await,
    ];
    let reads = [
        bearer(&office, "bob", VENUES[0], true).await,
        bearer(&office, "eve", VENUES[1], true).await,
    ];
    let made = office.ask(json!({"op": "key-add", "caller": "ann", "account": "main"})).await;
    let made = made.unwrap()["id"].as_str().unwrap().to_owned();
    // Once there is an administrator, nobody else is one.
    let tom = session(&office, "tom", &["trader"]).await;
    let sessions = [session(&office, "ada", &["admin"]).await, tom];
    let gate = Gate::new(
        Arc::clone(&office.world.desk),
        office.callers(),
        Arc::clone(&office.world.links),
        Arc::clone(&office.admin),
        office.web(),
        Logins::default(),
        office.stop.clone(),
    );
    let mut desk = Desk { office, gate, trades, reads, sessions, key: made, order: String::new() };
    let order = Row::web(Method::Post, "/v1/orders", Needs::Caller, true);
    let placed = desk.ask(&order, Asker::Good).await;
    let told: Value = serde_json::from_slice(&placed.body).unwrap();
    assert_eq!(placed.status, 201, "{told}");
    told["id"].as_str().unwrap().clone_into(&mut desk.order);
    desk
}

impl Desk {
    /// What there is now.
    pub(super) fn holds(&self) -> Holds {
        let arrived = self.office.world.told.arrived.lock().unwrap();
        let sent = arrived.iter().filter(|call| !call.starts_with("snapshot")).count();
        self.office.world.desk.look(|state| Holds {
            orders: state.orders().iter().count(),
            sent,
            grants: state.grants().count(),
            keys: state.keys().len(),
        })
    }

    /// How many records there are. A refusal is one as well.
    pub(super) fn records(&self) -> u64 {
        self.office.world.desk.next_seq().0
    }

    /// Whether the session and the token that others have are still good.
    pub(super) async fn is_untouched(&self) -> bool {
        let read = Row::web(Method::Get, "/v1/orders", Needs::Caller, false);
        let page = Row::web(Method::Get, "/console/", Needs::Session, false);
        let orders = self.ask(&read, Asker::Good).await;
        let home = self.ask(&page, Asker::Good).await;
        String::from_utf8_lossy(&orders.body).contains(MINE) && home.status == 200
    }

    /// Takes back every credential there is.
    pub(super) async fn revoke(&self) {
        let by = self.office.someone("ada");
        let take = async |request: Value| {
            self.office.ask_as(&by, request).await.unwrap();
        };
        for app in ["ann", "der", "bob", "eve"] {
            take(json!({"op": "app-revoke", "app": app})).await;
        }
        take(json!({"op": "key-revoke", "id": self.key})).await;
        for person in ["tom", "ada"] {
            take(json!({"op": "sessions-end", "person": person})).await;
        }
        self.office.set_token("another\n");
    }

    /// The answer to what an asker asks at a route.
    pub(super) async fn ask(&self, row: &Row, asker: Asker) -> Reply {
        let mut request = samples::request(row, &self.order);
        self.show(row, asker, &mut request);
        match row.place {
            Place::Web => self.gate.visit(request).await,
            Place::Admin => self.gate.administer(request).await,
            Place::Venue(venue) => self.gate.reply(venue, request).await,
        }
    }

    fn show(&self, row: &Row, asker: Asker, request: &mut RawRequest) {
        let mut header = |name: &str, value: String| request.headers.push((name.to_owned(), value));
        match asker {
            Asker::Nobody => return header("origin", "https://evil.example".to_owned()),
            Asker::Cookie => {
                return header("cookie", format!("__Host-tidegate={}", self.sessions[0]));
            }
            Asker::Proxied => {
                for (name, value) in samples::PROXIED {
                    header(name, (*value).to_owned());
                }
                return;
            }
            Asker::Forged | Asker::Revoked | Asker::Reader | Asker::Good => {}
        }
        match row.needs {
            Needs::Nothing => {}
            Needs::Operator => {
                let token = match asker {
                    Asker::Forged | Asker::Reader => "open says me",
                    _ => "open sesame",
                };
                header("authorization", format!("Bearer {token}"));
            }
            Needs::KeyId => header(
                "x-mbx-apikey",
                if asker == Asker::Forged { "a".repeat(64) } else { self.key.clone() },
            ),
            Needs::Link => samples::put(request, "link", &"l".repeat(43)),
            Needs::Session | Needs::LoginPage => {
                let session = match asker {
                    Asker::Forged => "s".repeat(43),
                    Asker::Reader => self.sessions[1].clone(),
                    _ => self.sessions[0].clone(),
                };
                header(
                    "cookie",
                    format!("__Host-tidegate={session}; __Host-tidegate-login={session}"),
                );
                samples::put(request, "csrf", csrf_token(&session).expose());
            }
            Needs::Client => {
                let bearer = if asker == Asker::Reader { &self.reads[0] } else { &self.trades[0] };
                let fields = samples::fields(&row.path, &self.trades[0].token);
                let mut form = bearer.app.form(&fields);
                if asker == Asker::Forged {
                    // A letter in the middle of the assertion's signature.
                    let assertion = form.find("client_assertion=").unwrap();
                    let end = form[assertion..].find('&').map_or(form.len(), |at| assertion + at);
                    let at = end - 40;
                    let other = if form[at..].starts_with('A') { "B" } else { "A" };
                    form.replace_range(at..=at, other);
                }
                let nonce = bearer.app.handle.look(|authority| authority.nonce(clock::now()));
                let uri = format!("{ISSUER}{}", row.path);
                let proof = bearer.app.proof(&uri, "POST", nonce.as_deref(), None);
                header("dpop", proof);
                request.body = form.into_bytes();
            }
            Needs::Caller | Needs::Refused => {
                let (at, prefix) = match row.place {
                    Place::Venue(venue) => (
                        usize::from(venue.name().as_str() != VENUES[0]),
                        format!("/{}", venue.name()),
                    ),
                    Place::Web | Place::Admin => (0, String::new()),
                };
                let bearer =
                    if asker == Asker::Reader { &self.reads[at] } else { &self.trades[at] };
                let mut token = bearer.token.clone();
                if asker == Asker::Forged {
                    token.insert(20, 'x');
                }
                let uri = format!("{ISSUER}{prefix}{}", request.path);
                let headers = bearer.app.handle.headers(None);
                let nonce = headers.iter().find(|(name, _)| name == "dpop-nonce").unwrap();
                let method = row.method.as_str();
                let proof = bearer.app.proof(&uri, method, Some(&nonce.1), Some(&ath(&token)));
                header("authorization", format!("DPoP {token}"));
                header("dpop", proof);
            }
        }
    }
}

#[test]
fn every_venue_has_askers() {
    let venues: Vec<String> = registry::all().iter().map(|v| v.name().to_string()).collect();
    assert_eq!(venues, VENUES);
}
