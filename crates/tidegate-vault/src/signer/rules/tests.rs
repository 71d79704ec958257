use super::super::protocol::SignAs;
use super::*;
use crate::store::{Scheme, StoredKey, VenueKeyInfo};
use tidegate_types::call::OrderRef;
use tidegate_types::ids::{CallId, ClientId, InstrumentId, InstrumentName};
use tidegate_types::instrument::{Price, Qty};
use tidegate_types::secret::Secret;
use tidegate_venues::registry;

const NOW: Time = Time::from_millis(1_700_000_000_000);

fn name(text: &str) -> VenueName {
    VenueName::new(text).unwrap()
}

fn instrument(venue: &str) -> InstrumentId {
    let text = if venue == "binance" { "BTCUSDT" } else { "BTC-PERPETUAL" };
    InstrumentId { venue: name(venue), name: InstrumentName::new(text).unwrap() }
}

fn key(venue: &str, rights: Option<&[&str]>) -> SigningKey {
    key_called("the-key", venue, rights)
}

fn key_called(id: &str, venue: &str, rights: Option<&[&str]>) -> SigningKey {
    SigningKey::open(StoredKey {
        info: VenueKeyInfo {
            account: AccountName::new(venue).unwrap(),
            venue: name(venue),
            key_id: id.to_owned(),
            imported: NOW,
            rights: rights.map(|rights| rights.iter().map(|right| (*right).to_owned()).collect()),
        },
        scheme: Scheme::Hmac,
        secret: Secret::new(b"venue-secret".to_vec()),
    })
    .unwrap()
}

fn find(name: &VenueName) -> Option<&'static dyn Upstream> {
    registry::find(name).map(|venue| venue as &dyn Upstream)
}

fn rules(keys: Vec<SigningKey>) -> Rules<'static> {
    Rules::new(keys, &find, Ledger::starting_at(Seq(10)))
}

fn sign(
    rules: &mut Rules<'_>,
    venue: &str,
    body: CallBody,
    warrant: Warrant,
) -> Result<WireRequest, String> {
    sign_by(rules, "the-key", venue, body, warrant)
}

