use super::*;
use crate::oauth::event::Event;
use crate::oauth::testing::*;

fn token(desk: &mut Desk) -> String {
    desk.tokens(NOW)["access_token"].as_str().unwrap().to_owned()
}

fn anybody(_: &TokenBearer) -> Result<(), Challenge> {
    Ok(())
}

fn check_with(
    desk: &mut Desk,
    authorization: &[&str],
    proofs: &[&str],
    now: u64,
) -> Result<Arc<TokenBearer>, Challenge> {
    let shown = Shown { method: "POST", uri: ORDERS, authorization, proofs, certificate: None };
    desk.resource.check(&desk.authority, &shown, anybody, at(now))
}

/// A request with the token and a proof by the key of `byte`.
fn check(
    desk: &mut Desk,
    scheme: &str,
    token: &str,
    byte: u8,
    now: u64,
) -> Result<String, Problem> {
    let proof = desk.proof(byte, "POST", ORDERS, Some(token), now);
    let outcome = check_with(desk, &[&format!("{scheme} {token}")], &[&proof], now);
    outcome.map(|bearer| bearer.subject.clone()).map_err(|challenge| challenge.problem)
}

#[test]
fn fp_r01_a_good_request_and_the_case_of_its_scheme() {
    let mut desk = Desk::new();
    let token = token(&mut desk);
    for scheme in ["DPoP", "dpop", "DPOP"] {
        assert_eq!(
            check(&mut desk, scheme, &token, 11, NOW).as_deref(),
            Ok("person-1"),
            "{scheme}"
        );
    }
}

#[test]
fn dp_13_fp_r05_a_stolen_token_is_worth_nothing() {
    let mut desk = Desk::new();
    let token = token(&mut desk);
    assert_eq!(check(&mut desk, "DPoP", &token, 99, NOW), Err(Problem::Token));
    let header = format!("DPoP {token}");
    let bare = check_with(&mut desk, &[&header], &[], NOW).unwrap_err();
    assert!(matches!(bare.problem, Problem::Proof(_)));
    let elsewhere = desk.proof(11, "POST", "https://desk.example/v1/other", Some(&token), NOW);
    assert!(check_with(&mut desk, &[&header], &[&elsewhere], NOW).is_err());
    let other_token = desk.proof(11, "POST", ORDERS, Some("other"), NOW);
    assert!(check_with(&mut desk, &[&header], &[&other_token], NOW).is_err());
}

#[test]
fn what_is_refused_takes_no_room_among_the_proofs() {
    let mut desk = Desk::new();
    let token = token(&mut desk);
    for byte in [99, 98, 97] {
        assert_eq!(check(&mut desk, "DPoP", &token, byte, NOW), Err(Problem::Token));
    }
    // Nor does what comes faster than the client may ask.
    let header = format!("DPoP {token}");
    let (authorization, proof) =
        ([header.as_str()], desk.proof(11, "POST", ORDERS, Some(&token), NOW));
    let proofs = [proof.as_str()];
    let shown = Shown {
        method: "POST",
        uri: ORDERS,
        authorization: &authorization,
        proofs: &proofs,
        certificate: None,
    };
    let busy = Challenge::of(Problem::Busy);
    let refused = desk.resource.check(&desk.authority, &shown, |_| Err(busy), at(NOW));
    assert_eq!(refused.unwrap_err(), busy);
    assert!(desk.resource.proofs().seen().is_empty());
    assert!(desk.resource.check(&desk.authority, &shown, anybody, at(NOW)).is_ok());
    assert_eq!(desk.resource.proofs().seen().len(), 1);
}

#[test]
fn dp_18_downgrades() {
    let mut desk = Desk::new();
    let token = token(&mut desk);
    assert_eq!(check(&mut desk, "Bearer", &token, 11, NOW), Err(Problem::Token));
}

#[test]
fn dp_22_a_proof_is_good_once_also_for_a_token_that_is_known() {
    let mut desk = Desk::new();
    let token = token(&mut desk);
    let header = format!("DPoP {token}");
    let proof = desk.proof(11, "POST", ORDERS, Some(&token), NOW);
    assert!(check_with(&mut desk, &[&header], &[&proof], NOW).is_ok());
    assert!(check_with(&mut desk, &[&header], &[&proof], NOW).is_err());
}

#[test]
fn oa_24_oa_26_what_is_no_credential() {
    let mut desk = Desk::new();
    let problem = |desk: &mut Desk, headers: &[&str]| {
        let challenge = check_with(desk, headers, &[], NOW).unwrap_err();
        (challenge.status(), challenge.code())
    };
    assert_eq!(problem(&mut desk, &[]), (401, None));
    assert_eq!(problem(&mut desk, &["Basic abc"]), (401, None));
    assert_eq!(problem(&mut desk, &["DPoP a", "Bearer b"]), (400, Some("invalid_request")));
    assert_eq!(problem(&mut desk, &["DPoP"]), (400, Some("invalid_request")));
    assert_eq!(problem(&mut desk, &["DPoP a b"]), (400, Some("invalid_request")));
    assert_eq!(problem(&mut desk, &["DPoP a.b.c"]), (401, Some("invalid_token")));
}

