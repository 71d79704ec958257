//! The limits of the language: a key for each, what stands behind it, and how it is written back.

use crate::fault::Faults;
use crate::measure::{grouped, number, read_bps, read_in, read_span, whole, write_bps, write_span};
use crate::read::{pattern, span};
use crate::table::{Entry, Table};
use tidegate_types::Decimal;
use tidegate_types::instrument::{Qty, Usd};
use tidegate_types::policy::{Form, Limit, LimitKind};
use tidegate_types::time::Span;

/// The keys, one of which each rule has.
pub(crate) const KEYS: [(&str, LimitKind); 25] = [
    ("allow", LimitKind::Allow),
    ("only", LimitKind::Only),
    ("order_quantity", LimitKind::OrderQuantity),
    ("order_notional", LimitKind::OrderNotional),
    ("collar", LimitKind::Collar),
    ("distance", LimitKind::Distance),
    ("gross_position", LimitKind::GrossPosition),
    ("net_position", LimitKind::NetPosition),
    ("open_orders", LimitKind::OpenOrders),
    ("open_notional", LimitKind::OpenNotional),
    ("leverage", LimitKind::Leverage),
    ("concentration", LimitKind::Concentration),
    ("daily_traded", LimitKind::DailyTraded),
    ("daily_loss", LimitKind::DailyLoss),
    ("drawdown", LimitKind::Drawdown),
    ("message_rate", LimitKind::MessageRate),
    ("order_to_trade", LimitKind::OrderToTrade),
    ("repeated_executions", LimitKind::RepeatedExecutions),
    ("thin_market", LimitKind::ThinMarket),
    ("option_delta", LimitKind::OptionDelta),
    ("option_gamma", LimitKind::OptionGamma),
    ("option_vega", LimitKind::OptionVega),
    ("option_theta", LimitKind::OptionTheta),
    ("net_short_options", LimitKind::NetShortOptions),
    ("scenario_margin", LimitKind::ScenarioMargin),
];
/// The words for how orders are set against trades.
const FORMS: [(&str, Form); 2] = [("count", Form::Count), ("volume", Form::Volume)];

/// The limit that a value behind a key is.
pub(crate) fn limit_of(
    kind: LimitKind,
    entry: &Entry<'_, '_>,
    faults: &mut Faults<'_>,
) -> Option<Limit> {
    Some(match kind {
        LimitKind::Allow => match entry.flag(faults)? {
            true => Limit::Allow,
            false => {
                return entry.wrong(
                    "true",
                    "leave the rule out: what is not allowed is refused",
                    faults,
                );
            }
        },
        LimitKind::Only => Limit::Only { names: names(entry, faults)? },
        LimitKind::OrderQuantity => Limit::OrderQuantity { max: quantity(entry, faults)? },
        LimitKind::OrderNotional => Limit::OrderNotional { max: usd(entry, faults)? },
        LimitKind::Collar => Limit::Collar { bps: bps(entry, faults)? },
        LimitKind::Distance => Limit::Distance { bps: bps(entry, faults)? },
        LimitKind::GrossPosition => Limit::GrossPosition { max: usd(entry, faults)? },
        LimitKind::NetPosition => Limit::NetPosition { max: usd(entry, faults)? },
        LimitKind::OpenOrders => Limit::OpenOrders { max: entry.count(faults)? },
        LimitKind::OpenNotional => Limit::OpenNotional { max: usd(entry, faults)? },
        LimitKind::Leverage => Limit::Leverage { max: times(entry, faults)? },
        LimitKind::Concentration => concentration(entry, faults)?,
        LimitKind::DailyTraded => Limit::DailyTraded { max: usd(entry, faults)? },
        LimitKind::DailyLoss => Limit::DailyLoss { max: usd(entry, faults)? },
        LimitKind::Drawdown => Limit::Drawdown { max: usd(entry, faults)? },
        LimitKind::MessageRate => {
            let (max, window) = rate(entry, faults)?;
            Limit::MessageRate { max, window }
        }
        LimitKind::OrderToTrade => order_to_trade(entry, faults)?,
        LimitKind::RepeatedExecutions => {
            let (max, window) = rate(entry, faults)?;
            Limit::RepeatedExecutions { max, window }
        }
        LimitKind::ThinMarket => thin_market(entry, faults)?,
        LimitKind::OptionDelta => Limit::OptionDelta { max: usd(entry, faults)? },
        LimitKind::OptionGamma => Limit::OptionGamma { max: usd(entry, faults)? },
        LimitKind::OptionVega => Limit::OptionVega { max: usd(entry, faults)? },
        LimitKind::OptionTheta => Limit::OptionTheta { max: usd(entry, faults)? },
        LimitKind::NetShortOptions => Limit::NetShortOptions { max: coins(entry, faults)? },
        LimitKind::ScenarioMargin => Limit::ScenarioMargin { bps: bps(entry, faults)? },
    })
}

