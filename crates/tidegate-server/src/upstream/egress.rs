//! The way to a venue as it is configured: from one address, or from several.

use super::{Pool, UrlError};
use crate::config;
use crate::desk::{Egress, Link, Transport};
use tidegate_venues::Venue;

/// The way to a venue with these settings.
///
/// # Errors
/// As of `Pool::configured`, or when an account is at an address that is not one of the venue's.
pub fn link(venue: &'static dyn Venue, settings: &config::Venue) -> Result<Link, UrlError> {
    let pins = settings.pins().map_err(|error| UrlError(error.0))?;
    let egress = Egress::new(settings.egress.clone(), settings.egress_binds_keys, pins);
    let mut pools = Vec::new();
    for local in &settings.egress {
        pools.push(Pool::configured(settings)?.leaving_from(*local));
    }
    let boxed = |pool: Pool| Box::new(pool) as Box<dyn Transport>;
    let mut transports = pools.into_iter().map(boxed);
    match transports.next() {
        None => Ok(Link::new(venue, boxed(Pool::configured(settings)?))),
        Some(first) => Ok(Link::new(venue, first).leaving_from(egress, transports.collect())),
    }
}

#[cfg(test)]
mod tests;
