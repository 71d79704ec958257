use super::*;
use crate::oauth::acr::Acr;
use crate::oauth::client::ClientId;
use crate::oauth::details::show;
use crate::oauth::event::Event;
use crate::oauth::testing::*;
use serde_json::{Value, json};
use tidegate_types::codec;
use tidegate_types::ids::PersonName;

mod bounds;
mod delegates;
mod ended;

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn asked() -> String {
    details("1000").to_string()
}

fn ask(desk: &mut Desk, client: &str, uri: &str, now: u64) -> Result<ConsentView, ErrorCode> {
    let query = format!("client_id={client}&request_uri={}", uri.replace(':', "%3A"));
    desk.authority.ask(query.as_bytes(), at(now)).map_err(|error| error.code)
}

#[test]
fn fp_b01_to_b07_a_whole_flow() {
    let mut desk = Desk::new();
    let pushed = desk.push(&par_fields(&asked()), None, NOW).unwrap();
    assert!(pushed["expires_in"].as_u64().unwrap() < 600, "FP-B12");
    let uri = text(&pushed, "request_uri");
    let view = ask(&mut desk, "app", &uri, NOW).unwrap();
    assert_eq!((view.title.as_str(), view.details), ("An app", trading("1000")));
    let redirect = desk.approve(&uri, NOW + 5);
    assert!(redirect.starts_with("https://app.example/cb?code="));
    assert_eq!(param(&redirect, "iss").as_deref(), Some(ISSUER), "FP-B07, MD-4");
    assert_eq!(param(&redirect, "state").as_deref(), Some("a b&c"), "OA-18");
    assert!(!redirect.contains("challenge"));
    let code = param(&redirect, "code").unwrap();
    let answer = desk.token("app", 1, &code_fields(&code), NOW + 6).unwrap();
    assert_eq!(
        (text(&answer, "token_type").as_str(), answer["expires_in"].as_u64()),
        ("DPoP", Some(600))
    );
    assert_eq!(answer["authorization_details"], details("500"), "RR-4: as granted");
    let bearer = desk.authority.verify(&text(&answer, "access_token"), at(NOW + 6)).unwrap();
    assert_eq!((bearer.subject.as_str(), bearer.acr), ("person-1", Some(Acr::TwoFactor)), "AT-3");
    assert_eq!(bearer.bound_to, Confirmation::Key { jkt: jkt(11) }, "DP-16");
}

#[test]
fn at_1_at_2_rr_5_the_token_s_form() {
    let mut desk = Desk::new();
    let token = text(&desk.tokens(NOW), "access_token");
    let part = |at: usize| -> Value {
        let part = token.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!((part(0)["typ"].as_str(), part(0)["alg"].as_str()), (Some("at+jwt"), Some("EdDSA")));
    let claims = part(1);
    for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "acr", "auth_time", "cnf"] {
        assert!(claims.get(name).is_some(), "{name}");
    }
    assert_eq!(claims["amr"], json!(["hwk", "mfa", "user"]), "AT-3");
    assert_eq!(claims["authorization_details"], details("500"));
    assert_eq!(claims["cnf"], json!({ "jkt": jkt(11).to_string() }));
    assert_eq!(claims["may_act"], json!({ "sub": "bot" }));
}

#[test]
fn fp_b01_b05_b06_par_2_rr_2_what_is_not_taken_at_par() {
    let asked = asked();
    for (name, value, code) in [
        ("response_type", Some("code id_token"), ErrorCode::UnsupportedResponseType),
        ("response_type", Some("token"), ErrorCode::UnsupportedResponseType),
        ("response_type", None, ErrorCode::InvalidRequest),
        ("code_challenge", None, ErrorCode::InvalidRequest),
        ("code_challenge", Some("short"), ErrorCode::InvalidRequest),
        ("code_challenge_method", Some("plain"), ErrorCode::InvalidRequest),
        ("code_challenge_method", None, ErrorCode::InvalidRequest),
        ("redirect_uri", None, ErrorCode::InvalidRequest),
        ("redirect_uri", Some("https://app.example/cb/"), ErrorCode::InvalidRequest),
        ("authorization_details", None, ErrorCode::InvalidAuthorizationDetails),
        ("authorization_details", Some("[]"), ErrorCode::InvalidAuthorizationDetails),
    ] {
        let mut desk = Desk::new();
        let outcome = desk.push(&but(&par_fields(&asked), name, value), None, NOW);
        assert_eq!(outcome.err(), Some(code), "{name} {value:?}");
    }
    let mut desk = Desk::new();
    let too_much = details("1001").to_string();
    let outcome = desk.push(&par_fields(&too_much), None, NOW);
    assert_eq!(
        outcome.err(),
        Some(ErrorCode::InvalidAuthorizationDetails),
        "RR-6: asked within allowed"
    );
    let mut fields = par_fields(&asked);
    fields.push(("request_uri", "urn:ietf:params:oauth:request_uri:x"));
    assert_eq!(desk.push(&fields, None, NOW).err(), Some(ErrorCode::InvalidRequest), "PAR-2");
    let mut fields = par_fields(&asked);
    fields.push(("resource", "https://elsewhere.example"));
    assert_eq!(desk.push(&fields, None, NOW).err(), Some(ErrorCode::InvalidTarget), "OA-34");
}

