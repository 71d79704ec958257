//! What venues say of accounts' margin, as `tidegate status` shows it beside ours.

use super::status::{now_ms, span, standing};
use std::fmt::Write as _;
use tidegate_server::admin::protocol::{AccountStatus, MarginRow, MarginStatus, Status};

/// How an account's options stand, counted here, and what its venue says; nothing where neither is known.
pub(super) fn both(account: &AccountStatus) -> Vec<String> {
    let ours = account.options.as_ref().map(|options| format!("options{}", standing(options)));
    let theirs = account.venue_margin.as_ref().map(|margin| format!("margin{}", line(margin)));
    ours.into_iter().chain(theirs).collect()
}

/// The same of one of the gateway's accounts, with what somebody has to look at.
pub(super) fn of(status: &Status, name: &str) -> Vec<String> {
    let account = status.accounts.iter().find(|account| account.account == name);
    let lines = |account| both(account).into_iter().chain(warning(account)).collect();
    account.map(lines).unwrap_or_default()
}

/// An account's margin by its venue's word, with its age; dollars first, the venue's own figures behind.
fn line(margin: &MarginStatus) -> String {
    let ago = span(now_ms().saturating_sub(margin.told_ms) / 1000);
    let total = match (&margin.maintenance, &margin.initial, &margin.equity) {
        (Some(maintenance), Some(initial), Some(equity)) => {
            format!("maintenance USD {maintenance}, initial {initial}, of {equity}")
        }
        _ => "in dollars not known: a currency cannot be valued".to_owned(),
    };
    let rows: String = margin.rows.iter().map(row).collect();
    format!(" by {}, {ago} ago · {total}{rows}", margin.source)
}

/// What somebody has to look at: the venue may liquidate where we see room.
pub(super) fn warning(account: &AccountStatus) -> Option<String> {
    let margin = account.venue_margin.as_ref()?;
    let (above, maintenance) = (margin.above_ours.as_ref()?, margin.maintenance.as_ref()?);
    let ours = account.options.as_ref().map_or("0", |options| options.margin.as_str());
    Some(format!(
        "MARGIN of {}: {} wants USD {maintenance} for maintenance, {above} more than our worst scenario, {ours}: \
         widen the scenarios by `tidegate limit options`",
        account.account, margin.source,
    ))
}

fn row(row: &MarginRow) -> String {
    let mut text = format!(" · {}", row.asset);
    if let Some(model) = &row.model {
        let _ = write!(text, " ({model})");
    }
    for (what, figure) in [
        ("maintenance", Some(&row.maintenance)),
        ("initial", Some(&row.initial)),
        ("of", Some(&row.equity)),
        ("left", row.available.as_ref()),
        ("after expiry", row.projected_maintenance.as_ref()),
        ("delta", row.delta.as_ref()),
        ("gamma", row.gamma.as_ref()),
        ("vega", row.vega.as_ref()),
        ("theta", row.theta.as_ref()),
    ] {
        if let Some(figure) = figure {
            let _ = write!(text, " {what} {figure}");
        }
    }
    text
}

#[cfg(test)]
mod tests;
