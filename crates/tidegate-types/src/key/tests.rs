use super::*;
use crate::codec::{from_bytes, to_bytes};

fn network(text: &str) -> Network {
    text.parse().unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn networks_are_read_as_they_are_written() {
    for text in ["10.0.0.0/8", "192.0.2.7/32", "0.0.0.0/0", "2001:db8::/32", "::/0", "::1/128"] {
        assert_eq!(network(text).to_string(), text);
        assert_eq!(from_bytes::<Network>(&to_bytes(&network(text))), Ok(network(text)));
    }
    assert_eq!(network("192.0.2.7").to_string(), "192.0.2.7/32");
    for text in ["", "10.0.0.0/33", "10.1.2.3/8", "10.0.0.0/", "10.0.0.0/+8", "::/129", "host/8"] {
        assert!(text.parse::<Network>().is_err(), "{text}");
    }
    let mut bytes = to_bytes(&network("10.0.0.0/8"));
    *bytes.last_mut().unwrap() = 64;
    assert_eq!(from_bytes::<Network>(&bytes), Err(CodecError::Malformed));
}

#[test]
fn a_network_has_its_addresses_and_no_others() {
    let cases = [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ("10.0.0.0/8", "::10.1.2.3", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "203.0.113.9", true),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
        ("127.0.0.1", "127.0.0.2", false),
    ];
    for (of, at, has) in cases {
        assert_eq!(network(of).has(address(at)), has, "{at} in {of}");
    }
}

#[test]
fn a_key_is_good_as_its_terms_say() {
    let at = Time::from_millis;
    let origin = |peer: &str, certificate| Origin { peer: address(peer), certificate };
    let terms = KeyTerms {
        from: vec![network("10.0.0.0/8"), network("::1")],
        certificate: Some([7; 32]),
        until: Some(at(1000)),
    };
    let code = |origin, now| terms.admit(&origin, at(now)).err().map(|reject| reject.code);
    assert_eq!(code(origin("10.9.9.9", Some([7; 32])), 999), None);
    assert_eq!(code(origin("::1", Some([7; 32])), 999), None);
    assert_eq!(code(origin("10.9.9.9", Some([7; 32])), 1000), Some(Code::KeyExpired));
    assert_eq!(code(origin("11.9.9.9", Some([7; 32])), 999), Some(Code::KeyNotFromHere));
    assert_eq!(code(origin("10.9.9.9", Some([8; 32])), 999), Some(Code::KeyNotFromHere));
    assert_eq!(code(origin("10.9.9.9", None), 999), Some(Code::KeyNotFromHere));
    let anywhere = KeyTerms::default();
    assert_eq!(anywhere.admit(&origin("203.0.113.1", None), at(u64::MAX / 2000)), Ok(()));
}
