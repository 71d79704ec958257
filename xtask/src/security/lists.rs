//! Which requirements there are, so that none can be left out of its table: the identifiers and levels of OWASP ASVS
//! 5.0.0, of the project's own numbered checks and of the FAPI 2.0 conformance suite, without their texts.

use super::modules::{MESSAGE_SIGNING, PREFIX, SECURITY_PROFILE};

/// A requirement: its identifier and its level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) level: &'static str,
}

/// What belongs together on the page.
#[derive(Debug)]
pub(super) struct Chapter {
    pub(super) title: String,
    pub(super) entries: Vec<Entry>,
}

/// Chapters of ASVS 5.0.0: of each section, the level of each of its requirements in order.
const ASVS: &[(&str, &str, &[&str])] = &[
    ("V1", "Encoding and sanitization", &["22", "1111122223", "112222222223", "222", "123"]),
    ("V2", "Validation and business logic", &["122", "112", "12223", "23"]),
    ("V3", "Web front end", &["3", "113", "12223", "11222233", "11122333", "3", "22333"]),
    ("V4", "API and web service", &["12233", "23333", "22", "1222"]),
    ("V5", "Files", &["2", "112333", "113", "222"]),
    (
        "V6",
        "Authentication",
        &["122", "111111112222", "11223333", "112233", "22222333", "2223", "33", "2222"],
    ),
    ("V7", "Sessions", &["222", "1111", "22", "11222", "223", "22"]),
    ("V8", "Authorization", &["1233", "1123", "133", "23"]),
    ("V9", "Self-contained tokens", &["111", "1222"]),
    (
        "V10",
        "OAuth and OpenID Connect",
        &["22", "223", "22223", "1111122222233333", "22222", "22", "222"],
    ),
    ("V11", "Cryptography", &["2233", "22233", "11233", "1222", "23", "23", "33"]),
    ("V12", "Communication", &["12233", "11", "22223"]),
    ("V13", "Configuration", &["2333", "222223", "2233", "1222233"]),
    ("V14", "Data protection", &["22", "12223333", "122"]),
    ("V15", "Code and architecture", &["12233", "12233", "1222222", "3333"]),
    ("V16", "Logging and errors", &["2", "22222", "2222", "222", "2223"]),
    ("V17", "WebRTC", &["23", "22223333", "22"]),
];

/// Checks that are numbered together: how their identifiers begin, how many digits follow at least, and how strongly
/// each is demanded, in order.
type Run = (&'static str, usize, &'static str);

