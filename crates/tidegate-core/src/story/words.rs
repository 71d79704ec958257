//! Orders, answers and people, in a line each.

use std::fmt::Write as _;
use tidegate_types::call::CallBody;
use tidegate_types::codec::to_json;
use tidegate_types::ids::CallerName;
use tidegate_types::order::{Intent, NewOrder, OrderName, PostOnly, TimeInForce};
use tidegate_types::record::Canceller;
use tidegate_types::report::{FillReport, OrderReport, Outcome};

/// `buy 2 paper/BTC-PERP, Limit at 99.5`.
pub(super) fn order(order: &NewOrder) -> String {
    let side = format!("{:?}", order.side).to_lowercase();
    let mut told = format!("{side} {} {}, {:?}", order.qty, order.instrument, order.order_type);
    if let Some(price) = order.price {
        let _ = write!(told, " at {price}");
    }
    if let Some(trigger) = &order.trigger {
        let _ = write!(told, ", triggered at {} of {:?}", trigger.price, trigger.by);
    }
    match order.time_in_force {
        TimeInForce::GoodTilCancelled => {}
        other => {
            let _ = write!(told, ", {other:?}");
        }
    }
    if order.post_only != PostOnly::No {
        told.push_str(", post-only");
    }
    if order.reduce_only {
        told.push_str(", reduce-only");
    }
    if let Some(id) = &order.caller_id {
        let _ = write!(told, ", its own id {id}");
    }
    told
}

/// What was asked.
pub(super) fn intent(intent: &Intent) -> String {
    match intent {
        Intent::New { order: asked } => order(asked),
        Intent::Amend { amend } => {
            let mut told = format!("amend of order {}", name(&amend.order));
            let figures = [
                ("quantity", amend.qty.map(|qty| qty.to_string())),
                ("price", amend.price.map(|price| price.to_string())),
                ("trigger", amend.trigger_price.map(|price| price.to_string())),
            ];
            for (what, figure) in figures {
                if let Some(figure) = figure {
                    let _ = write!(told, ", {what} {figure}");
                }
            }
            told
        }
        Intent::Cancel { cancel } => format!("cancel of order {}", name(&cancel.order)),
        Intent::CancelMany { .. } => "cancel of several orders".to_owned(),
        Intent::Set { setting } => format!("account setting {}", setting.route),
        Intent::Guard { guard } => format!("guard {}", to_json(guard)),
    }
}

pub(super) fn name(name: &OrderName) -> &dyn std::fmt::Display {
    match name {
        OrderName::Venue { id } => id,
        OrderName::Caller { id } => id,
        OrderName::Own { id } => id,
    }
}

/// For whom it was made smaller.
pub(super) fn shrunk(caller: &CallerName, body: &CallBody) -> String {
    let newer = format!("for a newer order of {caller} that met it");
    match body {
        CallBody::Amend { qty, .. } => format!("to {qty}, {newer}"),
        _ => newer,
    }
}

/// Who had it cancelled.
pub(super) fn canceller(by: &Canceller) -> String {
    match by {
        Canceller::Caller { caller } => format!("by {caller}"),
        Canceller::Halt { scope } => format!("by the halt of {scope}"),
        Canceller::Disconnect { caller } => format!("because the session of {caller} ended"),
        Canceller::Countdown { caller } => format!("because the timer of {caller} lapsed"),
        Canceller::Token { caller, token, subject } => {
            format!("by {caller} with {token}, in the name of {subject}")
        }
        Canceller::Newer { caller, account } => {
            format!("for a newer order of {caller} on {account} that met it")
        }
        Canceller::Throttle { rule } => format!("because rule {rule} of the policy stopped it"),
        #[allow(unreachable_patterns, reason = "others join as breakers and rules do")]
        other => format!("by {}", to_json(other)),
    }
}

/// What the venue answered.
pub(super) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted { report: told, .. } => report(told),
        Outcome::Done => "done".to_owned(),
        Outcome::Rejected { code, message, .. } => {
            format!("rejected by the venue: {code} {message}")
        }
        Outcome::Unknown { why } => format!("not known: {why}"),
    }
}

/// How the venue shows an order.
pub(super) fn report(report: &OrderReport) -> String {
    let state = format!("{:?}", report.state).to_lowercase();
    let mut told =
        format!("{state} as {}, {} of {} filled", report.venue_id, report.filled, report.qty);
    if let Some(average) = report.average.filter(|_| report.filled.0.is_positive()) {
        let _ = write!(told, " at {average}");
    }
    told
}

/// A trade.
pub(super) fn fill(fill: &FillReport) -> String {
    let role = if fill.maker { "maker" } else { "taker" };
    let currency = fill.fee_currency.as_ref().map(|c| format!(" {c}")).unwrap_or_default();
    let FillReport { qty, price, fee, trade_id, .. } = fill;
    format!("{qty} at {price}, {role}, fee {fee}{currency}, trade {trade_id}")
}
