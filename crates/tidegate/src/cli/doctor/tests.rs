use super::*;

#[test]
fn lowered_bits_of_rsa_keys_are_told() {
    let seen = |text: &str| keys(&Config::parse(text).unwrap()).seen;
    assert_eq!(seen(""), "RSA keys have 3072 bits or more");
    assert!(seen("[keys]\nrsa_bits = 2048").contains("from 2048 bits on"));
}

#[test]
fn a_list_of_breached_passwords_that_is_none_is_wrong() {
    assert!(breached(&Config::default()).is_none());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("breached");
    let config = Config::parse(&format!("[passwords]\nbreached = {path:?}")).unwrap();
    let missing = breached(&config).unwrap();
    assert!(!missing.well && missing.seen.contains("cannot be read"), "{}", missing.seen);
    std::fs::write(&path, format!("{}\n", "5".repeat(40))).unwrap();
    assert!(breached(&config).unwrap().well);
}