/// A limit as it is written behind its key, with the key.
pub(crate) fn written(limit: &Limit) -> (&'static str, String) {
    let kind = limit.kind();
    let key = KEYS.iter().find(|(_, of)| *of == kind).map_or("", |(key, _)| key);
    let text = match limit {
        Limit::Allow => "true".to_owned(),
        Limit::Only { names } => {
            let names: Vec<String> = names.iter().map(|name| quoted(&name.to_string())).collect();
            format!("[{}]", names.join(", "))
        }
        Limit::OrderQuantity { max } => quoted(&format!("{} units", grouped(max.0))),
        Limit::OrderNotional { max }
        | Limit::GrossPosition { max }
        | Limit::NetPosition { max }
        | Limit::OpenNotional { max }
        | Limit::DailyTraded { max }
        | Limit::DailyLoss { max }
        | Limit::Drawdown { max }
        | Limit::OptionDelta { max }
        | Limit::OptionGamma { max }
        | Limit::OptionVega { max }
        | Limit::OptionTheta { max } => quoted(&dollars(*max)),
        Limit::NetShortOptions { max } => quoted(&format!("{} coins", grouped(max.0))),
        Limit::ScenarioMargin { bps } => quoted(&write_bps(*bps, true)),
        Limit::Collar { bps } | Limit::Distance { bps } => quoted(&write_bps(*bps, false)),
        Limit::OpenOrders { max } => max.to_string(),
        Limit::Leverage { max } => quoted(&format!("{} times", grouped(*max))),
        Limit::Concentration { bps, above } => {
            let (share, above) = (quoted(&write_bps(*bps, true)), quoted(&dollars(*above)));
            format!("{{ share = {share}, above = {above} }}")
        }
        Limit::MessageRate { max, window } | Limit::RepeatedExecutions { max, window } => {
            quoted(&per(*max, *window))
        }
        Limit::OrderToTrade { form, max, after } => {
            let by = FORMS.iter().find(|(_, of)| of == form).map_or("", |(word, _)| word);
            let max = quoted(&format!("{} times", grouped(*max)));
            format!("{{ by = {}, max = {max}, after = {after} }}", quoted(by))
        }
        Limit::ThinMarket { depth, volume, max_age } => format!(
            "{{ depth = {}, volume = {}, max_age = {} }}",
            quoted(&dollars(*depth)),
            quoted(&dollars(*volume)),
            quoted(&write_span(*max_age)),
        ),
    };
    (key, text)
}

/// A text as TOML has it. Names are printable, so that two characters alone need care.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn dollars(amount: Usd) -> String {
    format!("{} USD", grouped(amount.0))
}

/// `10/s`, `100/10 s`.
fn per(max: u32, window: Span) -> String {
    let window = write_span(window);
    format!("{max}/{}", window.strip_prefix("1 ").unwrap_or(&window))
}

