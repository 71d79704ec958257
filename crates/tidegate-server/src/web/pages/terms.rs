//! The forms in which people set figures: what fields there are, how they are shown, and what they are
//! read as.

use super::guard::Terms;
use crate::admin::protocol::{Failure, GrantSpec, LimitsSpec, RepeatSpec};
use crate::admin::{ORDER_TYPES, SIDES};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use std::str::FromStr;
use tidegate_types::grant::{AccountLimits, Grant, OnRepeat};
use tidegate_types::hours::{Days, Hours};

/// A field.
pub(super) struct Field {
    name: &'static str,
    label: &'static str,
    kind: Kind,
    hint: &'static str,
}

/// What is written into a field.
enum Kind {
    /// A text, or nothing.
    Text,
    /// An amount.
    Amount,
    /// An amount, or nothing.
    AmountOrNone,
    /// A whole number.
    Whole,
    /// A time in UTC, or nothing.
    Time,
    /// Ticked or not.
    Yes,
    /// One of these: what is sent, and what is read.
    One(&'static [(&'static str, &'static str)]),
}

const ON_REPEAT: Kind =
    Kind::One(&[("refuse", "is refused"), ("warn", "passes, and operators are told")]);
const SIDE: Kind = Kind::One(&[("both", "buy and sell"), ("buy", "buy"), ("sell", "sell")]);

/// The fields of an account's limits.
#[rustfmt::skip]
pub(super) const LIMITS: &[Field] = &[
    field("max_order_notional", "Largest order, USD", Kind::Amount, ""),
    field("max_open_notional", "Most open, USD", Kind::Amount, "all open orders together"),
    field("max_position_notional", "Largest position, USD", Kind::Amount, "in one instrument"),
    field("max_exposure", "Most exposure, USD", Kind::Amount, "all positions with their open orders"),
    field("max_order_qty", "Largest order by instrument, in its own unit", Kind::Text,
        "as BTC*=5, ETH*=50; the first that matches holds"),
    field("collar_bps", "Price collar, basis points", Kind::Whole, "how far from the mark a price may be"),
    field("option_collar_bps", "Price collar for options, basis points", Kind::Whole, ""),
    field("max_mark_age_ms", "Oldest mark, ms", Kind::Whole, ""),
    field("orders_per_second", "Orders a second", Kind::Whole, "all callers together, sustained"),
    field("burst", "Orders at once", Kind::Whole, ""),
    field("repeat_window_ms", "The same order again is a repeat within, ms", Kind::Whole, "0: never"),
    field("on_repeat", "A repeat", ON_REPEAT, ""),
    field("dead_man_s", "The exchange cancels all orders without Tidegate after, seconds", Kind::Whole,
        "0: never"),
];

/// The fields of a grant.
#[rustfmt::skip]
pub(super) const GRANT: &[Field] = &[
    field("trade", "May trade", Kind::Yes, "otherwise it reads only"),
    field("instruments", "Instruments", Kind::Text, "as BTCUSDT, ETH*; * is any run of characters"),
    field("sides", "Sides", SIDE, ""),
    field("type_limit", "limit orders", Kind::Yes, ""),
    field("type_market", "market orders", Kind::Yes, ""),
    field("type_market_limit", "market orders whose rest is limited", Kind::Yes, ""),
    field("type_stop_market", "stop orders at the market", Kind::Yes, ""),
    field("type_stop_limit", "stop orders with a limit", Kind::Yes, ""),
    field("type_take_market", "take-profit orders at the market", Kind::Yes, ""),
    field("type_take_limit", "take-profit orders with a limit", Kind::Yes, ""),
    field("reduce_only", "Only orders that reduce a position", Kind::Yes, ""),
    field("max_order_notional", "Largest order, USD", Kind::Amount, ""),
    field("max_order_qty", "Largest order, in the instrument's unit", Kind::AmountOrNone, "empty: without"),
    field("max_open_notional", "Most open, USD", Kind::Amount, ""),
    field("max_daily_notional", "Most a day, USD", Kind::AmountOrNone, "empty: without"),
    field("orders_per_second", "Orders a second", Kind::Whole, "sustained"),
    field("burst", "Orders at once", Kind::Whole, ""),
    field("hours", "Hours of the day, UTC", Kind::Text, "as 08:00-17:00; empty: all"),
    field("days", "Days of the week, UTC", Kind::Text, "as mon-fri; empty: all"),
    field("until", "Until, UTC", Kind::Time, "empty: without end"),
    field("settings", "May change account settings", Kind::Yes, ""),
    field("account_wide", "Sees and cancels every order of the account", Kind::Yes, ""),
];

const fn field(name: &'static str, label: &'static str, kind: Kind, hint: &'static str) -> Field {
    Field { name, label, kind, hint }
}

/// The fields as a form shows them, with what stands in each.
pub(super) fn fields(fields: &[Field], terms: &Terms) -> Markup {
    html! { @for field in fields { (one(field, terms.get(field.name))) } }
}

fn one(field: &Field, value: &str) -> Markup {
    let Field { name, label, kind, hint } = field;
    let hinted = html! { @if !hint.is_empty() { " " span.hint { "(" (hint) ")" } } };
    let input = |kind: &str, mode: &str, required: bool| {
        html! {
            label for=(name) { (label) (hinted) }
            input id=(name) name=(name) type=(kind) inputmode=(mode) value=(value)
                required[required] autocomplete="off" maxlength="2000";
        }
    };
    match kind {
        Kind::Text => input("text", "text", false),
        Kind::Amount => input("text", "decimal", true),
        Kind::AmountOrNone => input("text", "decimal", false),
        Kind::Whole => input("text", "numeric", true),
        Kind::Time => input("datetime-local", "text", false),
        Kind::Yes => html! {
            label.check {
                input type="checkbox" name=(name) value="yes" checked[value == "yes"];
                span { (label) (hinted) }
            }
        },
        Kind::One(choices) => html! {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @for (choice, said) in *choices {
                    option value=(choice) selected[*choice == value] { (said) }
                }
            }
        },
    }
}

