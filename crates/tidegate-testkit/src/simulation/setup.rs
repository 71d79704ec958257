//! The desk: two accounts at each of two venues, six callers, their grants and limits.

use super::venue::{ACCOUNTS, VENUES, account_place, venue_of};
use tidegate_core::CoreSettings;
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::{AccountLimits, Grant, KeyScheme, OnRepeat, Pattern, VirtualKey};
use tidegate_types::hours::Window;
use tidegate_types::ids::{AccountName, BadName, CallerName, DeskName, KeyId, VenueName};
use tidegate_types::instrument::{Qty, Usd};
use tidegate_types::key::KeyTerms;
use tidegate_types::order::{OrderType, Side};
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Approvals, Change};
use tidegate_types::time::Span;
use tidegate_venues::{Venue, registry};

/// Who trades where: each account is shared, and some trade on several, here and there.
pub(super) const SEATS: [(&str, &str); 9] = [
    ("ann", "main"),
    ("bob", "main"),
    ("cat", "main"),
    ("cat", "side"),
    ("dan", "side"),
    ("ann", "gold"),
    ("eve", "gold"),
    ("dan", "blue"),
    ("fay", "blue"),
];

/// Most that one order may be worth, in dollars.
pub(super) const ORDER: i64 = 60_000;
/// Most that a caller's open orders may be worth.
pub(super) const CALLER_OPEN: i64 = 150_000;
/// Most that an account's open orders may be worth.
pub(super) const ACCOUNT_OPEN: i64 = 250_000;
/// Most that a position may be worth.
pub(super) const POSITION: i64 = 200_000;

/// Most that all positions of an account may be worth.
const EXPOSURE: i64 = 350_000;

/// A venue's name.
pub(super) fn venue(place: usize) -> Result<VenueName, BadName> {
    VenueName::new(VENUES.get(place).map_or("", |venue| venue.name()))
}

/// The venue of an account.
fn venue_at(account: &AccountName) -> Result<VenueName, BadName> {
    venue(venue_of(account_place(account.as_str())))
}

/// What a seat's venue is.
pub(super) fn seat_venue(seat: usize) -> usize {
    SEATS.get(seat).map_or(0, |(_, account)| venue_of(account_place(account)))
}

/// What the gateway tells its core of the venues.
pub(super) fn settings() -> CoreSettings {
    let named = |wanted: fn(&'static dyn Venue) -> bool| {
        let found = registry::all().iter().filter(move |venue| wanted(**venue));
        found.map(|venue| venue.name()).collect()
    };
    CoreSettings {
        label_venues: named(|venue| venue.repeats_order_ids()),
        dead_man_venues: named(|venue| venue.has_dead_man()),
        ..CoreSettings::default()
    }
}

/// Every change that sets the desk up; with limits that are too wide, for a gateway that is broken.
pub(super) fn changes(wide: bool) -> Result<Vec<Change>, BadName> {
    let factor = if wide { 100 } else { 1 };
    let mut changes =
        vec![Change::DeskSet { desk: DeskName::new("desk")?, approvals: Approvals::One }];
    for (account, ..) in ACCOUNTS {
        let account = AccountName::new(account)?;
        changes.push(Change::AccountAdded { venue: venue_at(&account)?, account: account.clone() });
        changes.push(Change::VenueKeyImported {
            account: account.clone(),
            key: "key".to_owned(),
            rights: Vec::new(),
        });
        changes.push(Change::LimitsSet { limits: limits(account, factor)? });
    }
    for (at, (caller, account)) in SEATS.iter().enumerate() {
        let known = SEATS.iter().take(at).any(|(before, _)| before == caller);
        let caller = CallerName::new(caller)?;
        let account = AccountName::new(account)?;
        if !known {
            changes.push(Change::CallerAdded { caller: caller.clone() });
        }
        changes.push(Change::KeyAdded {
            key: VirtualKey {
                id: KeyId::new(&format!("{caller}-{account}"))?,
                caller: caller.clone(),
                venue: venue_at(&account)?,
                account: account.clone(),
                scheme: KeyScheme::Hmac,
                terms: KeyTerms::default(),
            },
            replaces: None,
        });
        changes.push(Change::GrantSet { grant: grant(caller, account, factor)? });
    }
    Ok(changes)
}

/// The proof that a caller is who it is.
pub(super) fn who(seat: usize) -> Result<Authenticated, BadName> {
    let (caller, account) = SEATS.get(seat).copied().unwrap_or(("ann", "main"));
    let key = KeyId::new(&format!("{caller}-{account}"))?;
    let (caller, account) = (CallerName::new(caller)?, AccountName::new(account)?);
    let venue = venue_at(&account)?;
    Ok(Authenticated::vouch(caller, key, venue, account))
}

fn grant(caller: CallerName, account: AccountName, factor: i64) -> Result<Grant, BadName> {
    use OrderType::{Limit, Market, MarketLimit, StopLimit, StopMarket, TakeLimit, TakeMarket};
    Ok(Grant {
        caller,
        venue: venue_at(&account)?,
        account,
        trade: true,
        instruments: vec![Pattern::new("*")?],
        sides: vec![Side::Buy, Side::Sell],
        order_types: vec![Limit, Market, MarketLimit, StopMarket, StopLimit, TakeMarket, TakeLimit],
        reduce_only: false,
        max_order_qty: None,
        max_order_notional: Usd(Decimal::new(factor * ORDER, 0)),
        max_open_notional: Usd(Decimal::new(factor * CALLER_OPEN, 0)),
        max_daily_notional: None,
        orders_per_second: 20,
        burst: 40,
        settings: false,
        account_wide: false,
        window: Window::ALWAYS,
        until: None,
    })
}

fn limits(account: AccountName, factor: i64) -> Result<AccountLimits, BadName> {
    Ok(AccountLimits {
        account,
        max_order_qty: vec![(Pattern::new("*")?, Qty(Decimal::new(100_000, 0)))],
        max_order_notional: Usd(Decimal::new(factor * ORDER, 0)),
        max_open_notional: Usd(Decimal::new(factor * ACCOUNT_OPEN, 0)),
        max_position_notional: Usd(Decimal::new(factor * POSITION, 0)),
        max_exposure: Usd(Decimal::new(factor * EXPOSURE, 0)),
        collar_bps: 400,
        option_collar_bps: 1000,
        max_mark_age: Span::from_secs(5),
        orders_per_second: 40,
        burst: 80,
        repeat_window: Span::ZERO,
        on_repeat: OnRepeat::Refuse,
        dead_man: Span::ZERO,
    })
}
