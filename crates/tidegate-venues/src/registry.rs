//! The venues there are: the one place that names them outside their folders.

use crate::Venue;
use crate::binance::Binance;
use crate::deribit::Deribit;
use std::sync::LazyLock;
use tidegate_types::ids::VenueName;

static VENUES: LazyLock<Vec<&'static dyn Venue>> = LazyLock::new(|| {
    let deribit = Deribit::new().ok().map(|venue| Box::leak(Box::new(venue)) as &dyn Venue);
    let binance = Binance::new().ok().map(|venue| Box::leak(Box::new(venue)) as &dyn Venue);
    [binance, deribit].into_iter().flatten().collect()
});

/// Every venue.
pub fn all() -> &'static [&'static dyn Venue] {
    &VENUES
}

/// The venue of that name.
pub fn find(name: &VenueName) -> Option<&'static dyn Venue> {
    all().iter().copied().find(|venue| venue.name() == *name)
}