/// What a form of an account's limits starts from.
pub(super) fn of_limits(limits: &AccountLimits) -> Terms {
    let by_pattern = limits.max_order_qty.iter().map(|(of, most)| format!("{of}={most}"));
    let on_repeat = match limits.on_repeat {
        OnRepeat::Refuse => "refuse",
        OnRepeat::Warn => "warn",
    };
    Terms::of([
        ("account", limits.account.to_string()),
        ("max_order_notional", limits.max_order_notional.to_string()),
        ("max_open_notional", limits.max_open_notional.to_string()),
        ("max_position_notional", limits.max_position_notional.to_string()),
        ("max_exposure", limits.max_exposure.to_string()),
        ("max_order_qty", by_pattern.collect::<Vec<_>>().join(", ")),
        ("collar_bps", limits.collar_bps.to_string()),
        ("option_collar_bps", limits.option_collar_bps.to_string()),
        ("max_mark_age_ms", limits.max_mark_age.millis().to_string()),
        ("orders_per_second", limits.orders_per_second.to_string()),
        ("burst", limits.burst.to_string()),
        ("repeat_window_ms", limits.repeat_window.millis().to_string()),
        ("on_repeat", on_repeat.to_owned()),
        ("dead_man_s", (limits.dead_man.millis() / 1000).to_string()),
    ])
}

/// What a form of a grant starts from.
pub(super) fn of_grant(grant: &Grant) -> Terms {
    let yes = |is: bool| if is { "yes" } else { "" }.to_owned();
    let allows = |field: &Field| {
        let kind = field.name.strip_prefix("type_")?;
        let (_, kind) = ORDER_TYPES.iter().find(|(word, _)| *word == kind)?;
        Some((field.name, yes(grant.order_types.contains(kind))))
    };
    let side = SIDES.iter().find(|(_, side)| grant.sides == [*side]);
    let sides = side.map_or("both", |(word, _)| *word).to_owned();
    let instruments: Vec<String> = grant.instruments.iter().map(ToString::to_string).collect();
    let shown = |amount: Option<String>| amount.unwrap_or_default();
    let all = [
        ("caller", grant.caller.to_string()),
        ("account", grant.account.to_string()),
        ("trade", yes(grant.trade)),
        ("instruments", instruments.join(", ")),
        ("sides", sides),
        ("reduce_only", yes(grant.reduce_only)),
        ("max_order_notional", grant.max_order_notional.to_string()),
        ("max_order_qty", shown(grant.max_order_qty.map(|most| most.to_string()))),
        ("max_open_notional", grant.max_open_notional.to_string()),
        ("max_daily_notional", shown(grant.max_daily_notional.map(|most| most.to_string()))),
        ("orders_per_second", grant.orders_per_second.to_string()),
        ("burst", grant.burst.to_string()),
        ("hours", unless(grant.window.hours == Hours::ALL, &grant.window.hours)),
        ("days", unless(grant.window.days == Days::ALL, &grant.window.days)),
        ("until", shown(grant.until.map(|until| minute(until.millis())))),
        ("settings", yes(grant.settings)),
        ("account_wide", yes(grant.account_wide)),
    ];
    Terms::of(all.into_iter().chain(GRANT.iter().filter_map(allows)))
}

/// What a form of a new grant starts from: all that can be placed, of nothing yet.
pub(super) fn new_grant(caller: &str, account: &str) -> Terms {
    let types = GRANT.iter().filter(|field| field.name.starts_with("type_"));
    let named = [("caller", caller.to_owned()), ("account", account.to_owned())];
    Terms::of(named.into_iter().chain(types.map(|field| (field.name, "yes".to_owned()))))
}

