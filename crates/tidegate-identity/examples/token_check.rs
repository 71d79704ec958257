//! What a check of a token costs beside the bare signature: `token_check [ROUNDS]`, in one run.
//!
//! Prints microseconds of one thread for each check, the median of `RUNS` runs.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::error::Error;
use std::io::Write as _;
use std::time::Instant;
use tidegate_identity::RsaBits;
use tidegate_identity::oauth::TokenBearer;
use tidegate_identity::oauth::authority::{Authority, Call, Config};
use tidegate_identity::oauth::client::{
    Binding, ClientId, Credentials, GrantType, Method, PeerCertificate, Terms,
};
use tidegate_identity::oauth::dpop::{Nonces, Proofs, ath};
use tidegate_identity::oauth::event::{Event, State};
use tidegate_identity::oauth::jose::{Alg, Keys, SigningKey, Thumbprint};
use tidegate_identity::oauth::once::Once;
use tidegate_identity::oauth::resource::{Resource, Shown, remains};
use tidegate_identity::oauth::{details, resource};
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};

const NOW: Time = Time::from_millis(1_800_000_000_000);
const URI: &str = "https://desk.example/v1/orders";
const TOKEN_URI: &str = "https://desk.example/oauth/token";
const RUNS: usize = 5;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(2000), |text| text.parse())?;
    let ed25519 = SigningKey::from_seed(&Secret::new(vec![7; 32]))?;
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
    let es256 = SigningKey::from_pkcs8(Alg::Es256, &Secret::new(document.as_ref().to_vec()))?;
    for key in [&ed25519, &es256] {
        let alg = key.public().alg().name();
        report(&format!("bare {alg} verify"), bare(key, rounds)?)?;
        for (name, kept) in [("token and key read anew", false), ("token and key kept", true)] {
            report(&format!("{alg} proof, {name}"), with_proof(key, kept, rounds)?)?;
        }
    }
    let (certificate, session) = bound(rounds)?;
    report("certificate-bound, token kept", certificate)?;
    report("session: still in force", session)
}

fn report(what: &str, micros: f64) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{micros:8.2} µs  {what}")?)
}

/// The median of a few runs, in microseconds a round. `run` does `rounds` of them.
fn median(rounds: usize, mut run: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut runs = (0..RUNS).map(|_| run()).collect::<Result<Vec<f64>>>()?;
    runs.sort_by(f64::total_cmp);
    let micros = runs.get(RUNS / 2).copied().unwrap_or_default() * 1e6;
    Ok(micros / rounds as f64)
}

fn bare(key: &SigningKey, rounds: usize) -> Result<f64> {
    let text = key.prove(&json!({ "jti": "1", "htm": "POST", "htu": URI, "iat": 0 }))?;
    let (signed, signature) = text.rsplit_once('.').ok_or("no signature")?;
    let signature = URL_SAFE_NO_PAD.decode(signature)?;
    median(rounds, || {
        let start = Instant::now();
        for _ in 0..rounds {
            key.public().verify(signed.as_bytes(), &signature)?;
        }
        Ok(start.elapsed().as_secs_f64())
    })
}

/// Checks of requests with one fresh proof each. Without `kept` every request finds an empty memory.
fn with_proof(key: &SigningKey, kept: bool, rounds: usize) -> Result<f64> {
    let mut authority = authority(key, Binding::Dpop);
    let token = token(&mut authority, key, None)?;
    let header = format!("DPoP {token}");
    let digest = ath(&token);
    let proofs =
        (0..rounds).map(|n| prove(key, n, URI, Some(&digest))).collect::<Result<Vec<String>>>()?;
    median(rounds, || {
        let mut resource = Resource::new(checker());
        let mut spent = 0.0;
        for proof in &proofs {
            if !kept {
                resource = Resource::new(checker());
            }
            let (authorization, proofs) = ([header.as_str()], [proof.as_str()]);
            let shown = Shown {
                method: "POST",
                uri: URI,
                authorization: &authorization,
                proofs: &proofs,
                certificate: None,
            };
            let start = Instant::now();
            resource.check(&authority, &shown, anybody, NOW).map_err(refused)?;
            spent += start.elapsed().as_secs_f64();
        }
        Ok(spent)
    })
}

