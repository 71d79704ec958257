use super::check::check_url;
use super::*;

#[test]
fn an_empty_file_is_the_defaults() {
    assert_eq!(Config::parse("").unwrap(), Config::default());
}

#[test]
fn what_is_written_reads_back() {
    let config = Config { desk: "north".to_owned(), ..Config::default() };
    assert_eq!(Config::parse(&config.to_toml().unwrap()).unwrap(), config);
}

#[test]
fn mistakes_are_named() {
    let table = [
        ("dekc = \"x\"", "unknown field"),
        ("[timeouts]\nhead = 1", "unknown field"),
        ("desk = \"a b\"", "desk"),
        ("approvals = \"three\"", "three"),
        ("[listen]\naddress = \"0.0.0.0:1\"\nplain_http = true", "loopback"),
        ("[venues.nowhere]\nrest = \"https://a\"\nws = \"wss://a\"", "no such venue"),
        ("[journal]\nsegment_kib = 255", "segment_kib"),
        ("[keys]\nrsa_bits = 2047", "rsa_bits"),
        ("[passkeys]\nattested_roles = [\"boss\"]", "no role \"boss\""),
        ("[passkeys]\nattested_roles = [\"admin\"]", "takes models and roots"),
        ("[passkeys]\nattested_roles = [\"admin\"]\nroots = \"/r\"", "takes models and roots"),
        ("[passkeys]\nroots = \"/r\"", "mean nothing"),
        ("[passkeys]\nmodels = [\"876ca4f52071c3e9b25509ef2cdf7ed6\"]", "not an AAGUID"),
        ("[keys]\nrsa_bits = 8192", "rsa_bits"),
        ("[requests]\ncaller_burst = 0", "requests.caller_burst"),
        ("[requests]\ncaller_at_once = 0", "requests.caller_at_once"),
        ("[requests]\ninside = 1", "requests.inside"),
        ("[people]\nbob = \"bob\"", "people"),
        ("[people]\n7 = \"owner\"", "people"),
        (
            "[venues.deribit]\nrest = \"https://a\"\nws = \"wss://a\"\nhosts = { api = \"https://b\" }",
            "a prefix is written",
        ),
        (
            "[venues.deribit]\nrest = \"https://a\"\nws = \"wss://a\"\nhosts = { \"/ws\" = \"ws://b\" }",
            "must begin with wss",
        ),
    ];
    for (text, said) in table {
        let error = Config::parse(text).unwrap_err();
        assert!(error.0.contains(said), "{text}: {error}");
    }
}

#[test]
fn base_urls_are_secure_or_loopback() {
    let schemes = ["https", "http"];
    for good in
        ["https://venue.example", "http://127.0.0.1:80", "http://[::1]:80", "http://localhost"]
    {
        assert_eq!(check_url("rest", good, schemes), Ok(()), "{good}");
    }
    for bad in
        ["", "venue.example", "http://venue.example", "ftp://127.0.0.1", "http://127.0.0.1.evil"]
    {
        assert!(check_url("rest", bad, schemes).is_err(), "{bad}");
    }
}

#[test]
fn the_reference_tells_every_setting_and_its_default() {
    let reference = Config::reference();
    let idle = reference.iter().find(|s| s.table == "timeouts" && s.key == "idle_ms").unwrap();
    assert_eq!(idle.default, "75000");
    assert!(idle.doc.contains("kept-alive"));
    assert!(reference.iter().all(|setting| !setting.doc.is_empty()));
}

#[test]
fn the_examples_hold() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Policies, and cases for them, are held by the crate that reads them.
        let is_policy =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("policy"));
        if !is_policy && path.extension().is_some_and(|extension| extension == "toml") {
            let config = Config::parse(&std::fs::read_to_string(&path).unwrap());
            let config = config.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            seen.extend(config.venues.into_keys());
        }
    }
    seen.sort();
    assert_eq!(seen, ["binance", "deribit"]);
}

#[test]
fn rsa_keys_have_3072_bits_unless_the_desk_says_otherwise() {
    assert_eq!(Config::default().keys.rsa(), RsaBits::DEFAULT);
    let lowered = Config::parse("[keys]\nrsa_bits = 2048").unwrap();
    assert_eq!(lowered.keys.rsa(), RsaBits::FEWEST);
}

#[test]
fn attested_passkeys_are_asked_for_by_role_model_and_maker() {
    let config = Config::parse(
        "[passkeys]\nattested_roles = [\"admin\", \"approver\"]\nroots = \"/srv/makers.pem\"\n\
         models = [\"876ca4f5-2071-c3e9-b255-09ef2cdf7ed6\"]",
    );
    let asked = config.unwrap().passkeys;
    let roles: Vec<&str> = asked.roles().iter().map(|role| role.word()).collect();
    assert_eq!(roles, ["admin", "approver"]);
    let [model] = asked.aaguids()[..] else { panic!("one model") };
    assert_eq!((model[0], model[7], model[15]), (0x87, 0xe9, 0xd6));
    assert!(Config::default().passkeys.roles().is_empty());
}

#[test]
fn a_list_of_breached_passwords_is_a_file() {
    let config = Config::parse("[passwords]\nbreached = \"/srv/breached\"").unwrap();
    assert_eq!(config.passwords.breached, Some(PathBuf::from("/srv/breached")));
    assert_eq!(Config::default().passwords.breached, None);
    assert!(Config::parse("[passwords]\nbreached = [\"secret\"]").is_err());
}

#[test]
fn an_outside_provider_is_named_whole_or_not_at_all() {
    let parse = |text: &str| Config::parse(text).map(|config| config.oidc);
    assert!(parse("").unwrap().configured().is_none());
    let good = "[oidc]\nissuer = \"https://login.example/realms/desk\"\nclient_id = \"tidegate\"\n";
    assert_eq!(parse(good).unwrap().shown_name(), "login.example");
    let more = format!("{good}name = \"Example ID\"\norigins = [\"https://api.example:8443\"]\n");
    assert_eq!(parse(&more).unwrap().shown_name(), "Example ID");
    for bad in [
        "[oidc]\nclient_id = \"tidegate\"\n".to_owned(),
        "[oidc]\nissuer = \"https://login.example\"\n".to_owned(),
        good.replace("https://", "http://"),
        good.replace("login.example", "me@login.example"),
        good.replace("desk", "desk?tenant=1"),
        format!("{good}origins = [\"https://api.example/token\"]\n"),
        format!("{good}origins = [\"http://api.example\"]\n"),
        format!("{good}max_age_s = 59\n"),
        format!("{good}name = \"{}\"\n", "x".repeat(41)),
        format!("{good}client_secret = \"s\"\n"),
    ] {
        assert!(parse(&bad).is_err(), "{bad}");
    }
}
