use super::*;
use crate::oauth::json;

fn key(text: &str) -> Result<Jwk, JoseError> {
    Jwk::from_object(&json::object(text.as_bytes()).unwrap())
}

const OKP: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const RSA_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
const EC: (&str, &str) =
    ("04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY", "UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw");

#[test]
fn dp_16_thumbprints_are_those_of_rfc_7638_and_rfc_8037() {
    let rsa = key(&format!(r#"{{"kty":"RSA","n":"{RSA_N}","e":"AQAB","alg":"PS256"}}"#)).unwrap();
    assert_eq!(rsa.thumbprint().to_string(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let okp = key(OKP).unwrap();
    assert_eq!(okp.thumbprint().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(Thumbprint::parse(&okp.thumbprint().to_string()), Some(okp.thumbprint()));
    assert_eq!(Thumbprint::parse("kPrK"), None);
}

#[test]
fn at_6_a_key_has_the_one_algorithm_of_its_kind() {
    assert_eq!(key(OKP).unwrap().alg(), Alg::EdDsa);
    let rsa =
        |alg: &str| key(&format!(r#"{{"kty":"RSA","n":"{RSA_N}","e":"AQAB","alg":"{alg}"}}"#));
    assert_eq!(rsa("PS256").unwrap().alg(), Alg::Ps256);
    for alg in ["RS256", "PS384", "HS256", "ES256", "none", ""] {
        assert_eq!(rsa(alg).err(), Some(JoseError::Algorithm), "{alg}");
    }
}

#[test]
fn at_7_a_point_off_the_curve_is_no_key() {
    let ec =
        |x: &str, y: &str| key(&format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#));
    assert!(ec(EC.0, EC.1).is_ok());
    assert_eq!(ec(EC.1, EC.0).err(), Some(JoseError::Key));
    assert_eq!(ec(EC.0, "AA").err(), Some(JoseError::Key));
    let zero = "A".repeat(43);
    assert_eq!(ec(&zero, &zero).err(), Some(JoseError::Key));
}

#[test]
fn fp_c02_rsa_needs_2048_bits_and_a_large_odd_exponent() {
    let rsa = |n: &str, e: &str| key(&format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#));
    assert!(rsa(RSA_N, "AQAB").is_ok());
    for e in ["AQ", "Aw", "AQAA", "AAEAAQ", ""] {
        assert_eq!(rsa(RSA_N, e).err(), Some(JoseError::Key), "{e}");
    }
    assert_eq!(rsa(&RSA_N[..172], "AQAB").err(), Some(JoseError::Key));
    assert_eq!(rsa(&RSA_N.repeat(3), "AQAB").err(), Some(JoseError::Key));
}

#[test]
fn rsa_keys_are_as_long_as_is_asked_for() {
    let long = format!("{}{}", &RSA_N[..172], RSA_N);
    let rsa = |n: &str| key(&format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#)).unwrap();
    assert!(!rsa(RSA_N).is_as_long_as(RsaBits::DEFAULT));
    assert!(rsa(RSA_N).is_as_long_as(RsaBits::FEWEST));
    assert!(rsa(&long).is_as_long_as(RsaBits::DEFAULT));
    assert!(!rsa(&long).is_as_long_as(RsaBits::MOST));
    assert!(key(OKP).unwrap().is_as_long_as(RsaBits::MOST));
}

#[test]
fn dp_07_private_and_symmetric_members_are_refused() {
    for name in PRIVATE {
        let with = OKP.replace('}', &format!(r#","{name}":"AAAA"}}"#));
        assert_eq!(key(&with).err(), Some(JoseError::Key), "{name}");
    }
    assert_eq!(key(r#"{"kty":"oct","k":"AAAA"}"#).err(), Some(JoseError::Key));
}

#[test]
fn a_key_for_another_use_is_refused() {
    for member in
        [r#""use":"enc""#, r#""use":1"#, r#""key_ops":["encrypt"]"#, r#""key_ops":"verify""#]
    {
        let with = OKP.replace('}', &format!(",{member}}}"));
        assert_eq!(key(&with).err(), Some(JoseError::Key), "{member}");
    }
    assert!(key(&OKP.replace('}', r#","use":"sig","key_ops":["verify"]}"#)).is_ok());
}

#[test]
fn a_key_is_read_back_from_what_it_writes() {
    let named = key(&OKP.replace('}', r#","kid":"a","x5u":"https://elsewhere"}"#)).unwrap();
    let again = key(&named.to_json().to_string()).unwrap();
    assert_eq!((again.kid(), again.thumbprint()), (Some("a"), named.thumbprint()));
    assert!(!named.to_json().to_string().contains("x5u"));
}
