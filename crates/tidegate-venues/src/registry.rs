//! The venues there are: the one place that names them outside their folders.

use crate::Venue;
use tidegate_types::ids::VenueName;

/// Every venue.
pub fn all() -> &'static [&'static dyn Venue] {
    &[]
}

/// The venue of that name.
pub fn find(name: &VenueName) -> Option<&'static dyn Venue> {
    all().iter().copied().find(|venue| venue.name() == *name)
}