#[test]
fn fp_b03_par_4_par_5_a_pushed_request_is_its_client_s_and_used_once() {
    let mut desk = Desk::new();
    let uri = text(&desk.push(&par_fields(&asked()), None, NOW).unwrap(), "request_uri");
    assert_eq!(ask(&mut desk, "bot", &uri, NOW).err(), Some(ErrorCode::InvalidRequestUri));
    assert!(desk.authority.ask(b"client_id=app&response_type=code", at(NOW)).is_err(), "FP-B03");
    // Shown again before the decision (a reload), also after the time to come was over.
    assert!(ask(&mut desk, "app", &uri, NOW).is_ok());
    assert!(ask(&mut desk, "app", &uri, NOW + 200).is_ok());
    let _ = desk.approve(&uri, NOW + 200);
    assert_eq!(ask(&mut desk, "app", &uri, NOW + 201).err(), Some(ErrorCode::InvalidRequestUri));
    let late = text(&desk.push(&par_fields(&asked()), None, NOW).unwrap(), "request_uri");
    assert_eq!(ask(&mut desk, "app", &late, NOW + 90).err(), Some(ErrorCode::InvalidRequestUri));
}

#[test]
fn a_no_and_a_login_that_does_not_reach_are_told_to_the_client() {
    let mut desk = Desk::new();
    let app = ClientId::new("app").unwrap();
    let uri = text(&desk.push(&par_fields(&asked()), None, NOW).unwrap(), "request_uri");
    let redirect = desk.authority.deny(&app, &uri, at(NOW)).unwrap();
    assert_eq!(param(&redirect, "error").as_deref(), Some("access_denied"));
    assert_eq!(param(&redirect, "iss").as_deref(), Some(ISSUER));
    assert!(desk.authority.deny(&app, &uri, at(NOW)).is_err());
    let asked = asked();
    let mut fields = par_fields(&asked);
    fields.push(("acr_values", "phrh phr"));
    let uri = text(&desk.push(&fields, None, NOW).unwrap(), "request_uri");
    let redirect = desk.approve(&uri, NOW);
    let error = param(&redirect, "error");
    assert_eq!(error.as_deref(), Some("unmet_authentication_requirements"), "SU-2");
}

#[test]
fn su_2_an_old_login_must_be_made_anew() {
    let asked = asked();
    for extra in [("max_age", "10"), ("max_age", "0")] {
        let mut desk = Desk::new();
        let mut fields = par_fields(&asked);
        fields.push(extra);
        let uri = text(&desk.push(&fields, None, NOW).unwrap(), "request_uri");
        let (app, chance) = (ClientId::new("app").unwrap(), desk.chance());
        let outcome = desk.authority.approve(&app, &uri, approval("500", NOW), &chance, at(NOW));
        assert_eq!(outcome.err(), Some(NotApproved::LoginAgain), "{extra:?}");
    }
}

#[test]
fn rr_6_granted_is_within_asked_and_within_what_the_person_may() {
    let mut desk = Desk::new();
    let app = ClientId::new("app").unwrap();
    let uri = text(
        &desk.push(&par_fields(&details("400").to_string()), None, NOW).unwrap(),
        "request_uri",
    );
    let mut poor = approval("300", NOW);
    poor.may_grant = trading("200");
    let mut nothing = approval("300", NOW);
    nothing.granted = Vec::new();
    let mut named_like_a_client = approval("300", NOW);
    named_like_a_client.subject = "bot".into();
    for approval in [approval("401", NOW), poor, nothing, named_like_a_client] {
        let chance = desk.chance();
        let outcome = desk.authority.approve(&app, &uri, approval, &chance, at(NOW));
        assert_eq!(outcome.err(), Some(NotApproved::TooMuch));
    }
}

