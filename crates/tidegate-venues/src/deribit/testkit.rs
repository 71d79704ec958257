//! What the tests of this folder share.

use super::Deribit;
use crate::front::{Instruments, Owned, Owners, Viewer};
use crate::upstream::{KeySigner, Upstream};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};
use tidegate_types::ids::{CallerName, CallerOrderId};
use tidegate_types::request::{Method, RawRequest, Reply};
use tidegate_types::time::Time;

pub(crate) const NOW: Time = Time::from_millis(1_700_000_000_000);

pub(crate) fn venue() -> Deribit {
    Deribit::new().unwrap()
}

pub(crate) fn request(
    method: Method,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> RawRequest {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    RawRequest {
        method,
        path: path.into(),
        query: query.into(),
        headers: headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
        body: body.as_bytes().to_vec(),
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        certificate: None,
    }
}

pub(crate) fn get(target: &str) -> RawRequest {
    request(Method::Get, target, &[], "")
}

pub(crate) fn reply(status: u16, body: &str) -> Reply {
    Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

pub(crate) fn json(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

pub(crate) const INSTRUMENTS: &str = r#"{"jsonrpc":"2.0","result":[
{"kind":"future","instrument_name":"BTC-PERPETUAL","instrument_type":"reversed","settlement_period":"perpetual","expiration_timestamp":32503708800000,"price_index":"btc_usd","base_currency":"BTC","quote_currency":"USD","counter_currency":"USD","settlement_currency":"BTC","tick_size":0.5,"tick_size_steps":[],"contract_size":10.0,"min_trade_amount":10.0,"is_active":true,"state":"open"},
{"kind":"future","instrument_name":"BTC-25DEC26","instrument_type":"reversed","settlement_period":"month","expiration_timestamp":1798185600000,"price_index":"btc_usd","base_currency":"BTC","settlement_currency":"BTC","tick_size":2.5,"tick_size_steps":[],"contract_size":10,"min_trade_amount":10,"is_active":true},
{"kind":"future","instrument_name":"ETH_USDC-PERPETUAL","instrument_type":"linear","settlement_period":"perpetual","price_index":"eth_usdc","base_currency":"ETH","settlement_currency":"USDC","tick_size":0.05,"contract_size":0.001,"min_trade_amount":0.001,"is_active":true,"state":"halted"},
{"kind":"option","instrument_name":"BTC-25DEC26-100000-C","instrument_type":"reversed","option_type":"call","strike":100000.0,"settlement_period":"month","expiration_timestamp":1798185600000,"price_index":"btc_usd","base_currency":"BTC","settlement_currency":"BTC","tick_size":0.0001,"tick_size_steps":[{"above_price":0.005,"tick_size":0.0005}],"contract_size":1.0,"min_trade_amount":0.1,"is_active":true},
{"kind":"option","instrument_name":"XRP_USDC-25DEC26-0d625-P","instrument_type":"linear","option_type":"put","strike":0.625,"settlement_period":"month","expiration_timestamp":1798185600000,"price_index":"xrp_usdc","base_currency":"XRP","settlement_currency":"USDC","tick_size":0.0001,"contract_size":1000,"min_trade_amount":1000,"is_active":true},
{"kind":"spot","instrument_name":"BTC_USDC","instrument_type":"linear","price_index":"btc_usdc","base_currency":"BTC","settlement_currency":"USDC","tick_size":1,"contract_size":0.0001,"min_trade_amount":0.0001,"is_active":true},
{"kind":"future_combo","instrument_name":"BTC-FS-25DEC26_PERP","instrument_type":"reversed","base_currency":"BTC","settlement_currency":"BTC","tick_size":0.5,"contract_size":10,"min_trade_amount":10,"is_active":true}
],"usIn":1,"usOut":2,"usDiff":1,"testnet":true}"#;

pub(crate) fn instruments() -> Instruments {
    let read = venue().instruments(&[reply(200, INSTRUMENTS)]).unwrap();
    Instruments(read.into_iter().map(|i| (i.id.name.clone(), i)).collect())
}

/// Labels `tg1-0` and `tg1-2` are ann's (the first as `mine`), `tg1-1` is bob's.
pub(crate) struct Book;

impl Owners for Book {
    fn owner(&self, client_id: Option<&str>, _: Option<&str>) -> Option<Owned> {
        let (caller, id) = match client_id? {
            "tg1-0" => ("ann", Some("mine")),
            "tg1-2" => ("ann", None),
            "tg1-1" => ("bob", Some("his")),
            _ => return None,
        };
        let caller_id = id.map(|id| CallerOrderId::new(id).unwrap());
        Some(Owned { caller: CallerName::new(caller).unwrap(), caller_id })
    }
}

pub(crate) fn as_ann<T>(account_wide: bool, see: impl FnOnce(&Viewer<'_>) -> T) -> T {
    let caller = CallerName::new("ann").unwrap();
    see(&Viewer { caller: &caller, account_wide, owners: &Book })
}

/// An order as the venue tells it.
pub(crate) fn order(label: &str, id: &str, state: &str) -> String {
    format!(
        r#"{{"label":"{label}","price":61234.50,"user_id":7,"amount":30.0,"direction":"buy","time_in_force":"good_til_cancelled","instrument_name":"BTC-PERPETUAL","web":false,"api":true,"order_id":"{id}","creation_timestamp":1700000000001,"replaced":false,"filled_amount":10.0,"last_update_timestamp":1700000000002,"post_only":false,"reduce_only":false,"average_price":61200.123456789012,"mmp":false,"contracts":3.0,"order_state":"{state}","order_type":"limit"}}"#
    )
}

/// A trade of the account as the venue tells it.
pub(crate) fn trade(label: &str, order: &str) -> String {
    format!(
        r#"{{"trade_id":"t-{order}","trade_seq":5,"instrument_name":"BTC-PERPETUAL","timestamp":1700000000002,"order_id":"{order}","order_type":"limit","direction":"buy","price":61200.5,"amount":10.0,"contracts":1.0,"fee":1.42e-07,"fee_currency":"BTC","liquidity":"T","label":"{label}","state":"open","matching_id":null}}"#
    )
}

pub(crate) struct Secret {
    pub(crate) id: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) nonce: &'static str,
}

impl KeySigner for Secret {
    fn key_id(&self) -> &str {
        self.id
    }
    fn hmac_sha256(&self, message: &[u8]) -> Option<[u8; 32]> {
        hmac_sha256(self.secret, message).try_into().ok()
    }
    fn ed25519(&self, _: &[u8]) -> Option<[u8; 64]> {
        None
    }
    fn nonce(&self) -> String {
        self.nonce.into()
    }
}

pub(crate) struct Pair;

impl KeySigner for Pair {
    fn key_id(&self) -> &str {
        "PAIR"
    }
    fn hmac_sha256(&self, _: &[u8]) -> Option<[u8; 32]> {
        None
    }
    fn ed25519(&self, message: &[u8]) -> Option<[u8; 64]> {
        let seed: Vec<u8> = (0..32).collect();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        pair.sign(message).as_ref().try_into().ok()
    }
    fn nonce(&self) -> String {
        "1iqt2wls".into()
    }
}

pub(crate) fn hmac_sha256(secret: &str, message: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, message).as_ref().to_vec()
}
