//! Settings of an account and its listen key.

use super::account::{flag, max_notional};
use super::fail::Fail;
use super::routes::{Call, Outcome};
use crate::engine::input::ListenOp;
use crate::engine::{Input, Refusal, Reply};
use serde_json::{Value, json};
use std::sync::Arc;

fn success() -> Outcome {
    Ok(json!({"code": 200, "msg": "success"}))
}

pub(crate) fn dual(call: &mut Call<'_>) -> Outcome {
    let owner = call.world.exchange.account(call.account()?).ok_or(Fail::KEY)?;
    Ok(json!({"dualSidePosition": owner.hedge}))
}

pub(crate) fn set_dual(call: &mut Call<'_>) -> Outcome {
    let account = call.account()?;
    let hedge = call.params.flag("dualSidePosition")?;
    let hedge = hedge.ok_or_else(|| Fail::missing("dualSidePosition"))?;
    match call.apply(&Input::SetHedge { account, hedge }) {
        Reply::Refused(refusal) => Err(Fail::of_position_mode(refusal)),
        _ => success(),
    }
}

fn read_flag(call: &Call<'_>, name: &str) -> Outcome {
    let owner = call.world.exchange.account(call.account()?).ok_or(Fail::KEY)?;
    let mut told = serde_json::Map::new();
    told.insert(name.to_owned(), json!(flag(owner, name)));
    Ok(Value::Object(told))
}

fn write_flag(call: &mut Call<'_>, name: &str) -> Outcome {
    let account = call.account()?;
    let on = call.params.flag(name)?.ok_or_else(|| Fail::missing(name))?;
    let owner = call.world.exchange.account(account).ok_or(Fail::KEY)?;
    if name == "multiAssetsMargin" && flag(owner, name) == on {
        return Err(Fail::JOINT_UNCHANGED);
    }
    let value = Arc::from(if on { "true" } else { "false" });
    call.apply(&Input::SetFlag { account, name: Arc::from(name), value });
    success()
}

pub(crate) fn multi_assets(call: &mut Call<'_>) -> Outcome {
    read_flag(call, "multiAssetsMargin")
}

pub(crate) fn set_multi_assets(call: &mut Call<'_>) -> Outcome {
    write_flag(call, "multiAssetsMargin")
}

pub(crate) fn fee_burn(call: &mut Call<'_>) -> Outcome {
    read_flag(call, "feeBurn")
}

pub(crate) fn set_fee_burn(call: &mut Call<'_>) -> Outcome {
    write_flag(call, "feeBurn")
}

pub(crate) fn set_leverage(call: &mut Call<'_>) -> Outcome {
    let (account, instrument) = (call.account()?, call.symbol()?);
    let leverage = call.params.int("leverage")?.ok_or_else(|| Fail::missing("leverage"))?;
    let leverage = u32::try_from(leverage).map_err(|_| Fail::LEVERAGE)?;
    match call.apply(&Input::SetLeverage { account, instrument, leverage }) {
        Reply::Refused(Refusal::Leverage) => Err(Fail::LEVERAGE),
        Reply::Refused(refusal) => Err(Fail::of_order(refusal)),
        _ => Ok(json!({
            "symbol": &*call.listing(instrument)?.symbol,
            "leverage": leverage,
            "maxNotionalValue": max_notional(leverage),
        })),
    }
}

pub(crate) fn set_margin_type(call: &mut Call<'_>) -> Outcome {
    let (account, instrument) = (call.account()?, call.symbol()?);
    let isolated = match call.params.need("marginType")? {
        "ISOLATED" => true,
        "CROSSED" => false,
        _ => return Err(Fail::missing("marginType")),
    };
    match call.apply(&Input::SetIsolated { account, instrument, isolated }) {
        Reply::Refused(refusal) => Err(Fail::of_order(refusal)),
        _ => success(),
    }
}

pub(crate) fn move_margin(call: &mut Call<'_>) -> Outcome {
    let (account, instrument) = (call.account()?, call.symbol()?);
    let moved = call.params.decimal("amount")?.ok_or_else(|| Fail::missing("amount"))?;
    if !moved.is_positive() {
        return Err(Fail::AMOUNT);
    }
    let kind = call.params.int("type")?.ok_or_else(|| Fail::missing("type"))?;
    let signed = match kind {
        1 => moved,
        2 => moved.neg(),
        _ => return Err(Fail::missing("type")),
    };
    match call.apply(&Input::MoveMargin { account, instrument, amount: signed }) {
        Reply::Refused(Refusal::HasPosition) => Err(Fail::ISOLATED_ONLY),
        Reply::Refused(_) => Err(Fail::ISOLATED_MARGIN),
        _ => {
            let number: serde_json::Number =
                moved.to_string().parse().map_err(|_| Fail::UNKNOWN)?;
            let msg = "Successfully modify position margin.";
            Ok(json!({"amount": number, "code": 200, "msg": msg, "type": kind}))
        }
    }
}

fn listen(call: &mut Call<'_>, op: ListenOp) -> Outcome {
    let account = call.account()?;
    match call.apply(&Input::Listen { account, op }) {
        Reply::Refused(refusal) => Err(Fail::of_order(refusal)),
        _ => {
            let owner = call.world.exchange.account(account).ok_or(Fail::KEY)?;
            Ok(match &owner.listen_key {
                Some((key, _)) => json!({"listenKey": &**key}),
                None => json!({}),
            })
        }
    }
}

pub(crate) fn listen_start(call: &mut Call<'_>) -> Outcome {
    listen(call, ListenOp::Start)
}

pub(crate) fn listen_keep(call: &mut Call<'_>) -> Outcome {
    listen(call, ListenOp::Keep)
}

pub(crate) fn listen_stop(call: &mut Call<'_>) -> Outcome {
    listen(call, ListenOp::Stop)
}