#[test]
fn oa_17_fp_b05_fp_a11_what_a_code_is_bound_to() {
    for (name, value) in [
        ("redirect_uri", Some("https://app.example/other")),
        ("code_verifier", Some("wrongwrongwrongwrongwrongwrongwrongwrongwrong")),
        ("code_verifier", Some("short")),
        ("code", Some("made-up")),
    ] {
        let mut desk = Desk::new();
        let code = desk.code(NOW);
        let outcome = desk.token("app", 1, &but(&code_fields(&code), name, value), NOW);
        assert_eq!(outcome.err(), Some(ErrorCode::InvalidGrant), "{name} {value:?}");
        assert!(desk.token("app", 1, &code_fields(&code), NOW + 59).is_ok(), "not used up");
    }
    let mut desk = Desk::new();
    let code = desk.code(NOW);
    let newer = but(&code_fields(&code), "redirect_uri", None);
    assert!(desk.token("app", 1, &newer, NOW).is_ok(), "OAuth 2.1 §10.2 sends none");
    let code = desk.code(NOW);
    let missing = desk.token("app", 1, &but(&code_fields(&code), "code_verifier", None), NOW);
    assert_eq!(missing.err(), Some(ErrorCode::InvalidRequest));
    let other = desk.token("bot", 2, &code_fields(&code), NOW);
    assert_eq!(other.err(), Some(ErrorCode::InvalidGrant), "OA-17");
    let late = desk.token("app", 1, &code_fields(&code), NOW + 60);
    assert_eq!(late.err(), Some(ErrorCode::InvalidGrant), "FP-A11");
}

