//! What an order came past besides its fixed limits and the policy: halts, breakers, orders of the same owner, the
//! venue's band of prices, and the limits of its account's options.

use super::Held;
use crate::halt::Block;
use crate::over;
use crate::rehearsal::Request;
use crate::state::State;
use crate::{breakers, halt};
use tidegate_types::ids::{AccountName, CallerName, Seq};
use tidegate_types::instrument::Usd;
use tidegate_types::options::OptionFigures;
use tidegate_types::order::{Intent, NewOrder, Side};
use tidegate_types::record::{Body, Record};
use tidegate_types::time::Time;

/// A line each of halts, breakers and orders of the same owner.
pub(super) fn lines(
    state: &State,
    (caller, account): (&CallerName, &AccountName),
    order: &NewOrder,
    now: Time,
) -> Vec<String> {
    let mut said = Vec::new();
    let (caller, intent) = (caller.clone(), Intent::New { order: order.clone() });
    let request = Request { caller, account: account.clone(), key: None, token: None, intent };
    if let Some(who) = request.who(state, now) {
        let halted = halt::check(state, &who, Some(&order.instrument), None).err();
        said.push(stop("halt", halted));
        let tripped = breakers::check(state, &who, Some(&order.instrument), now).err();
        said.push(stop("breaker", tripped.map(|(_, block)| block)));
    }
    let met = state.met_by(account, order, now).len();
    let mode = state.self_trades.mode(account);
    said.push(format!("orders of the same owner that it would trade with: {met} (mode {mode:?})"));
    said
}

fn stop(what: &str, block: Option<Block>) -> String {
    match block {
        Some(block) => format!("past a {what}, as one that reduces: {}", block.reject),
        None => format!("no {what} stands in its way"),
    }
}

/// Its price beside the venue's band, where that is held to here.
pub(super) fn band(state: &State, order: &NewOrder, now: Time) -> Option<Held> {
    let mark = state.marks.get(&order.instrument)?;
    let (lowest, highest) = state.venue_band(order, mark, now)?;
    let (price, of) = (order.price?, order.instrument.venue.as_str());
    let name = ("price band", of, "the venue's own");
    Some(match order.side {
        Side::Buy => Held::most(name, price.0, highest.0, ""),
        Side::Sell => Held::least(name, price.0, lowest.0, ""),
    })
}

/// The numbers by which it passed the limits of its account's options, as the records before it tell.
pub(super) fn options(
    state: &State,
    account: &AccountName,
    before: &[(Seq, Record)],
    version: &str,
) -> Vec<Held> {
    let figures = before.iter().find_map(|(_, record)| match &record.body {
        Body::OptionsWeighed { figures, .. } => Some(figures),
        _ => None,
    });
    figures.map_or_else(Vec::new, |figures| of_options(state, account, figures, version))
}

/// The same, of these numbers.
pub(super) fn of_options(
    state: &State,
    account: &AccountName,
    figures: &OptionFigures,
    version: &str,
) -> Vec<Held> {
    let Some(limits) = state.option_limits.get(account) else { return Vec::new() };
    let OptionFigures { margin, equity, delta, gamma, vega, theta } = *figures;
    let of = over::account(account);
    let all = [
        ("scenario margin", margin, limits.most_margin(equity), " USD"),
        ("option delta", delta, limits.max_delta, " USD"),
        ("option gamma", gamma, limits.max_gamma, " USD for one percent"),
        ("option vega", vega, limits.max_vega, " USD for one point"),
        ("option theta", theta, limits.max_theta, " USD a day"),
    ];
    let held = |(rule, measured, most, unit)| {
        let most: Option<Usd> = most;
        let measured: Usd = measured;
        Some(Held::most((rule, of.as_str(), version), measured.0, most?.0, unit))
    };
    all.into_iter().filter_map(held).collect()
}
