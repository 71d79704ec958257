use super::*;
use crate::folder::DataFolder;
use crate::setup::{make_authority, make_certificate};

#[test]
fn ht_1_a_host_is_ours_by_loopback_by_configuration_or_by_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let folder = DataFolder::new(dir.path());
    let named = ["desk.example.com".to_owned(), "10.1.2.3".to_owned()];
    make_authority(&folder, &named).unwrap();
    make_certificate(&folder, &named).unwrap();
    let certificate = Certificate::read(&folder.chain(), &folder.tls_key()).unwrap();
    let names = Names::new(["Public.example".to_owned()], Some(Arc::new(certificate)));
    for (host, ours) in [
        ("localhost", true),
        ("LOCALHOST:8443", true),
        ("127.0.0.1:1", true),
        ("[::1]:8443", true),
        ("public.example", true),
        ("PUBLIC.example.:443", true),
        ("desk.example.com:8443", true),
        ("10.1.2.3:8443", true),
        ("10.1.2.4:8443", false),
        ("evil.example", false),
        ("desk.example.com.evil.example", false),
        ("me@localhost", false),
        ("localhost.evil.example", false),
        ("127.0.0.1.evil.example", false),
        ("", false),
        (":8443", false),
    ] {
        assert_eq!(names.have(host), ours, "{host:?}");
    }
    assert!(!Names::default().have("public.example"));
}
