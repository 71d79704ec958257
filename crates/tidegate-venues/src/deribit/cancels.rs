//! Which of the caller's orders a mass cancel means. The venue's own would cancel everybody's, so
//! the core cancels one by one what the filter selects.

use super::names;
use super::parse::caller_id;
use super::rpc::{Params, bad};
use crate::front::Instruments;
use serde_json::Value;
use tidegate_types::ids::InstrumentId;
use tidegate_types::instrument::Instrument;
use tidegate_types::order::CancelFilter;
use tidegate_types::reject::{Code, Reject};

/// The filter that a mass cancel describes; `None` when no known instrument is meant, so that
/// there is nothing to cancel.
pub(crate) fn filter(
    method: &str,
    params: &Params,
    instruments: &Instruments,
) -> Result<Option<CancelFilter>, Reject> {
    let mut filter = CancelFilter { conditional: conditional(params)?, ..CancelFilter::default() };
    for name in ["detailed", "freeze_quotes", "include_combos"] {
        if params.flag(name)?.unwrap_or_default() {
            return Err(bad(Code::UnsupportedParameter, name, "is not served"));
        }
    }
    let kind = match params.text("kind")? {
        None => "any",
        Some(kind) if names::KINDS.contains(&kind) => kind,
        Some(_) => return Err(bad(Code::BadParameter, "kind", "is not known")),
    };
    let meant: &dyn Fn(&Instrument) -> bool = match method {
        "private/cancel_all" => return Ok(Some(filter)),
        "private/cancel_all_by_instrument" => {
            let instrument = names::known(params.need_text("instrument_name")?, instruments)?;
            filter.instrument = Some(instrument.id.clone());
            return Ok(Some(filter));
        }
        "private/cancel_by_label" => {
            let label = caller_id(params.need_text("label")?)?;
            filter.caller_id =
                Some(label.ok_or_else(|| bad(Code::BadParameter, "label", "is empty"))?);
            match params.text("currency")? {
                None => return Ok(Some(filter)),
                Some(currency) => &move |i| names::currency(i.id.name.as_str()) == currency,
            }
        }
        "private/cancel_all_by_currency_pair" => {
            let pair = params.need_text("currency_pair")?;
            &move |i| names::pair(i) == pair && names::kind_means(kind, i.id.name.as_str())
        }
        _ => {
            let currencies = currencies(params)?;
            &move |i| {
                let name = i.id.name.as_str();
                let of = |currency: &&str| *currency == "any" || *currency == names::currency(name);
                currencies.iter().any(of) && names::kind_means(kind, name)
            }
        }
    };
    let chosen = instruments.0.values().filter(|instrument| meant(instrument));
    filter.instruments = chosen.map(|i| i.id.clone()).collect::<Vec<InstrumentId>>();
    Ok(Some(filter).filter(|filter| !filter.instruments.is_empty()))
}

fn currencies(params: &Params) -> Result<Vec<&str>, Reject> {
    match params.get("currency") {
        Some(Value::String(_) | Value::Array(_)) => params.texts("currency"),
        Some(_) => Err(bad(Code::BadParameter, "currency", "is not text")),
        None => Err(bad(Code::MissingParameter, "currency", "is missing")),
    }
}

/// `stop` and `take` apart are more than the filter can say.
fn conditional(params: &Params) -> Result<Option<bool>, Reject> {
    match params.text("type")? {
        None | Some("all") => Ok(None),
        Some("limit") => Ok(Some(false)),
        Some("trigger_all") => Ok(Some(true)),
        Some("stop" | "take" | "trailing_stop") => Err(bad(
            Code::UnsupportedParameter,
            "type",
            "is not served, only all, limit, trigger_all",
        )),
        Some(_) => Err(bad(Code::BadParameter, "type", "is not known")),
    }
}
