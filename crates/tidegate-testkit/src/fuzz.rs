//! One target per parser: plain functions over bytes, run by cargo-fuzz (`fuzz/`) and, over the
//! corpus and mutations of it, by `cargo test`. A target may not panic on any input, and asserts
//! what must hold whatever the input is.

mod answers;
mod http;
mod journal;
mod local;
mod oauth;
mod sessions;
mod simulator;
mod world;

/// A target: the name of its folder in `fuzz/corpus/`, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("admin", local::admin),
    ("binance_answers", answers::binance),
    ("binance_http", http::binance),
    ("binance_instruments", answers::binance_instruments),
    ("binance_session", sessions::binance),
    ("binance_stream", answers::binance_stream),
    ("config", local::config),
    ("decimal", local::decimal),
    ("deribit_answers", answers::deribit),
    ("deribit_http", http::deribit),
    ("deribit_instruments", answers::deribit_instruments),
    ("deribit_session", sessions::deribit),
    ("deribit_stream", answers::deribit_stream),
    ("identity", local::identity),
    ("journal_notes", journal::notes),
    ("journal_segment", journal::segment),
    ("journal_tiles", journal::tiles),
    ("journal_verify", journal::verify),
    ("json", local::json),
    ("message_signature", oauth::message),
    ("oauth_assertion", oauth::assertion),
    ("oauth_form", oauth::form),
    ("oauth_proof", oauth::proof),
    ("oauth_request_object", oauth::request_object),
    ("oauth_rights", oauth::rights),
    ("passkey", oauth::passkey),
    ("record", local::record),
    ("signer", local::signer),
    ("sim_deribit", simulator::deribit),
    ("venue_key", local::venue_key),
];

/// Runs the target of that name; whether there is one.
pub fn run(name: &str, data: &[u8]) -> bool {
    let found = TARGETS.iter().find(|(target, _)| *target == name);
    found.is_some_and(|(_, target)| {
        target(data);
        true
    })
}