/// An amount that is one text, read by `read`.
fn amount<T>(
    entry: &Entry<'_, '_>,
    (expected, hint): (&str, &str),
    faults: &mut Faults<'_>,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let text = entry.text(expected, hint, faults)?;
    read(text).or_else(|| entry.wrong(expected, hint, faults))
}

fn usd(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Usd> {
    let expected = ("an amount of dollars", "write it as \"1_000_000 USD\"");
    amount(entry, expected, faults, |text| read_in(text, "USD").map(Usd))
}

fn quantity(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Qty> {
    let expected = ("a quantity in the instrument's own unit", "write it as \"100 units\"");
    amount(entry, expected, faults, |text| read_in(text, "units").map(Qty))
}

fn coins(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Qty> {
    let expected = ("a number of coins", "write it as \"50 coins\"");
    amount(entry, expected, faults, |text| read_in(text, "coins").map(Qty))
}

fn times(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Decimal> {
    amount(entry, ("a ratio", "write it as \"3 times\""), faults, |text| read_in(text, "times"))
}

fn bps(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<u32> {
    let expected = ("a share", "write it as \"50 bp\" or \"0.5 %\", down to 1 bp");
    amount(entry, expected, faults, read_bps)
}

fn rate(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<(u32, Span)> {
    let expected = ("so many within a time", "write it as \"10/s\", \"600/min\" or \"100/10 s\"");
    amount(entry, expected, faults, |text| {
        let (count, window) = text.split_once('/')?;
        let count = u32::try_from(whole(number(count.trim_end_matches(' '))?)?).ok()?;
        let window = window.trim_start_matches(' ');
        let one = !window.starts_with(|c: char| c.is_ascii_digit());
        let window = if one { read_span(&format!("1 {window}")) } else { read_span(window) };
        Some((count, window?))
    })
}

fn names(
    entry: &Entry<'_, '_>,
    faults: &mut Faults<'_>,
) -> Option<Vec<tidegate_types::grant::Pattern>> {
    let (expected, hint) = ("a list of instruments", "write it as [\"BTC-PERPETUAL\", \"ETH-*\"]");
    let items = entry.list(expected, hint, faults)?;
    let names: Vec<_> = items.iter().map(|item| pattern(item, faults)).collect();
    names.into_iter().collect()
}

fn concentration(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Limit> {
    let mut table = Table::of("`concentration`", entry.value, faults)?;
    let share = table.need("share", "write `share = \"50 %\"`", faults);
    let share = share.and_then(|entry| bps(&entry, faults));
    let above = table.take("above").map_or(Some(Usd::default()), |entry| usd(&entry, faults));
    table.end(faults);
    Some(Limit::Concentration { bps: share?, above: above? })
}

fn order_to_trade(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Limit> {
    let mut table = Table::of("`order_to_trade`", entry.value, faults)?;
    let form = table.need("by", "write `by = \"count\"` or `by = \"volume\"`", faults);
    let form = form.and_then(|entry| entry.word(&FORMS, faults));
    let max = table.need("max", "write `max = \"50 times\"`", faults);
    let max = max.and_then(|entry| times(&entry, faults));
    let after = table.take("after").map_or(Some(0), |entry| entry.count(faults));
    table.end(faults);
    Some(Limit::OrderToTrade { form: form?, max: max?, after: after? })
}

fn thin_market(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Limit> {
    let mut table = Table::of("`thin_market`", entry.value, faults)?;
    let depth = table.take("depth").map_or(Some(Usd::default()), |entry| usd(&entry, faults));
    let volume = table.take("volume").map_or(Some(Usd::default()), |entry| usd(&entry, faults));
    let age = table.need(
        "max_age",
        "say how old what is known of the market may be: `max_age = \"1 min\"`",
        faults,
    );
    let age = age.and_then(|entry| span(&entry, faults));
    table.end(faults);
    Some(Limit::ThinMarket { depth: depth?, volume: volume?, max_age: age? })
}
