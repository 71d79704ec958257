//! What it costs to know who calls: the same order by virtual key and by token, and the smallest
//! answers with and without a caller, every side in turn, several rounds, in one run.
//!
//! Requests are signed before they are timed, so that the clients' own cryptography takes nothing from the
//! processors that everything shares.

use super::app::{App, Certified};
use super::load::{Load, Measured, run};
use super::machine::{cpu_seconds, machine};
use super::stage::{self, Gateway, failed, word};
use crate::cli::args::Bench;
use crate::cli::output::{Failure, say};
use crate::cli::status::now_ms;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use aws_lc_rs::{hmac, rand::SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tidegate_identity::oauth::jose::{Alg, SigningKey};
use tidegate_server::config::Durability;
use tidegate_types::secret::Secret;

/// Requests for each second of a round: about as many as a side answers.
const A_SECOND: usize = 5_000;
const RECV_WINDOW: u32 = 60_000;
const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const LIMITS: &str = "/v1/limits";

/// Who calls.
enum By {
    Nobody,
    /// A shared secret: the venue's own signature of an order, RFC 9421 at the unified API.
    Hmac {
        id: String,
        key: Box<hmac::Key>,
    },
    Ed25519 {
        id: String,
        key: Ed25519KeyPair,
    },
    /// A token with a proof for each request.
    Token(Box<App>),
    /// A token bound to the connection's certificate.
    Certificate(Certified),
}

impl By {
    async fn token(gateway: &Gateway, name: &str, key: SigningKey) -> Result<By, Failure> {
        Ok(By::Token(Box::new(App::register(gateway, name, key).await?)))
    }
}

struct Side {
    name: &'static str,
    /// The side that it is compared with.
    base: &'static str,
    orders: bool,
    by: By,
    measured: Measured,
    cpu: f64,
}

/// Measures and gives the figures and a table.
pub async fn measure(dir: &Path, args: &Bench) -> Result<(Value, String), Failure> {
    say("starting a simulator and a gateway");
    let sim = stage::sim(&dir.join("sim"), "127.0.0.1:0", true).await?;
    let price = stage::safe_price(&sim).await?;
    let gateway = stage::gateway(&dir.join("gateway"), &sim, Durability::Os, &price).await?;
    let signer = stage::status(&gateway.dir)?.pids.signer;
    let pids: Vec<u32> = std::iter::once(gateway.running.pid()).chain(signer).collect();
    stage::wait_taken(&gateway.target)?;
    let mut sides = sides(&gateway).await?;
    let mut made = 0;
    for round in 0..args.rounds {
        for side in &mut sides {
            say(&format!("round {} of {}: {}", round + 1, args.rounds, side.name));
            let count = A_SECOND * usize::try_from(args.seconds).unwrap_or(1);
            let requests = (made..made + count).map(|n| side.request(&gateway, &price, n));
            let ready = requests.collect::<Result<Vec<String>, Failure>>()?;
            made += count;
            side.measure(&gateway, ready, args.connections, &pids)?;
        }
    }
    Ok(told(&sides))
}

async fn sides(gateway: &Gateway) -> Result<Vec<Side>, Failure> {
    let secret = |name: &str| -> Result<By, Failure> {
        stage::granted(&gateway.dir, name)?;
        let made = stage::administer(&gateway.dir, &stage::key_for(name, None))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, word(&made, "/secret")?.as_bytes());
        Ok(By::Hmac { id: word(&made, "/id")?, key: Box::new(key) })
    };
    let pair = Ed25519KeyPair::generate().map_err(|e| failed(&e.to_string()))?;
    let public: String = pair.public_key().as_ref().iter().map(|b| format!("{b:02x}")).collect();
    stage::granted(&gateway.dir, "asymmetric")?;
    let made = stage::administer(&gateway.dir, &stage::key_for("asymmetric", Some(public)))?;
    let asymmetric = By::Ed25519 { id: word(&made, "/id")?, key: pair };
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let document = Secret::new(document.map_err(|e| failed(&e.to_string()))?.as_ref().to_vec());
    let es256 =
        || SigningKey::from_pkcs8(Alg::Es256, &document).map_err(|e| failed(&e.to_string()));
    let ed25519 =
        SigningKey::from_seed(&Secret::new(vec![9; 32])).map_err(|e| failed(&e.to_string()))?;
    let side = |name, base, by| {
        let orders = !matches!(base, "nobody");
        Side { name, base, orders, by, measured: Measured::default(), cpu: 0.0 }
    };
    Ok(vec![
        side("order, HMAC key", "order, HMAC key", secret("shared")?),
        side("order, Ed25519 key", "order, HMAC key", asymmetric),
        side(
            "order, token, Ed25519 proof",
            "order, HMAC key",
            By::token(gateway, "app-ed25519", ed25519).await?,
        ),
        side(
            "order, token, ES256 proof",
            "order, HMAC key",
            By::token(gateway, "app-es256", es256()?).await?,
        ),
        side(
            "order, token, certificate",
            "order, HMAC key",
            By::Certificate(Certified::register(gateway, "app-certificate").await?),
        ),
        side("nobody", "nobody", By::Nobody),
        side("limits, HMAC key", "nobody", secret("reader")?),
        side(
            "limits, token, ES256 proof",
            "nobody",
            By::token(gateway, "app-reader", es256()?).await?,
        ),
        side(
            "limits, token, certificate",
            "nobody",
            By::Certificate(Certified::register(gateway, "app-certified-reader").await?),
        ),
    ])
}

