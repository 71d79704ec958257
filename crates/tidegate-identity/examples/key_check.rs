//! What a check of a virtual key costs beside the bare signature: `key_check [ROUNDS]`, in one run.
//!
//! Prints microseconds of one thread for each check, the median of `RUNS` runs. Every request is another one, as
//! orders are.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use aws_lc_rs::{constant_time, hmac};
use std::error::Error;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;
use tidegate_identity::{Keyring, ReplayGuard, TokenStore, authenticate};
use tidegate_types::grant::{KeyScheme, VirtualKey};
use tidegate_types::ids::{AccountName, CallerName, KeyId, VenueName};
use tidegate_types::key::{KeyTerms, Origin};
use tidegate_types::request::{Presented, Signature};
use tidegate_types::secret::Secret;
use tidegate_types::time::Time;

const NOW: Time = Time::from_millis(1_800_000_000_000);
const RUNS: usize = 5;
const SECRET: &[u8] = b"AnHmacSecretOfSixtyFourCharactersAsVirtualKeysOfBinanceHaveThem0";

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;
type Verify = Box<dyn Fn(&[u8], &[u8]) -> bool>;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One way to sign.
struct Signer {
    scheme: KeyScheme,
    secret: Option<Secret>,
    sign: Sign,
    verify: Verify,
}

fn main() -> Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(20_000), |text| text.parse())?;
    for (name, make) in [("HMAC-SHA256", by_hmac as fn() -> Result<Signer>), ("Ed25519", by_key)] {
        let signer = make()?;
        let requests: Vec<(Vec<u8>, Vec<u8>)> = (0..rounds)
            .map(|n| {
                let text = order(n);
                let signature = (signer.sign)(&text);
                (text, signature)
            })
            .collect();
        report(&format!("bare {name}"), bare(&signer, &requests)?)?;
        report(&format!("{name} key, an order"), whole(&signer, &requests)?)?;
    }
    Ok(())
}

fn report(what: &str, micros: f64) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{micros:8.2} µs  {what}")?)
}

/// What a client of Binance signs for an order.
fn order(n: usize) -> Vec<u8> {
    format!(
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.010&price=60000.10&\
         newClientOrderId=x-{n:016}&recvWindow=5000&timestamp={}",
        NOW.millis()
    )
    .into_bytes()
}

fn by_hmac() -> Result<Signer> {
    let key = || hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    Ok(Signer {
        scheme: KeyScheme::Hmac,
        secret: Some(Secret::new(SECRET.to_vec())),
        sign: Box::new(move |text| hmac::sign(&key(), text).as_ref().to_vec()),
        verify: Box::new(move |text, signature| {
            let own = hmac::sign(&key(), text);
            constant_time::verify_slices_are_equal(own.as_ref(), signature).is_ok()
        }),
    })
}

fn by_key() -> Result<Signer> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).map_err(|_| "a seed")?;
    let public: [u8; 32] = pair.public_key().as_ref().try_into()?;
    Ok(Signer {
        scheme: KeyScheme::Ed25519 { public },
        secret: None,
        sign: Box::new(move |text| pair.sign(text).as_ref().to_vec()),
        verify: Box::new(move |text, signature| {
            UnparsedPublicKey::new(&ED25519, public).verify(text, signature).is_ok()
        }),
    })
}

/// The median of a few runs, in microseconds a request.
fn median(requests: usize, mut run: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut runs = (0..RUNS).map(|_| run()).collect::<Result<Vec<f64>>>()?;
    runs.sort_by(f64::total_cmp);
    Ok(runs.get(RUNS / 2).copied().unwrap_or_default() * 1e6 / requests as f64)
}

fn bare(signer: &Signer, requests: &[(Vec<u8>, Vec<u8>)]) -> Result<f64> {
    median(requests.len(), || {
        let start = Instant::now();
        for (text, signature) in requests {
            if !(signer.verify)(text, signature) {
                return Err("refused".into());
            }
        }
        Ok(start.elapsed().as_secs_f64())
    })
}

/// The whole check: the key found, its terms, the time, the signature, and that it comes for the first time.
fn whole(signer: &Signer, requests: &[(Vec<u8>, Vec<u8>)]) -> Result<f64> {
    let venue = VenueName::new("binance")?;
    let mut keyring = Keyring::new();
    let key = VirtualKey {
        id: KeyId::new("bot-key")?,
        caller: CallerName::new("bot")?,
        venue: venue.clone(),
        account: AccountName::new("main")?,
        scheme: signer.scheme.clone(),
        terms: KeyTerms::default(),
    };
    keyring
        .insert(key, signer.secret.as_ref().map(|secret| Secret::new(secret.expose().to_vec())))
        .map_err(|e| format!("{e:?}"))?;
    let origin = Origin { peer: IpAddr::V4(Ipv4Addr::LOCALHOST), certificate: None };
    let tokens = TokenStore::new();
    median(requests.len(), || {
        let mut replays = ReplayGuard::with_capacity(Time::default(), None, requests.len() + 1);
        let presented: Vec<Presented> = requests.iter().map(presented).collect();
        let start = Instant::now();
        for one in &presented {
            authenticate(&keyring, &mut replays, &tokens, &venue, one, &origin, NOW)
                .map_err(|reject| format!("refused: {reject:?}"))?;
        }
        Ok(start.elapsed().as_secs_f64())
    })
}

fn presented((text, signature): &(Vec<u8>, Vec<u8>)) -> Presented {
    Presented::Signature(Signature {
        key: "bot-key".to_owned(),
        payloads: vec![text.clone()],
        candidates: vec![signature.clone()],
        timestamp_ms: NOW.millis(),
        window_ms: 5000,
        nonce: signature.clone(),
        once: true,
    })
}