#[test]
fn fp_r03_oa_25_expiry_and_revocation_are_looked_at_every_time() {
    let mut desk = Desk::new();
    let token = token(&mut desk);
    assert!(check(&mut desk, "DPoP", &token, 11, NOW + 599).is_ok());
    assert_eq!(check(&mut desk, "DPoP", &token, 11, NOW + 600), Err(Problem::Token));
    let mut desk = Desk::new();
    let token = self::token(&mut desk);
    assert!(check(&mut desk, "DPoP", &token, 11, NOW).is_ok());
    desk.revoke("app", 1, &token, NOW).unwrap();
    assert_eq!(check(&mut desk, "DPoP", &token, 11, NOW), Err(Problem::Token));
}

#[test]
fn rv_5_a_session_ends_with_its_token_and_with_what_is_revoked() {
    let mut desk = Desk::new();
    let token = token(&mut desk);
    let bearer = desk.authority.verify(&token, at(NOW)).unwrap();
    assert_eq!(remains(&desk.authority, &bearer, at(NOW + 599)), Ok(()));
    assert!(remains(&desk.authority, &bearer, at(NOW + 600)).is_err());
    desk.authority.apply(&Event::SubjectRevoked { subject: "person-1".into() });
    assert!(remains(&desk.authority, &bearer, at(NOW)).is_err());
}

#[test]
fn at_8_no_other_jwt_passes_for_a_token() {
    let mut desk = Desk::new();
    let proof = desk.proof(11, "POST", ORDERS, None, NOW);
    let foreign = signer(100).sign_with(
        &serde_json::json!({ "alg": "EdDSA", "typ": "JWT", "kid": jkt(100).to_string() }),
        b"{}",
    );
    for text in [proof, foreign.unwrap()] {
        assert_eq!(check(&mut desk, "DPoP", &text, 11, NOW), Err(Problem::Token));
    }
}

#[test]
fn mt_3_a_token_bound_to_a_certificate() {
    let mut desk = Desk::new();
    let token = token(&mut desk);
    let mut bearer = desk.authority.verify(&token, at(NOW)).unwrap();
    bearer.bound_to = Confirmation::Certificate { x5t: Thumbprint([5; 32]) };
    let claims = bearer.to_claims(ISSUER, RESOURCE);
    let typ = crate::oauth::jose::jws::Typ::AccessToken;
    let token = desk.authority.keys().current().sign(typ, &claims).unwrap();
    let header = format!("Bearer {token}");
    let certificate = |byte: u8| PeerCertificate {
        thumbprint: Thumbprint([byte; 32]),
        trusted: false,
        names: Vec::new(),
    };
    let mut ask = |scheme: &str, certificate: Option<&PeerCertificate>| {
        let header = header.replace("Bearer", scheme);
        let authorization = [header.as_str()];
        let shown = Shown {
            method: "GET",
            uri: ORDERS,
            authorization: &authorization,
            proofs: &[],
            certificate,
        };
        desk.resource.check(&desk.authority, &shown, anybody, at(NOW)).is_ok()
    };
    assert!(ask("Bearer", Some(&certificate(5))));
    assert!(!ask("Bearer", Some(&certificate(6))));
    assert!(!ask("Bearer", None));
    assert!(!ask("DPoP", Some(&certificate(5))));
}

#[test]
fn su_1_step_up() {
    let mut desk = Desk::new();
    let token = token(&mut desk);
    let bearer = desk.authority.verify(&token, at(NOW)).unwrap();
    assert_eq!(step_up(&bearer, Some(Acr::TwoFactor), Some(Span::from_secs(60)), at(NOW)), Ok(()));
    let challenge = step_up(&bearer, Some(Acr::PhishingResistant), None, at(NOW)).unwrap_err();
    let headers = challenge.headers("https://desk.example/.well-known/oauth-protected-resource");
    for (scheme, header) in ["DPoP", "Bearer"].iter().zip(&headers) {
        let start =
            format!(r#"{scheme} error="insufficient_user_authentication", acr_values="phr","#);
        assert!(header.starts_with(&start), "{header}");
    }
    let late = step_up(&bearer, None, Some(Span::from_secs(60)), at(NOW + 60)).unwrap_err();
    assert!(late.headers("m")[0].contains(r#"max_age="60""#));
    assert_eq!(late.status(), 401);
}

#[test]
fn dp_17_dp_19_md_5_headers() {
    let none = Challenge::of(Problem::None).headers("m");
    assert_eq!(none[0], r#"DPoP algs="PS256 ES256 EdDSA Ed25519", resource_metadata="m""#);
    assert_eq!(none[1], r#"Bearer resource_metadata="m""#);
    let nonce = Challenge::of(Problem::Nonce);
    assert_eq!((nonce.status(), nonce.headers("m").len()), (401, 1));
    assert!(nonce.headers("m")[0].starts_with(r#"DPoP error="use_dpop_nonce","#));
    assert_eq!(Challenge::of(Problem::Scope).status(), 403);
}