fn sign_by(
    rules: &mut Rules<'_>,
    key: &str,
    venue: &str,
    body: CallBody,
    warrant: Warrant,
) -> Result<WireRequest, String> {
    let key = key.to_owned();
    let call = Call { id: CallId(7), account: AccountName::new(venue).unwrap(), body };
    let by = SignAs { key, at: NOW };
    match rules.sign(&SignRequest { warrant, by, call }, NOW) {
        SignAnswer::Signed { call: CallId(7), request } => Ok(request),
        SignAnswer::Refused { call: CallId(7), why } => Err(why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_is_stamped_by_the_time_that_is_told_while_it_is_near() {
    let mut rules = rules(vec![key("binance", None)]);
    let ms = |ms: u64| Time::from_millis(1_700_000_000_000 + ms);
    for (told, stamped) in [(3000, 13_000), (-3000, 7000), (10_000, 20_000), (10_001, 10_000)] {
        let now = ms(10_000);
        let at = Time::from_millis(now.millis().saturating_add_signed(told));
        let account = AccountName::new("binance").unwrap();
        let call = Call { id: CallId(7), account, body: cancel("binance") };
        let by = SignAs { key: "the-key".to_owned(), at };
        let warrant = Warrant::Emergency;
        let answer = rules.sign(&SignRequest { warrant, by, call }, now);
        let SignAnswer::Signed { request, .. } = answer else { panic!("{answer:?}") };
        let wanted = format!("timestamp={}&", ms(stamped).millis());
        assert!(request.target.contains(&wanted), "{told}: {}", request.target);
    }
}

fn cancel(venue: &str) -> CallBody {
    let order = OrderRef {
        instrument: instrument(venue),
        client_id: Some(ClientId::new("tgabc-1").unwrap()),
        venue_id: Some(tidegate_types::ids::VenueOrderId::new("123").unwrap()),
        conditional: false,
    };
    CallBody::Cancel { order }
}

fn amend(venue: &str) -> CallBody {
    let CallBody::Cancel { order } = cancel(venue) else { unreachable!() };
    CallBody::Amend {
        order,
        side: tidegate_types::order::Side::Buy,
        qty: Qty("10".parse().unwrap()),
        price: Some(Price("50000".parse().unwrap())),
        trigger_price: None,
        post_only: None,
        reduce_only: None,
        deadline: NOW.plus(tidegate_types::time::Span::from_secs(5)),
    }
}

fn read(route: &str) -> CallBody {
    CallBody::Read { route: route.to_owned(), params: Vec::new() }
}

fn set(route: &str) -> CallBody {
    CallBody::Set { route: route.to_owned(), params: Vec::new() }
}

const VENUES: [&str; 2] = ["binance", "deribit"];

#[test]
fn a_record_is_signed_for_once_and_numbers_grow() {
    for venue in VENUES {
        let mut rules = rules(vec![key(venue, None)]);
        let mut at =
            |seq| sign(&mut rules, venue, cancel(venue), Warrant::Journalled { seq: Seq(seq) });
        assert!(at(9).unwrap_err().contains("not above"), "before the start");
        at(10).unwrap();
        assert!(at(10).unwrap_err().contains("not above"), "twice");
        at(15).unwrap();
        assert!(at(12).unwrap_err().contains("not above"), "back");
        at(16).unwrap();
    }
}

#[test]
fn of_two_keys_of_an_account_the_named_one_signs() {
    for venue in VENUES {
        let both =
            || rules(vec![key_called("key-one", venue, None), key_called("key-two", venue, None)]);
        for warrant in [Warrant::Journalled { seq: Seq(10) }, Warrant::Emergency] {
            for (named, other) in [("key-one", "key-two"), ("key-two", "key-one")] {
                let signed = sign_by(&mut both(), named, venue, cancel(venue), warrant).unwrap();
                let sent = format!("{} {:?} {}", signed.target, signed.headers, signed.body);
                assert!(sent.contains(named) && !sent.contains(other), "{sent}");
                let mut alone = rules(vec![key_called(other, venue, None)]);
                let why = sign_by(&mut alone, named, venue, cancel(venue), warrant).unwrap_err();
                assert!(why.contains(&format!("does not hold key `{named}`")), "{why}");
            }
        }
    }
}

#[test]
fn what_was_refused_uses_no_number_up() {
    let mut rules = rules(vec![key("binance", None)]);
    let warrant = Warrant::Journalled { seq: Seq(20) };
    assert!(sign(&mut rules, "binance", set("/fapi/v1/nothing"), warrant).is_err());
    assert!(sign(&mut rules, "binance", cancel("binance"), warrant).is_ok());
}

/// Every class with every warrant: what is not listed as signed is refused.
#[test]
fn each_class_has_its_warrant() {
    let warrants = [Warrant::Journalled { seq: Seq(10) }, Warrant::Emergency, Warrant::Unrecorded];
    for venue in VENUES {
        let table = [
            (cancel(venue), [true, true, false]),
            (amend(venue), [true, false, false]),
            (set("x"), [true, false, false]),
            (CallBody::Snapshot { part: 0 }, [false, false, true]),
            (CallBody::Session { step: 0 }, [false, false, true]),
        ];
        for (body, signed) in table {
            for (warrant, expect) in warrants.into_iter().zip(signed) {
                let ledger = Ledger::starting_at(Seq(10));
                assert_eq!(
                    ledger.allows(body.class(), warrant).is_ok(),
                    expect,
                    "{body:?} {warrant:?}"
                );
            }
        }
        let mut rules = rules(vec![key(venue, Some(&[]))]);
        sign(&mut rules, venue, CallBody::Snapshot { part: 0 }, Warrant::Unrecorded).unwrap();
        sign(&mut rules, venue, cancel(venue), Warrant::Emergency).unwrap();
        let amended = sign(&mut rules, venue, amend(venue), Warrant::Emergency).unwrap_err();
        assert!(amended.contains("emergency"), "{amended}");
        let unrecorded = sign(&mut rules, venue, amend(venue), Warrant::Unrecorded).unwrap_err();
        assert!(unrecorded.contains("for a record only"), "{unrecorded}");
    }
}

#[test]
fn routes_that_move_money_or_make_keys_are_never_signed() {
    let routes = [
        "/sapi/v1/capital/withdraw/apply",
        "/sapi/v1/asset/transfer",
        "/sapi/v1/futures/transfer",
        "/sapi/v1/account/apiKey",
        "private/withdraw",
        "private/submit_transfer_to_user",
        "private/create_api_key",
        "private/edit_api_key",
        "private/add_to_address_book",
        "PRIVATE/WITHDRAW",
    ];
    for venue in VENUES {
        let mut rules = rules(vec![key(venue, Some(&[]))]);
        for route in routes {
            let seq = Warrant::Journalled { seq: Seq(100) };
            assert!(sign(&mut rules, venue, set(route), seq).is_err(), "{venue} set {route}");
            let refused = sign(&mut rules, venue, read(route), Warrant::Unrecorded);
            assert!(refused.is_err(), "{venue} read {route}");
        }
    }
}

#[test]
fn a_route_that_the_table_lacks_is_not_signed() {
    for (venue, route) in [("binance", "/fapi/v9/nothing"), ("deribit", "private/nothing")] {
        let mut rules = rules(vec![key(venue, Some(&[]))]);
        let refused = sign(&mut rules, venue, read(route), Warrant::Unrecorded).unwrap_err();
        assert!(refused.contains("unknown route"), "{refused}");
        let warrant = Warrant::Journalled { seq: Seq(100) };
        assert!(sign(&mut rules, venue, set(route), warrant).is_err());
        // A route to read is not one to set, nor the other way round.
        let rights = find(&name(venue)).unwrap().rights_call();
        assert!(sign(&mut rules, venue, rights.clone(), Warrant::Unrecorded).is_ok());
        let CallBody::Read { route, .. } = rights else { panic!() };
        assert!(sign(&mut rules, venue, set(&route), warrant).is_err());
    }
}

#[test]
fn a_key_that_can_do_harm_opens_no_session() {
    let step = || CallBody::Session { step: 0 };
    for (venue, harmless, harmful) in [
        ("binance", "enableFutures", "enableWithdrawals"),
        ("deribit", "trade:read_write", "wallet:read_write"),
    ] {
        let mut unknown = rules(vec![key(venue, None)]);
        let refused = sign(&mut unknown, venue, step(), Warrant::Unrecorded).unwrap_err();
        assert!(refused.contains("not known"), "{refused}");
        let mut bad = rules(vec![key(venue, Some(&[harmless, harmful]))]);
        let refused = sign(&mut bad, venue, step(), Warrant::Unrecorded).unwrap_err();
        assert!(refused.contains("may withdraw"), "{refused}");
        let mut good = rules(vec![key(venue, Some(&[harmless]))]);
        sign(&mut good, venue, step(), Warrant::Unrecorded).unwrap();
    }
}

#[test]
fn an_account_without_a_key_is_refused() {
    let mut rules = rules(vec![key("binance", None)]);
    let refused = sign(&mut rules, "deribit", CallBody::Snapshot { part: 0 }, Warrant::Unrecorded);
    assert!(refused.unwrap_err().contains("no venue key"));
}

#[test]
fn requests_and_refusals_hold_no_secret() {
    for venue in VENUES {
        let mut rules = rules(vec![key(venue, Some(&[]))]);
        let bodies = [
            cancel(venue),
            amend(venue),
            CallBody::Snapshot { part: 0 },
            CallBody::Session { step: 0 },
        ];
        for (n, body) in bodies.into_iter().enumerate() {
            let warrant = match body.class() {
                CallClass::Read | CallClass::Session => Warrant::Unrecorded,
                _ => Warrant::Journalled { seq: Seq(20 + n as u64) },
            };
            let answer = match sign(&mut rules, venue, body, warrant) {
                Ok(r) => format!("{} {:?} {}", r.target, r.headers, r.body),
                Err(why) => why,
            };
            assert!(!answer.contains("venue-secret"), "{answer}");
        }
        let shown = format!("{:?}", rules.keys);
        assert!(!shown.contains("venue-secret"), "{shown}");
    }
}
