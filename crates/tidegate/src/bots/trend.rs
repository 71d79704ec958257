//! Follows ETHUSDT: long while the fast average is above the slow one, short while below.

use super::binance::Api;
use super::{Trouble, tell};
use std::io;
use std::time::Duration;

const SYMBOL: &str = "ETHUSDT";
const SIZE: f64 = 0.5;

pub(super) async fn run(mut api: Api) -> io::Result<()> {
    let mut averages: Option<(f64, f64)> = None;
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        if let Err(trouble) = follow(&mut api, &mut averages).await {
            tell("follow", &trouble).await;
        }
    }
}

async fn follow(api: &mut Api, averages: &mut Option<(f64, f64)>) -> Result<(), Trouble> {
    let (bid, ask) = api.top(SYMBOL).await?;
    if bid <= 0.0 || ask <= 0.0 {
        return Ok(());
    }
    let mid = (bid + ask) / 2.0;
    let (fast, slow) = averages.unwrap_or((mid, mid));
    let (fast, slow) = (fast + (mid - fast) / 5.0, slow + (mid - slow) / 20.0);
    *averages = Some((fast, slow));
    let wanted = match () {
        () if fast > slow * 1.0001 => SIZE,
        () if fast < slow * 0.9999 => -SIZE,
        () => return Ok(()),
    };
    let change = wanted - api.position(SYMBOL).await?;
    if change.abs() < SIZE / 2.0 {
        return Ok(());
    }
    let side = if change > 0.0 { "BUY" } else { "SELL" };
    let params = format!("symbol={SYMBOL}&side={side}&type=MARKET&quantity={:.3}", change.abs());
    api.order(&params).await.map(drop)
}
