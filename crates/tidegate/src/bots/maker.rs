//! Quotes both sides of BTCUSDT, maker only. Every twentieth round it oversteps: an order far
//! larger than its grant, then one far from the mark, as a program with a wrong unit would.

use super::binance::Api;
use super::tell;
use std::io;
use std::time::Duration;

const SYMBOL: &str = "BTCUSDT";
const SIZE: f64 = 0.01;
const MAX_POSITION: f64 = 0.2;

pub(super) async fn run(mut api: Api) -> io::Result<()> {
    for round in 1_u64.. {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let Err(trouble) = quote(&mut api).await {
            tell("quote", &trouble).await;
        }
        if round % 20 == 0
            && let Err(trouble) = overstep(&mut api, round).await
        {
            tell("overstep", &trouble).await;
        }
    }
    Ok(())
}

async fn quote(api: &mut Api) -> Result<(), super::Trouble> {
    let (bid, ask) = api.top(SYMBOL).await?;
    let position = api.position(SYMBOL).await?;
    api.cancel_all(SYMBOL).await?;
    if bid <= 0.0 || ask <= 0.0 {
        return Ok(());
    }
    for (side, price, open) in [
        ("BUY", bid * 0.9998, position < MAX_POSITION),
        ("SELL", ask * 1.0002, position > -MAX_POSITION),
    ] {
        if open {
            let params = format!(
                "symbol={SYMBOL}&side={side}&type=LIMIT&timeInForce=GTX&quantity={SIZE}&price={price:.1}"
            );
            api.order(&params).await?;
        }
    }
    Ok(())
}

async fn overstep(api: &mut Api, round: u64) -> Result<(), super::Trouble> {
    let (bid, _) = api.top(SYMBOL).await?;
    let (quantity, price) = if round.is_multiple_of(40) { (SIZE, bid * 1.5) } else { (500.0, bid) };
    let params = format!(
        "symbol={SYMBOL}&side=BUY&type=LIMIT&timeInForce=GTC&quantity={quantity}&price={price:.1}"
    );
    api.order(&params).await.map(drop)
}