/// The limits that a form asks for.
///
/// # Errors
/// When a field cannot be read.
pub(super) fn read_limits(terms: &Terms) -> Result<LimitsSpec, Failure> {
    let read = Read(LIMITS, terms);
    let most = |text: String| match text.split_once('=') {
        Some((of, most)) => Ok((of.trim().to_owned(), most.trim().to_owned())),
        None => Err(read.wrong("max_order_qty", "write each as INSTRUMENT=AMOUNT")),
    };
    Ok(LimitsSpec {
        account: read.text("account"),
        max_order_qty: read
            .list("max_order_qty")
            .into_iter()
            .map(most)
            .collect::<Result<_, _>>()?,
        max_order_notional: read.text("max_order_notional"),
        max_open_notional: read.text("max_open_notional"),
        max_position_notional: read.text("max_position_notional"),
        max_exposure: read.text("max_exposure"),
        collar_bps: read.whole("collar_bps")?,
        option_collar_bps: read.whole("option_collar_bps")?,
        max_mark_age_ms: read.whole("max_mark_age_ms")?,
        orders_per_second: read.whole("orders_per_second")?,
        burst: read.whole("burst")?,
        repeat_window_ms: read.whole("repeat_window_ms")?,
        on_repeat: match terms.get("on_repeat") {
            "refuse" => RepeatSpec::Refuse,
            "warn" => RepeatSpec::Warn,
            _ => return Err(read.wrong("on_repeat", "choose one of them")),
        },
        dead_man_s: read.whole("dead_man_s")?,
    })
}

/// The grant that a form asks for.
///
/// # Errors
/// When a field cannot be read.
pub(super) fn read_grant(terms: &Terms) -> Result<GrantSpec, Failure> {
    let read = Read(GRANT, terms);
    let kinds = GRANT.iter().filter(|field| terms.get(field.name) == "yes");
    let order_types: Vec<String> =
        kinds.filter_map(|field| field.name.strip_prefix("type_")).map(str::to_owned).collect();
    // Without any the administration takes all.
    if order_types.is_empty() {
        return Err(read.wrong("type_limit", "tick one kind of order at least"));
    }
    Ok(GrantSpec {
        caller: read.text("caller"),
        account: read.text("account"),
        trade: read.yes("trade"),
        instruments: read.list("instruments"),
        sides: match terms.get("sides") {
            "both" => Vec::new(),
            one @ ("buy" | "sell") => vec![one.to_owned()],
            _ => return Err(read.wrong("sides", "choose one of them")),
        },
        order_types,
        reduce_only: read.yes("reduce_only"),
        max_order_qty: read.given("max_order_qty"),
        max_order_notional: read.text("max_order_notional"),
        max_open_notional: read.text("max_open_notional"),
        max_daily_notional: read.given("max_daily_notional"),
        orders_per_second: read.whole("orders_per_second")?,
        burst: read.whole("burst")?,
        settings: read.yes("settings"),
        account_wide: read.yes("account_wide"),
        hours: read.given("hours"),
        days: read.given("days"),
        until_ms: read.given("until").map(|text| read.time("until", &text)).transpose()?,
    })
}

/// What was sent, by the names of these fields.
struct Read<'a>(&'a [Field], &'a Terms);

impl Read<'_> {
    fn text(&self, name: &str) -> String {
        self.1.get(name).trim().to_owned()
    }

    fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    fn yes(&self, name: &str) -> bool {
        self.1.get(name) == "yes"
    }

    fn list(&self, name: &str) -> Vec<String> {
        let parts = self.1.get(name).split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    fn whole<T: FromStr>(&self, name: &str) -> Result<T, Failure> {
        self.text(name).parse().map_err(|_| self.wrong(name, "write a whole number"))
    }

    /// Milliseconds since 1970.
    fn time(&self, name: &str, text: &str) -> Result<u64, Failure> {
        let at = text.parse::<DateTime>().and_then(|at| at.to_zoned(TimeZone::UTC));
        let ms = at.ok().and_then(|at| u64::try_from(at.timestamp().as_millisecond()).ok());
        ms.ok_or_else(|| self.wrong(name, "write it as 2030-01-31T17:00"))
    }

    fn wrong(&self, name: &str, hint: &str) -> Failure {
        let label = self.0.iter().find(|field| field.name == name).map_or(name, |it| it.label);
        Failure::new("bad_request", format!("{label}: cannot be read"), hint)
    }
}

fn unless(all: bool, value: &impl ToString) -> String {
    if all { String::new() } else { value.to_string() }
}

/// A time as its field has it.
fn minute(ms: u64) -> String {
    super::layout::timestamp(ms).strftime("%Y-%m-%dT%H:%M").to_string()
}
