//! Callers' requests over HTTP, as the server takes them through a venue's front.

use super::world::{self, NOW, World};
use std::net::IpAddr;
use tidegate_identity::{Keyring, ReplayGuard, TokenStore, authenticate};
use tidegate_types::grant::{KeyScheme, VirtualKey};
use tidegate_types::ids::{AccountName, CallerName, KeyId};
use tidegate_types::key::KeyTerms;
use tidegate_types::key::Origin;
use tidegate_types::order::{GuardScope, Intent};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::RawRequest;
use tidegate_types::secret::Secret;
use tidegate_types::time::Time;
use tidegate_venues::front::{Asked, LocalAnswer, Need, Parsed};

/// Requests to Binance.
pub(super) fn binance(data: &[u8]) {
    ask(world::binance(), data);
}

/// Requests to Deribit.
pub(super) fn deribit(data: &[u8]) {
    ask(world::deribit(), data);
}

fn ask(world: Option<&World>, data: &[u8]) {
    let (Some(world), Some(request)) = (world, world::request(data)) else { return };
    let need = match world.venue.credentials(&request) {
        Ok(need) => need,
        Err(reject) => return refused(world, &request, None, &reject),
    };
    let known = match &need {
        Need::Nothing => false,
        Need::Credentials(presented) => {
            forged(world, presented);
            true
        }
    };
    match world.venue.parse(&request, &world.market, NOW) {
        Ok(parsed) => understood(world, &request, &parsed, known),
        Err(reject) => refused(world, &request, None, &reject),
    }
}

/// What a parsed request must be like, whatever it was made of.
fn understood(world: &World, request: &RawRequest, parsed: &Parsed, known: bool) {
    check(world, &parsed.asked, known);
    if let Asked::Read(read) = &parsed.asked {
        assert!(read.params.len() <= tidegate_types::limits::MAX_PARAMS);
    }
    let answers = [
        LocalAnswer::Done,
        LocalAnswer::Cancelled { done: 1, failed: 1 },
        LocalAnswer::StreamKey("key".to_owned()),
        LocalAnswer::CancelOnDisconnect { scope: GuardScope::Session, enabled: true },
    ];
    for answer in &answers {
        let said = world.venue.answer(&parsed.context, answer, NOW);
        assert!(!world::json(&said).is_null(), "an answer is JSON");
    }
    let reject = Reject::new(Code::Halted, "");
    refused(world, request, Some(parsed), &reject);
}

/// Nothing that touches an account is understood from somebody who showed nothing.
pub(super) fn check(world: &World, asked: &Asked, known: bool) {
    let private = match asked {
        Asked::Trade(intent) => {
            trade(world, intent);
            true
        }
        Asked::Batch(legs) => {
            legs.iter().flatten().for_each(|intent| trade(world, intent));
            true
        }
        Asked::Read(_) => true,
        Asked::Public(request) => {
            let target = request.target.to_ascii_lowercase();
            assert!(!target.contains("private/"), "public reads go to public routes: {target}");
            false
        }
        // A login carries its credentials with it; the rest of these are the venue's to decide.
        Asked::Local(_) => false,
    };
    assert!(known || !private, "nobody may ask for {asked:?}");
}

fn trade(world: &World, intent: &Intent) {
    if let Intent::New { order } = intent {
        assert!(world.market.get(&order.instrument.name).is_some(), "the instrument is known");
        assert!(order.qty.0 > tidegate_types::Decimal::ZERO, "the quantity is above zero");
    }
}

fn refused(world: &World, request: &RawRequest, parsed: Option<&Parsed>, reject: &Reject) {
    let context = parsed.map(|parsed| &parsed.context);
    let said = world.venue.refuse(Some(request), context, reject, NOW);
    let body = world::json(&said);
    let code = body.get("code").or_else(|| body.pointer("/error/code"));
    assert!(code.is_some_and(|code| code.as_i64().is_some()), "a refusal has a code: {body}");
    // What the venue itself refuses is told in its own words alone.
    let own = reject.code == Code::Halted;
    let text = String::from_utf8_lossy(&said.body);
    assert!(!own || text.contains("TG509"), "a refusal has a reason code: {text}");
    assert!(said.status >= 400, "a refusal is no success: {}", said.status);
}

/// Nobody is taken for a caller whose secret no input holds.
fn forged(world: &World, presented: &tidegate_types::request::Presented) {
    let mut keyring = Keyring::new();
    let parts = (KeyId::new("the-key"), CallerName::new("ann"), AccountName::new("main"));
    let (Ok(id), Ok(caller), Ok(account)) = parts else { return };
    let venue = world.venue.name();
    let key = VirtualKey {
        id,
        caller,
        venue: venue.clone(),
        account,
        scheme: KeyScheme::Hmac,
        terms: KeyTerms::default(),
    };
    let secret: Vec<u8> = (0..64_u8).map(|n| n.wrapping_mul(167) ^ 0x5a).collect();
    assert_eq!(keyring.insert(key, Some(Secret::new(secret))), Ok(()));
    let mut replays = ReplayGuard::new(Time::from_millis(0), None);
    let now = NOW;
    let who = authenticate(
        &keyring,
        &mut replays,
        &TokenStore::new(),
        &venue,
        presented,
        &Origin::from(IpAddr::from([127, 0, 0, 1])),
        now,
    );
    assert!(who.is_err(), "forged: {who:?}");
}
