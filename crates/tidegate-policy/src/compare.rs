//! Which of two rules is tighter. What cannot be compared is not: nobody relies on a guess.

use std::cmp::Ordering;
use tidegate_types::grant::Pattern;
use tidegate_types::policy::{Each, Limit, LimitKind, Reach, Rule, Strength};

/// How a limit is to another one of its kind: `Less` is tighter. None where neither is at least as tight
/// as the other.
pub(crate) fn limits(a: &Limit, b: &Limit) -> Option<Ordering> {
    use Limit as L;
    match (a, b) {
        (L::Allow, L::Allow) => Some(Ordering::Equal),
        (L::Only { names: a }, L::Only { names: b }) => within(a, b),
        (L::OrderQuantity { max: a }, L::OrderQuantity { max: b }) => Some(a.cmp(b)),
        (L::OrderNotional { max: a }, L::OrderNotional { max: b })
        | (L::GrossPosition { max: a }, L::GrossPosition { max: b })
        | (L::NetPosition { max: a }, L::NetPosition { max: b })
        | (L::OpenNotional { max: a }, L::OpenNotional { max: b })
        | (L::DailyTraded { max: a }, L::DailyTraded { max: b })
        | (L::DailyLoss { max: a }, L::DailyLoss { max: b })
        | (L::Drawdown { max: a }, L::Drawdown { max: b }) => Some(a.cmp(b)),
        (L::Collar { bps: a }, L::Collar { bps: b }) => Some(a.cmp(b)),
        (L::Distance { bps: a }, L::Distance { bps: b }) => Some(b.cmp(a)),
        (L::OpenOrders { max: a }, L::OpenOrders { max: b }) => Some(a.cmp(b)),
        (L::Leverage { max: a }, L::Leverage { max: b }) => Some(a.cmp(b)),
        (L::Concentration { bps: a, above: x }, L::Concentration { bps: b, above: y }) => {
            both(a.cmp(b), x.cmp(y))
        }
        (L::MessageRate { max: a, window: x }, L::MessageRate { max: b, window: y })
        | (L::RepeatedExecutions { max: a, window: x }, L::RepeatedExecutions { max: b, window: y }) => {
            both(a.cmp(b), y.cmp(x))
        }
        (
            L::OrderToTrade { form: f, max: a, after: x },
            L::OrderToTrade { form: g, max: b, after: y },
        ) if f == g => both(a.cmp(b), x.cmp(y)),
        (
            L::ThinMarket { depth: a, volume: v, max_age: x },
            L::ThinMarket { depth: b, volume: w, max_age: y },
        ) => both(both(b.cmp(a), w.cmp(v))?, x.cmp(y)),
        _ => None,
    }
}

/// How a rule is to another one, for what the tighter of both lets pass: `Less` where whatever the first
/// lets pass the second does too. None where that cannot be shown.
pub(crate) fn rules(a: &Rule, b: &Rule) -> Option<Ordering> {
    let parts = [
        limits(&a.limit, &b.limit),
        reaches(a.limit.kind(), &a.reach, &b.reach),
        eaches(a.limit.kind(), a.each, b.each),
        strengths(a.strength, b.strength),
    ];
    parts.into_iter().try_fold(Ordering::Equal, |sum, part| both(sum, part?))
}

fn both(a: Ordering, b: Ordering) -> Option<Ordering> {
    match (a, b) {
        (Ordering::Equal, other) | (other, Ordering::Equal) => Some(other),
        (a, b) => (a == b).then_some(a),
    }
}

/// A list within another one is the tighter.
fn within(a: &[Pattern], b: &[Pattern]) -> Option<Ordering> {
    let covered = |inner: &[Pattern], outer: &[Pattern]| {
        inner.iter().all(|name| outer.iter().any(|by| by.covers(name)))
    };
    match (covered(a, b), covered(b, a)) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Less),
        (false, true) => Some(Ordering::Greater),
        (false, false) => None,
    }
}

/// A limit over more is the tighter, where more only ever adds to what is measured; an allowance over more
/// is the looser.
fn reaches(kind: LimitKind, a: &Reach, b: &Reach) -> Option<Ordering> {
    let wider = match (a.contains(b), b.contains(a)) {
        (true, true) => return Some(Ordering::Equal),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => return None,
    };
    match kind {
        LimitKind::Allow => Some(wider.reverse()),
        // One part's gain makes up for another's loss, and a ratio of more may be a smaller one.
        LimitKind::NetPosition
        | LimitKind::Leverage
        | LimitKind::Concentration
        | LimitKind::DailyLoss
        | LimitKind::Drawdown
        | LimitKind::OrderToTrade => None,
        _ => Some(wider),
    }
}

/// What counts together has one limit for all, which is the tighter, where parts only ever add up.
fn eaches(kind: LimitKind, a: Each, b: Each) -> Option<Ordering> {
    if a == b || is_per_order(kind) {
        return Some(Ordering::Equal);
    }
    let sums = matches!(
        kind,
        LimitKind::GrossPosition
            | LimitKind::OpenOrders
            | LimitKind::OpenNotional
            | LimitKind::DailyTraded
            | LimitKind::MessageRate
    );
    match (a, b) {
        (Each::All, _) if sums => Some(Ordering::Less),
        (_, Each::All) if sums => Some(Ordering::Greater),
        _ => None,
    }
}

/// Whether a kind looks at one order alone, so that nothing is counted together.
fn is_per_order(kind: LimitKind) -> bool {
    matches!(
        kind,
        LimitKind::Allow
            | LimitKind::Only
            | LimitKind::OrderQuantity
            | LimitKind::OrderNotional
            | LimitKind::Collar
            | LimitKind::Distance
            | LimitKind::ThinMarket
    )
}

fn strengths(a: Strength, b: Strength) -> Option<Ordering> {
    Some(match (a, b) {
        (Strength::Hard, Strength::Soft) => Ordering::Less,
        (Strength::Soft, Strength::Hard) => Ordering::Greater,
        _ => Ordering::Equal,
    })
}
