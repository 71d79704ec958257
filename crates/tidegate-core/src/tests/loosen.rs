//! What loosens: every figure of every change, up and down.

use super::world::*;
use crate::roles::loosen::{is_less, is_lower, is_narrower, is_token_within};
use crate::roles::loosens;
use tidegate_types::app::App;
use tidegate_types::codec::Octets;
use tidegate_types::grant::{AccountLimits, Grant, OnRepeat, Pattern};
use tidegate_types::hours::Window;
use tidegate_types::ids::CallerName;
use tidegate_types::instrument::{Qty, Usd};
use tidegate_types::order::{OrderType, Side};
use tidegate_types::person::{Person, Role};
use tidegate_types::record::{Approvals, Change};
use tidegate_types::time::{Span, Time};

type Edit<T> = (&'static str, fn(&mut T));

const WIDER: &[Edit<Grant>] = &[
    ("trade", |g| g.trade = true),
    ("instruments", |g| g.instruments.push(Pattern::new("ETH*").unwrap())),
    ("sides", |g| g.sides.push(Side::Sell)),
    ("order types", |g| g.order_types.push(OrderType::Market)),
    ("reduce only", |g| g.reduce_only = false),
    ("quantity", |g| g.max_order_qty = Some(Qty(d("11")))),
    ("no quantity", |g| g.max_order_qty = None),
    ("order", |g| g.max_order_notional = Usd(d("101"))),
    ("open", |g| g.max_open_notional = Usd(d("1001"))),
    ("day", |g| g.max_daily_notional = Some(Usd(d("5001")))),
    ("no day", |g| g.max_daily_notional = None),
    ("hours", |g| g.window.hours = "08:00-17:15".parse().unwrap()),
    ("other hours", |g| g.window.hours = "20:00-21:00".parse().unwrap()),
    ("days", |g| g.window.days = "mon-sat".parse().unwrap()),
    ("at any time", |g| g.window = Window::ALWAYS),
    ("rate", |g| g.orders_per_second += 1),
    ("burst", |g| g.burst += 1),
    ("settings", |g| g.settings = true),
    ("account-wide", |g| g.account_wide = true),
    ("later", |g| g.until = Some(Time::from_millis(1001))),
    ("for ever", |g| g.until = None),
];

const NARROWER: &[Edit<Grant>] = &[
    ("the same", |_| ()),
    ("instruments", |g| g.instruments.clear()),
    ("sides", |g| g.sides.clear()),
    ("order types", |g| g.order_types.clear()),
    ("quantity", |g| g.max_order_qty = Some(Qty(d("9")))),
    ("order", |g| g.max_order_notional = Usd(d("99"))),
    ("open", |g| g.max_open_notional = Usd(d("999"))),
    ("day", |g| g.max_daily_notional = Some(Usd(d("4999")))),
    ("hours", |g| g.window.hours = "09:00-12:00,13:00-17:00".parse().unwrap()),
    ("days", |g| g.window.days = "mon,fri".parse().unwrap()),
    ("rate", |g| g.orders_per_second -= 1),
    ("burst", |g| g.burst -= 1),
    ("sooner", |g| g.until = Some(Time::from_millis(999))),
];

const HIGHER: &[Edit<AccountLimits>] = &[
    ("quantity", |l| l.max_order_qty[0].1 = Qty(d("1001"))),
    ("pattern", |l| l.max_order_qty[0].0 = Pattern::new("*").unwrap()),
    ("patterns", |l| l.max_order_qty.clear()),
    ("order", |l| l.max_order_notional = Usd(d("10001"))),
    ("open", |l| l.max_open_notional = Usd(d("20001"))),
    ("position", |l| l.max_position_notional = Usd(d("15001"))),
    ("exposure", |l| l.max_exposure = Usd(d("30001"))),
    ("collar", |l| l.collar_bps += 1),
    ("option collar", |l| l.option_collar_bps += 1),
    ("mark age", |l| l.max_mark_age = Span::from_secs(6)),
    ("rate", |l| l.orders_per_second += 1),
    ("burst", |l| l.burst += 1),
    ("repeat window", |l| l.repeat_window = Span::from_secs(1)),
    ("repeats pass", |l| l.on_repeat = OnRepeat::Warn),
    ("dead man later", |l| l.dead_man = Span::from_secs(61)),
    ("no dead man", |l| l.dead_man = Span::ZERO),
];

const LOWER: &[Edit<AccountLimits>] = &[
    ("the same", |_| ()),
    ("quantity", |l| l.max_order_qty[0].1 = Qty(d("999"))),
    ("order", |l| l.max_order_notional = Usd(d("9999"))),
    ("open", |l| l.max_open_notional = Usd(d("19999"))),
    ("position", |l| l.max_position_notional = Usd(d("14999"))),
    ("exposure", |l| l.max_exposure = Usd(d("29999"))),
    ("collar", |l| l.collar_bps -= 1),
    ("option collar", |l| l.option_collar_bps -= 1),
    ("mark age", |l| l.max_mark_age = Span::from_secs(4)),
    ("rate", |l| l.orders_per_second -= 1),
    ("burst", |l| l.burst -= 1),
    ("repeat window", |l| l.repeat_window = Span::from_secs(3)),
    ("dead man sooner", |l| l.dead_man = Span::from_secs(59)),
];

#[test]
fn every_figure_of_a_grant_loosens_one_way_only() {
    let tight = Grant {
        trade: false,
        instruments: vec![Pattern::new("BTC*").unwrap()],
        sides: vec![Side::Buy],
        order_types: vec![OrderType::Limit],
        reduce_only: true,
        max_order_qty: Some(Qty(d("10"))),
        max_order_notional: Usd(d("100")),
        max_open_notional: Usd(d("1000")),
        max_daily_notional: Some(Usd(d("5000"))),
        window: Window { hours: "08:00-17:00".parse().unwrap(), days: "mon-fri".parse().unwrap() },
        orders_per_second: 10,
        burst: 10,
        until: Some(Time::from_millis(1000)),
        ..grant("ann")
    };
    for (what, edit) in WIDER {
        let mut other = tight.clone();
        edit(&mut other);
        assert!(!is_narrower(&other, &tight), "{what}");
    }
    for (what, edit) in NARROWER {
        let mut other = tight.clone();
        edit(&mut other);
        assert!(is_narrower(&other, &tight), "{what}");
    }
    let loose = Grant { trade: true, settings: true, account_wide: true, ..tight.clone() };
    assert!(is_narrower(&tight, &loose));
    assert!(is_narrower(&Grant { reduce_only: true, ..grant("ann") }, &grant("ann")));
}

#[test]
fn every_limit_loosens_one_way_only() {
    let held = AccountLimits {
        repeat_window: Span::from_secs(2),
        dead_man: Span::from_secs(60),
        ..limits()
    };
    for (what, edit) in HIGHER {
        let mut other = held.clone();
        edit(&mut other);
        assert!(!is_lower(&other, &held), "{what}");
    }
    for (what, edit) in LOWER {
        let mut other = held.clone();
        edit(&mut other);
        assert!(is_lower(&other, &held), "{what}");
    }
    let warned = AccountLimits { on_repeat: OnRepeat::Warn, dead_man: Span::ZERO, ..held.clone() };
    assert!(is_lower(&held, &warned));
}

#[test]
fn a_person_loosens_by_a_role_or_a_caller_more() {
    let person = |roles: &[Role], owns: &[&str], reads: &[&str]| {
        let callers = |names: &[&str]| names.iter().map(|n| name::<CallerName>(n)).collect();
        Person::new(name("pat"), roles.to_vec(), callers(owns), callers(reads))
    };
    let before = person(&[Role::Trader, Role::Risk], &["ann"], &["bob"]);
    let trader = person(&[Role::Trader], &["ann"], &["bob"]);
    for (less, after) in [
        (true, before.clone()),
        (true, trader.clone()),
        (true, person(&[Role::Trader], &[], &[])),
        (true, person(&[Role::Risk], &["ann"], &[])),
        (false, person(&[Role::Trader, Role::Risk, Role::Admin], &["ann"], &["bob"])),
        (false, person(&[Role::Trader, Role::Risk], &["ann"], &["bob", "cat"])),
        (false, person(&[Role::Trader, Role::Risk], &["ann", "cat"], &["bob"])),
        // Without its caller it could set that caller's grant.
        (false, person(&[Role::Trader, Role::Risk], &[], &["bob"])),
    ] {
        assert_eq!(is_less(&after, &before), less, "{after:?}");
    }
    assert!(is_less(&person(&[Role::Trader], &[], &["bob"]), &trader));
}

#[test]
fn a_token_is_within_a_grant_whose_patterns_mean_its_own() {
    let pattern = |text: &str| vec![Pattern::new(text).unwrap()];
    let wide = Grant { instruments: pattern("BTC-*"), ..grant("ann") };
    let narrow = Grant { instruments: pattern("BTC-PERP*"), ..wide.clone() };
    assert!(is_token_within(&narrow, &wide) && !is_token_within(&wide, &narrow));
    assert!(!is_narrower(&narrow, &wide), "people compare patterns as they are written");
    assert!(!is_token_within(&Grant { caller: name("bob"), ..narrow.clone() }, &wide));
    assert!(!is_token_within(&Grant { account: name("other"), ..narrow.clone() }, &wide));
    let more = Grant { burst: wide.burst + 1, ..narrow };
    assert!(!is_token_within(&more, &wide));
}

#[test]
fn what_is_new_loosens_and_what_goes_does_not() {
    let world = World::new();
    let state = world.core.state();
    let narrow = Grant { orders_per_second: 1, ..grant("ann") };
    for (loose, change) in [
        (true, Change::AccountAdded { venue: name("v"), account: name("new") }),
        (false, Change::CallerAdded { caller: name("new") }),
        (true, Change::GrantSet { grant: grant("nobody") }),
        (false, Change::GrantSet { grant: narrow }),
        (false, Change::GrantRemoved { caller: name("ann"), account: name("main") }),
        (true, Change::LimitsSet { limits: AccountLimits { account: name("x"), ..limits() } }),
        (false, Change::LimitsSet { limits: limits() }),
        (false, Change::KeyRevoked { id: name("k") }),
        (false, Change::PersonRemoved { person: name("pat") }),
        (true, Change::AppSet { app: app() }),
        (false, Change::AppRevoked { app: name("ann") }),
        (true, invited("pat", 1)),
        (false, Change::ApprovalsSet { approvals: Approvals::Two }),
        (false, Change::ApprovalsSet { approvals: Approvals::One }),
        (true, key("k2", &["trade"])),
        (true, key("k1", &["trade", "withdraw"])),
    ] {
        assert_eq!(loosens(state, &change), loose, "{change:?}");
    }
}

fn app() -> App {
    App { caller: name("ann"), terms: Octets(vec![1]), summary: Vec::new() }
}

pub(super) fn invited(person: &str, link: u8) -> Change {
    Change::PersonInvited { person: name(person), link: [link; 32], until: Time::from_millis(9) }
}

fn key(key: &str, rights: &[&str]) -> Change {
    let rights = rights.iter().map(|right| (*right).to_owned()).collect();
    Change::VenueKeyImported { account: name("main"), key: key.to_owned(), rights }
}