/// A token bound to the connection's certificate, and one that was checked when its session began.
fn bound(rounds: usize) -> Result<(f64, f64)> {
    let key = SigningKey::from_seed(&Secret::new(vec![7; 32]))?;
    let mut authority = authority(&key, Binding::Certificate);
    let certificate =
        PeerCertificate { thumbprint: Thumbprint([1; 32]), trusted: true, names: Vec::new() };
    let token = token(&mut authority, &key, Some(&certificate))?;
    let header = format!("Bearer {token}");
    let authorization = [header.as_str()];
    let shown = Shown {
        method: "POST",
        uri: URI,
        authorization: &authorization,
        proofs: &[],
        certificate: Some(&certificate),
    };
    let mut resource = Resource::new(checker());
    let bearer = resource.check(&authority, &shown, anybody, NOW).map_err(refused)?;
    let by_certificate = median(rounds, || {
        let start = Instant::now();
        for _ in 0..rounds {
            resource.check(&authority, &shown, anybody, NOW).map_err(refused)?;
        }
        Ok(start.elapsed().as_secs_f64())
    })?;
    let session = median(rounds, || {
        let start = Instant::now();
        for _ in 0..rounds {
            remains(&authority, &bearer, NOW).map_err(refused)?;
        }
        Ok(start.elapsed().as_secs_f64())
    })?;
    Ok((by_certificate, session))
}

fn refused(challenge: resource::Challenge) -> String {
    format!("refused: {challenge:?}")
}

fn anybody(_: &TokenBearer) -> std::result::Result<(), resource::Challenge> {
    Ok(())
}

fn checker() -> Proofs {
    let seen = Once::new(2_000_000, Time::default());
    Proofs::new(seen, Nonces::new(&Secret::new(vec![1; 32])), false)
}

fn prove(key: &SigningKey, n: usize, htu: &str, ath: Option<&str>) -> Result<String> {
    let iat = NOW.millis() / 1000;
    let mut claims = json!({ "jti": format!("{n:032}"), "htm": "POST", "htu": htu, "iat": iat });
    if let (Some(ath), Some(claims)) = (ath, claims.as_object_mut()) {
        claims.insert("ath".into(), ath.into());
    }
    Ok(key.prove(&claims)?)
}

/// A server with one client, `bot`, whose tokens allow four accounts.
fn authority(key: &SigningKey, bound_to: Binding) -> Authority {
    let config = Config {
        issuer: "https://desk.example".into(),
        resource: "https://desk.example/v1".into(),
        token_lifetime: Span::from_secs(600),
        grant_lifetime: Span::from_secs(3600),
        mutual_tls: false,
        rsa: RsaBits::DEFAULT,
    };
    let jwks = json!({ "keys": [key.public().to_json()] }).to_string();
    let item = |n: u8| -> Value {
        json!({
            "type": "tidegate_trading", "venue": "venue", "account": format!("account-{n}"),
            "instruments": ["BTC-*", "ETH-*"], "sides": ["buy", "sell"],
            "order_types": ["limit", "market"], "max_order": { "notional": "50000" },
            "max_open_notional": "100000",
        })
    };
    let allowed: Value = (0..4).map(item).collect();
    let mut state = State::default();
    let parsed = details::parse(&allowed.to_string());
    if let (Ok(id), Ok(allowed)) = (ClientId::new("bot"), parsed) {
        let terms = Terms {
            id,
            title: "A bot".into(),
            method: Method::PrivateKeyJwt { jwks },
            bound_to,
            grants: vec![GrantType::ClientCredentials],
            redirect_uris: Vec::new(),
            allowed,
            delegate: None,
            introspects: false,
            signs_requests: false,
        };
        state.apply(&Event::ClientRegistered { terms });
    }
    let ours = SigningKey::from_seed(&Secret::new(vec![100; 32]));
    let Ok(ours) = ours else { unreachable!("32 bytes are a seed") };
    let assertions = Once::new(1000, Time::default());
    Authority::new(config, Keys::new(ours, None), state, checker(), assertions)
}

/// A token for `bot`, bound to `key` or to the certificate.
fn token(
    authority: &mut Authority,
    key: &SigningKey,
    certificate: Option<&PeerCertificate>,
) -> Result<String> {
    use tidegate_identity::oauth::jose::jws::Typ;
    let now = NOW.millis() / 1000;
    let claims = json!({
        "iss": "bot", "sub": "bot", "aud": "https://desk.example", "jti": "1", "iat": now,
        "exp": now + 60,
    });
    let assertion = key.sign(Typ::ClientAssertion, &claims)?;
    let form = format!(
        "grant_type=client_credentials&client_assertion={assertion}&client_assertion_type=\
         urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let proof = prove(key, 0, TOKEN_URI, None)?;
    let proofs = if certificate.is_none() { vec![proof.as_str()] } else { Vec::new() };
    let credentials = Credentials { authorization: None, certificate };
    let call = Call { uri: TOKEN_URI, form: form.as_bytes(), credentials, proofs: &proofs };
    let answer = authority.token(&call, &[5; 64], NOW)?;
    Ok(answer.get("access_token").and_then(Value::as_str).ok_or("no token")?.to_owned())
}
