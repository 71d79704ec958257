//! What clients ask of the rest of Binance: key rights, wallet, spot and coin-margined lists.

use super::fail::Fail;
use super::routes::{Call, Outcome};
use crate::engine::{Input, Reply};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) fn restrictions(call: &mut Call<'_>) -> Outcome {
    let key = call.key.as_ref().ok_or(Fail::KEY_FORMAT)?;
    let (trade, withdraw) = (key.config.trade, key.config.withdraw);
    Ok(json!({
        "ipRestrict": false,
        "createTime": 1_700_000_000_000_u64,
        "enableReading": true,
        "enableSpotAndMarginTrading": false,
        "enableWithdrawals": withdraw,
        "enableInternalTransfer": withdraw,
        "enableMargin": false,
        "enableFutures": trade,
        "permitsUniversalTransfer": withdraw,
        "enableVanillaOptions": false,
        "enableFixApiTrade": false,
        "enableFixReadOnly": false,
        "enablePortfolioMarginTrading": false,
    }))
}

/// Lists that are empty: there is no spot wallet here.
pub(crate) fn nothing(_: &mut Call<'_>) -> Outcome {
    Ok(json!([]))
}

pub(crate) fn no_symbols(call: &mut Call<'_>) -> Outcome {
    Ok(json!({
        "timezone": "UTC",
        "serverTime": call.now.millis(),
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [],
    }))
}

pub(crate) fn no_options(call: &mut Call<'_>) -> Outcome {
    Ok(json!({
        "timezone": "UTC",
        "serverTime": call.now.millis(),
        "optionContracts": [],
        "optionAssets": [],
        "optionSymbols": [],
        "rateLimits": [],
    }))
}

/// Money between this account and the one outside that is not simulated.
pub(crate) fn transfer(call: &mut Call<'_>) -> Outcome {
    let way = match call.params.need("type")? {
        "MAIN_UMFUTURE" => Way::In,
        "UMFUTURE_MAIN" => Way::Out,
        _ => return Err(Fail::missing("type")),
    };
    let asset = call.params.need("asset")?.to_owned();
    move_money(call, &asset, way, "TRANSFER")?;
    Ok(json!({"tranId": call.now.micros()}))
}

pub(crate) fn withdraw(call: &mut Call<'_>) -> Outcome {
    call.params.need("address")?;
    let asset = call.params.need("coin")?.to_owned();
    move_money(call, &asset, Way::Out, "WITHDRAW")?;
    Ok(json!({"id": format!("{:032x}", call.now.micros())}))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

fn move_money(call: &mut Call<'_>, asset: &str, way: Way, kind: &str) -> Result<(), Fail> {
    let account = call.account()?;
    let amount = call.params.decimal("amount")?.ok_or_else(|| Fail::missing("amount"))?;
    if !amount.is_positive() {
        return Err(Fail::AMOUNT);
    }
    let amount = if way == Way::Out { amount.neg() } else { amount };
    let (asset, kind) = (Arc::from(asset), Arc::from(kind));
    match call.apply(&Input::Transfer { account, asset, amount, kind }) {
        Reply::Done => Ok(()),
        _ => Err(Fail::FUNDS),
    }
}

/// An empty JSON object.
pub(crate) fn empty() -> Value {
    json!({})
}
