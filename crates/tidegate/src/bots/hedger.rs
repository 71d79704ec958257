//! Buys near-the-money calls on BTC, a little at a time, and holds the delta of the whole account
//! near zero with the perpetual.

use super::deribit::{Api, number};
use super::{Trouble, tell};
use serde_json::Value;
use std::io;
use std::time::Duration;

const PERPETUAL: &str = "BTC-PERPETUAL";
const MAX_OPTIONS: f64 = 2.0;
/// Delta, in coin, beyond which the perpetual is traded.
const BAND: f64 = 0.05;

pub(super) async fn run(mut api: Api) -> io::Result<()> {
    for round in 0_u64.. {
        tokio::time::sleep(Duration::from_secs(3)).await;
        if round % 10 == 0
            && let Err(trouble) = buy_call(&mut api).await
        {
            tell("buy call", &trouble).await;
        }
        if let Err(trouble) = hedge(&mut api).await {
            tell("hedge", &trouble).await;
        }
    }
    Ok(())
}

async fn buy_call(api: &mut Api) -> Result<(), Trouble> {
    let positions = api.private("get_positions?currency=BTC&kind=option").await?;
    let held: f64 = rows(&positions).map(|row| number(row, &["size"]).abs()).sum();
    if held >= MAX_OPTIONS {
        return Ok(());
    }
    let index = number(&api.public("get_index_price?index_name=btc_usd").await?, &["index_price"]);
    let instruments = api.public("get_instruments?currency=BTC&kind=option").await?;
    let calls = rows(&instruments).filter(|row| text(row, "option_type") == "call");
    let nearest = calls.min_by(|a, b| {
        let distance = |row: &Value| (number(row, &["strike"]) - index).abs();
        distance(a).total_cmp(&distance(b))
    });
    let Some(name) = nearest.map(|row| text(row, "instrument_name").to_owned()) else {
        return Ok(());
    };
    let ticker = api.public(&format!("ticker?instrument_name={name}")).await?;
    let ask = number(&ticker, &["best_ask_price"]);
    if ask <= 0.0 {
        return Ok(());
    }
    let call = format!(
        "buy?instrument_name={name}&amount=0.1&type=limit&price={ask}\
                        &time_in_force=immediate_or_cancel&label=hedger-call"
    );
    api.private(&call).await.map(drop)
}

async fn hedge(api: &mut Api) -> Result<(), Trouble> {
    let positions = api.private("get_positions?currency=BTC").await?;
    let delta: f64 = rows(&positions).map(|row| number(row, &["delta"])).sum();
    if delta.abs() < BAND {
        return Ok(());
    }
    let index = number(&api.public("get_index_price?index_name=btc_usd").await?, &["index_price"]);
    let amount = (delta.abs() * index / 10.0).floor() * 10.0;
    let side = if delta > 0.0 { "sell" } else { "buy" };
    let call = format!(
        "{side}?instrument_name={PERPETUAL}&amount={amount}&type=market&label=hedger-delta"
    );
    api.private(&call).await.map(drop)
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
