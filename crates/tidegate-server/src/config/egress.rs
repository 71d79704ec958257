//! The addresses that a venue is asked from, checked.

use super::{ConfigError, Venue};
use std::collections::BTreeMap;
use tidegate_types::ids::AccountName;

/// Most addresses of one venue.
const MAX_ADDRESSES: usize = 64;

impl Venue {
    /// The accounts that are named for an address of `egress`, counted from 0.
    ///
    /// # Errors
    /// Which setting is wrong.
    pub fn pins(&self) -> Result<BTreeMap<AccountName, usize>, ConfigError> {
        let pins = self.egress_of.iter().map(|(name, address)| {
            let account = AccountName::new(name).map_err(|_| {
                ConfigError(format!("egress_of: {name:?} is not an account's name"))
            })?;
            let place = self.egress.iter().position(|known| known == address).ok_or_else(|| {
                ConfigError(format!("egress_of.{name}: {address} is not one of egress"))
            })?;
            Ok((account, place))
        });
        pins.collect()
    }

    pub(super) fn check_egress(&self, venue: &str) -> Result<(), ConfigError> {
        let wrong = |why: String| ConfigError(format!("venues.{venue}.{why}"));
        if self.egress.len() > MAX_ADDRESSES {
            return Err(wrong(format!("egress: more than {MAX_ADDRESSES} addresses")));
        }
        for (place, address) in self.egress.iter().enumerate() {
            if address.is_unspecified() || address.is_multicast() {
                return Err(wrong(format!("egress: nothing leaves from {address}")));
            }
            if self.egress.iter().take(place).any(|before| before == address) {
                return Err(wrong(format!("egress: {address} stands there twice")));
            }
        }
        self.pins().map(drop).map_err(|error| wrong(error.0))
    }
}