impl Side {
    fn request(&self, gateway: &Gateway, price: &str, number: usize) -> Result<String, Failure> {
        let host = gateway.url.trim_start_matches("https://");
        if self.orders {
            let (headers, body) = self.order(gateway, price, number)?;
            return Ok(format!(
                "POST /binance/fapi/v1/order HTTP/1.1\r\nhost: {host}\r\n{headers}\
                 content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ));
        }
        let uri = format!("{}{LIMITS}", gateway.url);
        let (path, headers) = match &self.by {
            By::Nobody => (RESOURCE, String::new()),
            By::Hmac { id, key } => (LIMITS, message_signature(id, key, &uri, number)),
            By::Token(app) => (LIMITS, app.headers("GET", &uri)?),
            By::Certificate(app) => (LIMITS, app.header()),
            By::Ed25519 { .. } => return Err(failed("no side reads by such a key")),
        };
        Ok(format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n"))
    }

    /// The headers and the body of an order that is accepted, answered and gone.
    fn order(
        &self,
        gateway: &Gateway,
        price: &str,
        number: usize,
    ) -> Result<(String, String), Failure> {
        let mut body = format!(
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.01&price={price}\
             &newOrderRespType=RESULT&newClientOrderId=bench-{number}"
        );
        let stamp = format!("&recvWindow={RECV_WINDOW}&timestamp={}", now_ms());
        let id = match &self.by {
            By::Hmac { id, key } => {
                body.push_str(&stamp);
                let tag = hmac::sign(key, body.as_bytes());
                body.push_str("&signature=");
                for byte in tag.as_ref() {
                    let _ = write!(body, "{byte:02x}");
                }
                id
            }
            By::Ed25519 { id, key } => {
                body.push_str(&stamp);
                let signature = STANDARD.encode(key.sign(body.as_bytes()));
                let escaped = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
                let _ = write!(body, "&signature={escaped}");
                id
            }
            By::Token(app) => {
                let uri = format!("{}/binance/fapi/v1/order", gateway.url);
                return Ok((app.headers("POST", &uri)?, body));
            }
            By::Certificate(app) => return Ok((app.header(), body)),
            By::Nobody => return Err(failed("nobody sends no orders")),
        };
        Ok((format!("x-mbx-apikey: {id}\r\n"), body))
    }

    fn measure(
        &mut self,
        gateway: &Gateway,
        ready: Vec<String>,
        connections: usize,
        pids: &[u32],
    ) -> Result<(), Failure> {
        let cpu = || pids.iter().map(|pid| cpu_seconds(*pid)).sum::<f64>();
        // The requests end before the time does.
        let load = Load { connections, rate: None, time: Duration::from_secs(60) };
        let mut target = gateway.target.with_ready(ready);
        if let By::Certificate(app) = &self.by {
            target.tls = Arc::clone(&app.tls);
        }
        let (target, before) = (Arc::new(target), cpu());
        let measured = run(&target, load).map_err(|e| failed(&format!("{}: {e}", self.name)))?;
        if let Some(example) = &measured.example {
            let count = measured.failures;
            return Err(failed(&format!("{} was refused {count} times: {example}", self.name)));
        }
        self.measured.merge(measured);
        self.cpu += cpu() - before;
        Ok(())
    }

    #[allow(clippy::cast_precision_loss)]
    fn cpu_us(&self) -> f64 {
        self.cpu * 1e6 / self.measured.latencies.len().max(1) as f64
    }
}

/// A request without a body, signed with a shared secret (RFC 9421 §3.1).
fn message_signature(id: &str, key: &hmac::Key, uri: &str, number: usize) -> String {
    let created = now_ms() / 1000;
    let input = format!(
        "(\"@method\" \"@target-uri\");created={created};nonce=\"n{number}\";keyid=\"{id}\""
    );
    let base = format!("\"@method\": GET\n\"@target-uri\": {uri}\n\"@signature-params\": {input}");
    let signature = STANDARD.encode(hmac::sign(key, base.as_bytes()));
    format!("signature-input: s={input}\r\nsignature: s=:{signature}:\r\n")
}

fn told(sides: &[Side]) -> (Value, String) {
    let mut text = format!(
        "{}\nas fast as the connections go, every side in turn; requests were signed before\n\n\
         {:<28} {:>10} {:>7} {:>8} {:>8} {:>8}\n",
        machine(),
        "",
        "requests/s",
        "× base",
        "p50 µs",
        "p99",
        "CPU µs"
    );
    let rate =
        |name: &str| sides.iter().find(|s| s.name == name).map_or(1.0, |s| s.measured.rate());
    let mut figures = BTreeMap::new();
    for side in sides {
        let times = side.measured.rate() / rate(side.base);
        let (p50, p99) = (side.measured.quantile_us(0.5), side.measured.quantile_us(0.99));
        let _ = writeln!(
            text,
            "{:<28} {:>10.0} {times:>7.2} {p50:>8.0} {p99:>8.0} {:>8.1}",
            side.name,
            side.measured.rate(),
            side.cpu_us()
        );
        figures.insert(
            side.name,
            json!({
                "per_second": side.measured.rate(), "of_base": times, "base": side.base,
                "p50_us": p50, "p99_us": p99, "cpu_us": side.cpu_us(),
            }),
        );
    }
    (json!({ "sides": figures }), text)
}