/// Groups of the checks.
const CHECKS: &[(&str, &str, &[Run])] = &[
    (
        "OA",
        "OAuth 2.1 (draft 16), with RFC 6749, 6750, 9700",
        &[("OA-", 2, "MMMMMMMMMMMMMMMMMMMMMMMMMMSMMMMMOS")],
    ),
    (
        "FP",
        "FAPI 2.0 Security Profile, Final (A: authorization server, B: code flow, R: resource server, C: cryptography, N: network)",
        &[
            ("FP-A", 2, "MMMMMMMMMSMMMS"),
            ("FP-B", 2, "MMMMMMMMMMSMSM"),
            ("FP-R", 2, "MMMMM"),
            ("FP-C", 2, "MMMMMSSM"),
            ("FP-N", 2, "MMMSMMMMM"),
        ],
    ),
    ("PAR", "RFC 9126, pushed authorization requests", &[("PAR-", 1, "MMMMSMMM")]),
    ("DP", "RFC 9449, DPoP", &[("DP-", 2, "MMMMMMMMMMMMMMMMMMMSMMMMO")]),
    ("MT", "RFC 8705, mutual TLS", &[("MT-", 1, "MMMMMMOO")]),
    ("AT", "RFC 9068 access tokens, with RFC 8725", &[("AT-", 1, "MMSMMMMSO")]),
    ("RR", "RFC 9396, authorization details", &[("RR-", 1, "MMMMMMMO")]),
    (
        "SU",
        "RFC 9470 step-up, and OWASP on authorizing transactions",
        &[("SU-", 1, "MSMMOOOOOOOOO")],
    ),
    ("TX", "RFC 8693, token exchange", &[("TX-", 1, "MMMMMO")]),
    ("DV", "RFC 8628, device flow", &[("DV-", 1, "MMMSO")]),
    ("RV", "RFC 7009 revocation, RFC 7662 introspection", &[("RV-", 1, "MMMMOMMMS")]),
    ("MD", "RFC 8414, 9207, 9728, metadata", &[("MD-", 1, "MMMMSM")]),
    ("MS", "FAPI 2.0 Message Signing, RFC 9101, 9421, 9530", &[("MS-", 1, "MMSMMMMMMO")]),
    ("OI", "OpenID Connect", &[("OI-", 1, "MMMMSS")]),
    ("OTP", "RFC 4226 and 6238, one-time codes", &[("OTP-", 1, "MMMMMMSM3O")]),
    ("PK", "WebAuthn Level 3, passkeys", &[("PK-", 1, "MMMMMMMMMOOS")]),
    (
        "AAL",
        "NIST SP 800-63B (draft of revision 4; the stricter value where the final relaxed it)",
        &[("AAL-", 1, "MMMMMMMMM")],
    ),
    (
        "CR",
        "Cryptography of the vault (SP 800-38D, 800-57, OWASP)",
        &[("CR-", 1, "MMOOOOOMO3O33O")],
    ),
    ("TLS", "RFC 8446 and 9325", &[("TLS-", 1, "MMMMMMSMOOMO")]),
    ("LG", "The log: RFC 6962, 9162, C2SP", &[("LG-", 1, "MMMMMMMMSMMOO")]),
    ("AP", "OWASP API Security Top 10, 2023", &[("AP-", 1, "OOOOOOOOOO")]),
    ("HT", "HTTP and WebSocket framing", &[("HT-", 1, "MMOM3MO3O")]),
    ("SC", "Supply chain", &[("SC-", 1, "OOOOOOOOO")]),
    ("CC", "CCSS 8.1, as far as software can show it", &[("CC-", 1, "OOOOOOOOOO")]),
];

/// The 345 requirements of ASVS 5.0.0. Levels are 1, 2 and 3.
pub(super) fn asvs() -> Vec<Chapter> {
    ASVS.iter()
        .map(|(chapter, title, sections)| {
            let numbered = sections.iter().enumerate().flat_map(|(section, levels)| {
                levels.chars().enumerate().map(move |(at, level)| Entry {
                    id: format!("{chapter}.{}.{}", section + 1, at + 1),
                    level: level_word(level),
                })
            });
            Chapter { title: format!("{chapter} {title}"), entries: numbered.collect() }
        })
        .collect()
}

/// The 305 checks. Their levels say who demands them: a standard (`must`, `should`), level 3 of ASVS, or this project.
pub(super) fn checks() -> Vec<Chapter> {
    CHECKS
        .iter()
        .map(|(group, title, runs)| {
            let numbered = runs.iter().flat_map(|(prefix, width, levels)| {
                levels.chars().enumerate().map(move |(at, level)| Entry {
                    id: format!("{prefix}{:0width$}", at + 1, width = *width),
                    level: level_word(level),
                })
            });
            Chapter { title: format!("{group}: {title}"), entries: numbered.collect() }
        })
        .collect()
}

/// The 78 modules that test an authorization server, each with the plan that it is of.
pub(super) fn fapi2() -> Vec<Chapter> {
    [("Security Profile", "SP", SECURITY_PROFILE), ("Message Signing alone", "MS", MESSAGE_SIGNING)]
        .iter()
        .map(|(title, level, names)| {
            let entry = |name: &&str| Entry { id: format!("{PREFIX}{name}"), level };
            Chapter { title: (*title).to_owned(), entries: names.iter().map(entry).collect() }
        })
        .collect()
}

fn level_word(level: char) -> &'static str {
    match level {
        '1' => "1",
        '2' => "2",
        '3' => "3",
        'M' => "must",
        'S' => "should",
        _ => "ours",
    }
}