#[test]
fn oa_16_fp_b09_a_second_use_of_a_code_revokes_what_came_of_it() {
    let mut desk = Desk::new();
    let code = desk.code(NOW);
    let answer = desk.token("app", 1, &code_fields(&code), NOW).unwrap();
    let token = text(&answer, "access_token");
    assert!(desk.authority.verify(&token, at(NOW + 1)).is_some());
    let again = desk.token("app", 1, &code_fields(&code), NOW + 1);
    assert_eq!(again.err(), Some(ErrorCode::InvalidGrant));
    assert!(desk.authority.verify(&token, at(NOW + 1)).is_none());
    let refresh = text(&answer, "refresh_token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    assert_eq!(desk.token("app", 1, &fields, NOW + 2).err(), Some(ErrorCode::InvalidGrant));
}

#[test]
fn fp_a12_dp_21_a_code_is_bound_to_the_key() {
    let (asked, thumbprint) = (asked(), jkt(11).to_string());
    let named = [par_fields(&asked), vec![("dpop_jkt", thumbprint.as_str())]].concat();
    // The header's key is not the one that is named.
    let mut desk = Desk::new();
    assert_eq!(desk.push(&named, Some(99), NOW).err(), Some(ErrorCode::InvalidRequest));
    assert!(desk.push(&named, Some(11), NOW).is_ok());
    for (fields, proof) in [(named, None), (par_fields(&asked), Some(11))] {
        let mut desk = Desk::new();
        let uri = text(&desk.push(&fields, proof, NOW).unwrap(), "request_uri");
        let code = param(&desk.approve(&uri, NOW), "code").unwrap();
        let other = desk.token_by("app", 1, &code_fields(&code), Some(99), NOW);
        assert_eq!(other.err(), Some(ErrorCode::InvalidGrant));
        assert!(desk.token("app", 1, &code_fields(&code), NOW).is_ok());
    }
}

#[test]
fn fp_a02_fp_a04_dp_24_what_the_token_endpoint_refuses() {
    let mut desk = Desk::new();
    for (kind, code) in [
        ("password", ErrorCode::UnsupportedGrantType),
        ("implicit", ErrorCode::UnsupportedGrantType),
        ("", ErrorCode::InvalidRequest),
    ] {
        let outcome = desk.token("app", 1, &[("grant_type", kind)], NOW);
        assert_eq!(outcome.err(), Some(code), "{kind}");
    }
    let fields = [("grant_type", "client_credentials")];
    let bare = desk.token_by("app", 1, &fields, None, NOW);
    assert_eq!(bare.err(), Some(ErrorCode::InvalidDpopProof), "FP-A04");
    let stranger = desk.token("app", 9, &fields, NOW);
    assert_eq!(stranger.err(), Some(ErrorCode::InvalidClient));
    let mut poor = terms("poor", 4);
    poor.grants = vec![crate::oauth::client::GrantType::AuthorizationCode];
    desk.authority.apply(&Event::ClientRegistered { terms: poor });
    let outcome = desk.token("poor", 4, &fields, NOW);
    assert_eq!(outcome.err(), Some(ErrorCode::UnauthorizedClient), "OA-19");
}

#[test]
fn oa_19_client_credentials_are_the_client_s_own() {
    let mut desk = Desk::new();
    let less = details("10").to_string();
    let fields = [("grant_type", "client_credentials"), ("authorization_details", less.as_str())];
    let answer = desk.token("bot", 2, &fields, NOW).unwrap();
    assert_eq!(answer["authorization_details"], details("10"));
    assert!(answer.get("refresh_token").is_none());
    let bearer = desk.authority.verify(&text(&answer, "access_token"), at(NOW)).unwrap();
    assert_eq!((bearer.subject.as_str(), bearer.acr, bearer.grant), ("bot", None, None));
    let more = details("1001").to_string();
    let fields = [("grant_type", "client_credentials"), ("authorization_details", more.as_str())];
    let outcome = desk.token("bot", 2, &fields, NOW);
    assert_eq!(outcome.err(), Some(ErrorCode::InvalidAuthorizationDetails));
}

#[test]
fn fp_a09_oa_20_su_3_refreshing_neither_rotates_nor_widens_nor_renews_the_login() {
    let mut desk = Desk::new();
    let answer = desk.tokens(NOW);
    let refresh = text(&answer, "refresh_token");
    let first = desk.authority.verify(&text(&answer, "access_token"), at(NOW)).unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    for later in [NOW + 100, NOW + 200] {
        let again = desk.token("app", 1, &fields, later).unwrap();
        assert!(again.get("refresh_token").is_none());
        let bearer = desk.authority.verify(&text(&again, "access_token"), at(later)).unwrap();
        assert_eq!((bearer.auth_time, bearer.acr), (first.auth_time, first.acr), "SU-3");
        assert_eq!(bearer.amr, first.amr, "AT-3");
        assert_ne!(bearer.id, first.id);
    }
    let (less, more) = (details("100").to_string(), details("501").to_string());
    let narrowed = [&fields[..], &[("authorization_details", less.as_str())]].concat();
    let answer = desk.token("app", 1, &narrowed, NOW + 300).unwrap();
    assert_eq!(answer["authorization_details"], details("100"));
    let widened = [&fields[..], &[("authorization_details", more.as_str())]].concat();
    let outcome = desk.token("app", 1, &widened, NOW + 300);
    assert_eq!(outcome.err(), Some(ErrorCode::InvalidAuthorizationDetails), "RR-6");
    let stolen = desk.token("bot", 2, &fields, NOW + 300);
    assert_eq!(stolen.err(), Some(ErrorCode::InvalidGrant));
    let other_key = desk.token_by("app", 1, &fields, Some(99), NOW + 300);
    assert_eq!(other_key.err(), Some(ErrorCode::InvalidGrant), "DP-15");
    let over = desk.token("app", 1, &fields, NOW + 86_400);
    assert_eq!(over.err(), Some(ErrorCode::InvalidGrant));
}

#[test]
fn dv_1_dv_2_dv_4_a_device() {
    let mut desk = Desk::new();
    let asked = asked();
    let answer = desk.device(&[("authorization_details", asked.as_str())], NOW).unwrap();
    let (code, typed) = (text(&answer, "device_code"), text(&answer, "user_code"));
    assert_eq!((typed.len(), answer["interval"].as_u64()), (9, Some(5)));
    assert!(code.len() >= 43);
    let fields = [("grant_type", DEVICE_GRANT), ("device_code", code.as_str())];
    let poll = |desk: &mut Desk, now: u64| desk.token("app", 1, &fields, now);
    assert_eq!(poll(&mut desk, NOW + 1).err(), Some(ErrorCode::AuthorizationPending));
    assert_eq!(poll(&mut desk, NOW + 5).err(), Some(ErrorCode::SlowDown));
    assert_eq!(poll(&mut desk, NOW + 14).err(), Some(ErrorCode::SlowDown), "10 s by now");
    assert_eq!(
        poll(&mut desk, NOW + 29).err(),
        Some(ErrorCode::AuthorizationPending),
        "15 s by now"
    );
    let other = desk.token("bot", 2, &fields, NOW + 40);
    assert_eq!(other.err(), Some(ErrorCode::InvalidGrant), "DV-4: bound to the client");
    let view = desk.authority.device_view(&typed.to_lowercase(), at(NOW + 40)).unwrap();
    assert_eq!(view.details, trading("1000"));
    let chance = desk.chance();
    let yes = approval("500", NOW);
    assert_eq!(desk.authority.device_approve(&typed, yes, &chance, at(NOW + 40)), Ok(()));
    assert!(desk.authority.device_view(&typed, at(NOW + 41)).is_err(), "decided once");
    let answer = poll(&mut desk, NOW + 60).unwrap();
    assert_eq!(answer["authorization_details"], details("500"));
    assert_eq!(poll(&mut desk, NOW + 80).err(), Some(ErrorCode::InvalidGrant), "used once");
}

#[test]
fn dv_2_dv_3_a_device_that_is_refused_is_late_or_guesses() {
    let mut desk = Desk::new();
    let asked = asked();
    let answer = desk.device(&[("authorization_details", asked.as_str())], NOW).unwrap();
    let (code, typed) = (text(&answer, "device_code"), text(&answer, "user_code"));
    let fields = [("grant_type", DEVICE_GRANT), ("device_code", code.as_str())];
    let late = desk.token("app", 1, &fields, NOW + 600);
    assert_eq!(late.err(), Some(ErrorCode::ExpiredToken));
    assert!(desk.authority.device_deny(&typed, at(NOW)).is_ok());
    let denied = desk.token("app", 1, &fields, NOW + 599);
    assert_eq!(denied.err(), Some(ErrorCode::AccessDenied));
    let mut guess = |now: u64| desk.authority.device_view("BBBB-BBBB", at(now)).unwrap_err().code;
    let codes: Vec<ErrorCode> = (0..31).map(|_| guess(NOW)).collect();
    assert_eq!(codes.iter().filter(|code| **code == ErrorCode::InvalidGrant).count(), 30);
    assert_eq!(codes[30], ErrorCode::TemporarilyUnavailable, "DV-3");
    assert_eq!(guess(NOW + 61), ErrorCode::InvalidGrant);
}

#[test]
fn a_device_may_ask_for_a_better_or_a_later_login() {
    let mut desk = Desk::new();
    let asked = asked();
    let asked = ("authorization_details", asked.as_str());
    let answer = desk.device(&[asked, ("acr_values", "phr"), ("max_age", "60")], NOW).unwrap();
    let typed = text(&answer, "user_code");
    let view = desk.authority.device_view(&typed, at(NOW)).unwrap();
    assert_eq!(view.acr, Some(Acr::PhishingResistant));
    assert_eq!(view.max_age, Some(tidegate_types::time::Span::from_secs(60)));
    let better = Approval { acr: Acr::PhishingResistant, ..approval("500", NOW) };
    let weak = approval("500", NOW);
    for (yes, now, said) in [
        (weak, NOW, Err(NotApproved::LoginAgain)),
        (better.clone(), NOW + 31, Err(NotApproved::LoginAgain)),
        (better, NOW + 30, Ok(())),
    ] {
        let chance = desk.chance();
        assert_eq!(desk.authority.device_approve(&typed, yes, &chance, at(now)), said);
    }
    let unknown = desk.device(&[asked, ("acr_values", "palm")], NOW);
    assert_eq!(unknown.err(), Some(ErrorCode::UnmetAuthenticationRequirements));
}

fn exchange(desk: &mut Desk, token: &str, extra: &[(&str, &str)], now: u64) -> Outcome {
    let fields =
        [("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ACCESS)];
    desk.token("bot", 2, &[&fields[..], extra].concat(), now)
}

#[test]
fn tx_3_tx_4_tx_6_a_bot_acts_for_a_trader() {
    let mut desk = Desk::new();
    let token = text(&desk.tokens(NOW), "access_token");
    let less = details("50").to_string();
    let answer =
        exchange(&mut desk, &token, &[("authorization_details", &less)], NOW + 300).unwrap();
    assert_eq!(text(&answer, "issued_token_type"), ACCESS);
    assert_eq!(answer["expires_in"], 300, "TX-6: no longer than the subject's");
    assert!(answer.get("refresh_token").is_none());
    let bearer = desk.authority.verify(&text(&answer, "access_token"), at(NOW + 300)).unwrap();
    assert_eq!((bearer.subject.as_str(), bearer.act), ("person-1", vec!["bot".to_owned()]));
    assert_eq!(
        (bearer.details, bearer.bound_to),
        (trading("50"), Confirmation::Key { jkt: jkt(12) })
    );
    let more = details("501").to_string();
    let wider = exchange(&mut desk, &token, &[("authorization_details", &more)], NOW + 300);
    assert_eq!(wider.err(), Some(ErrorCode::InvalidAuthorizationDetails), "TX-6");
}

#[test]
fn tx_1_tx_2_tx_5_what_is_not_exchanged() {
    let mut desk = Desk::new();
    let token = text(&desk.tokens(NOW), "access_token");
    let bad = Some(ErrorCode::InvalidRequest);
    assert_eq!(exchange(&mut desk, &token, &[("actor_token", "x")], NOW).err(), bad);
    assert_eq!(exchange(&mut desk, &token, &[("actor_token_type", ACCESS)], NOW).err(), bad);
    let refresh = "urn:ietf:params:oauth:token-type:refresh_token";
    assert_eq!(exchange(&mut desk, &token, &[("requested_token_type", refresh)], NOW).err(), bad);
    assert_eq!(exchange(&mut desk, "made.up.token", &[], NOW).err(), bad);
    let none = [("grant_type", EXCHANGE), ("subject_token_type", ACCESS)];
    assert_eq!(desk.token("bot", 2, &none, NOW).err(), bad);
    // The resource server is not named in may_act.
    let fields = [
        ("grant_type", EXCHANGE),
        ("subject_token", token.as_str()),
        ("subject_token_type", ACCESS),
    ];
    let outcome = desk.token("rs", 3, &fields, NOW);
    assert_eq!(outcome.err(), Some(ErrorCode::UnauthorizedClient), "TX-5");
    assert_eq!(exchange(&mut desk, &token, &[], NOW + 600).err(), bad, "TX-2: over");
}

#[test]
fn rv_1_rv_2_revocation_cascades() {
    let mut desk = Desk::new();
    let answer = desk.tokens(NOW);
    let (token, refresh) = (text(&answer, "access_token"), text(&answer, "refresh_token"));
    let exchanged = text(&exchange(&mut desk, &token, &[], NOW).unwrap(), "access_token");
    assert_eq!(desk.revoke("bot", 2, &token, NOW), Err(ErrorCode::InvalidRequest), "RV-2");
    assert_eq!(desk.revoke("bot", 2, &refresh, NOW), Err(ErrorCode::InvalidRequest));
    assert_eq!(desk.revoke("app", 1, "unknown", NOW), Ok(()));
    assert_eq!(desk.revoke("app", 9, &token, NOW), Err(ErrorCode::InvalidClient));
    assert_eq!(desk.revoke("app", 1, &token, NOW), Ok(()));
    assert!(desk.authority.verify(&token, at(NOW)).is_none());
    assert!(desk.authority.verify(&exchanged, at(NOW)).is_some());
    assert_eq!(desk.revoke("app", 1, &refresh, NOW), Ok(()));
    assert!(desk.authority.verify(&exchanged, at(NOW)).is_none(), "RV-1");
}

#[test]
fn rv_6_rv_7_rv_8_introspection() {
    let mut desk = Desk::new();
    let answer = desk.tokens(NOW);
    let (token, refresh) = (text(&answer, "access_token"), text(&answer, "refresh_token"));
    let nothing = Ok(json!({ "active": false }));
    let active = desk.introspect("rs", 3, &token, NOW).unwrap();
    assert_eq!(
        (active["active"].as_bool(), active["sub"].as_str()),
        (Some(true), Some("person-1"))
    );
    assert_eq!(active["cnf"], json!({ "jkt": jkt(11).to_string() }), "DP-16");
    assert_eq!(active["authorization_details"], details("500"), "RR-5");
    assert_eq!(desk.introspect("app", 1, &refresh, NOW).unwrap()["active"], true);
    assert_eq!(desk.introspect("bot", 2, &token, NOW), nothing, "not its own");
    assert_eq!(desk.introspect("rs", 3, &refresh, NOW), nothing);
    assert_eq!(desk.introspect("rs", 3, "unknown", NOW), nothing);
    assert_eq!(desk.introspect("rs", 3, &token, NOW - 60), nothing, "not yet");
    assert_eq!(desk.introspect("rs", 9, &token, NOW).err(), Some(ErrorCode::InvalidClient), "RV-6");
    desk.revoke("app", 1, &token, NOW).unwrap();
    assert_eq!(desk.introspect("rs", 3, &token, NOW), nothing, "revoked");
    let mut desk = Desk::new();
    let token = text(&desk.tokens(NOW), "access_token");
    assert_eq!(desk.introspect("rs", 3, &token, NOW + 600), nothing, "over");
}

#[test]
fn revoking_a_client_a_person_or_a_key_ends_their_tokens() {
    let events = [
        Event::ClientRevoked { client: ClientId::new("app").unwrap() },
        Event::SubjectRevoked { subject: "person-1".into() },
        Event::KeyRevoked { key: jkt(11), by: PersonName::new("ada").unwrap() },
    ];
    for event in events {
        let mut desk = Desk::new();
        let token = text(&desk.tokens(NOW), "access_token");
        assert!(desk.authority.verify(&token, at(NOW)).is_some());
        desk.authority.apply(&event);
        assert!(desk.authority.verify(&token, at(NOW)).is_none(), "{event:?}");
    }
    // Narrowing what a client may have narrows what is out.
    let mut desk = Desk::new();
    let token = text(&desk.tokens(NOW), "access_token");
    let mut narrower = terms("app", 1);
    narrower.allowed = trading("499");
    desk.authority.apply(&Event::ClientRegistered { terms: narrower });
    assert!(desk.authority.verify(&token, at(NOW)).is_none());
}

#[test]
fn the_state_is_a_fold_of_events_that_hold_no_secret() {
    let mut desk = Desk::new();
    let answer = desk.tokens(NOW);
    let _ = desk.code(NOW);
    let refresh = text(&answer, "refresh_token");
    let events = desk.authority.take_events();
    assert_eq!(events.len(), 2);
    let mut state = Desk::new().authority.state().clone();
    for event in &events {
        let bytes = codec::to_bytes(event);
        assert_eq!(codec::from_bytes::<Event>(&bytes).as_ref(), Ok(event));
        let shown = codec::to_json(event);
        assert!(!shown.contains(&refresh) && !shown.contains(&text(&answer, "access_token")));
        state.apply(event);
    }
    let digest = Thumbprint::of(refresh.as_bytes());
    let grant = state.grant_of_refresh(&digest, at(NOW)).unwrap();
    assert_eq!(show::to_value(&grant.details), details("500"));
    assert!(desk.authority.take_events().is_empty());
}

#[test]
fn oa_29_fp_a03_names_are_given_once_and_never_a_person_s() {
    let mut desk = Desk::new();
    let _ = desk.tokens(NOW);
    let state = desk.authority.state();
    assert!(state.register(terms("person-1", 5)).is_err(), "a subject");
    assert!(state.register(terms("new", 5)).is_ok());
    assert!(state.register(terms("app", 6)).is_ok(), "new terms of a client in force");
    let mut keyless = terms("new", 5);
    keyless.allowed = Vec::new();
    assert!(state.register(keyless).is_err());
    desk.authority.apply(&Event::ClientRevoked { client: ClientId::new("app").unwrap() });
    assert!(desk.authority.state().register(terms("app", 6)).is_err(), "gone for ever");
}

#[test]
fn the_sizes_of_a_desk_are_bounded() {
    let mut desk = Desk::new();
    for shelf in [MAX_PENDING, 0] {
        desk.authority.pushed = Shelf::new(shelf.min(1));
        let first = desk.push(&par_fields(&asked()), None, NOW);
        assert_eq!(first.is_ok(), shelf > 0);
        let second = desk.push(&par_fields(&asked()), None, NOW);
        assert_eq!(second.err(), Some(ErrorCode::TemporarilyUnavailable));
    }
    // What is over makes room.
    desk.authority.pushed = Shelf::new(1);
    assert!(desk.push(&par_fields(&asked()), None, NOW).is_ok());
    assert!(desk.push(&par_fields(&asked()), None, NOW + 90).is_ok());
}
