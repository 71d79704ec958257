//! What the venues themselves let be traded: their halts and bands of prices are obeyed before an order
//! is sent, so that a refusal costs none of the venue's patience. Cancels pass.

use crate::Core;
use crate::action::Action;
use crate::over;
use crate::state::State;
use tidegate_types::codec_struct;
use tidegate_types::ids::InstrumentId;
use tidegate_types::instrument::{Mark, Price};
use tidegate_types::limits::{BAND_INTERVAL, MAX_BAND_AGE};
use tidegate_types::order::{NewOrder, Side};
use tidegate_types::record::Body;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;
use tidegate_types::venue_terms::{PriceBand, Trading, VenueTerms};

/// Rows in one record, so that it stays below the longest a record may be.
const ROWS: usize = 200;

/// What a venue last told of an instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TermsInForce {
    /// Whether it takes orders.
    pub trading: Trading,
    /// The prices it takes.
    pub band: PriceBand,
    /// When the band was told.
    pub band_at: Time,
}
codec_struct!(TermsInForce { trading, band, band_at });

impl TermsInForce {
    fn take(&mut self, told: &VenueTerms) {
        self.trading = told.trading.unwrap_or(self.trading);
        if let Some(band) = told.band {
            (self.band, self.band_at) = (band, told.at);
        }
    }

    /// Whether a reading is worth a record: another state at once, a band of prices after a while.
    fn lacks(&self, told: &VenueTerms) -> bool {
        let state = told.trading.is_some_and(|trading| trading != self.trading);
        let band = match told.band {
            Some(PriceBand::Prices { .. }) => {
                !matches!(self.band, PriceBand::Prices { .. })
                    || told.at.since(self.band_at) >= BAND_INTERVAL
            }
            Some(band) => band != self.band,
            None => false,
        };
        state || band
    }
}

impl State {
    /// What the venue last told of an instrument, beside its terms.
    pub fn venue_terms(&self, instrument: &InstrumentId) -> Option<&TermsInForce> {
        self.venue_terms.get(instrument)
    }

    pub(crate) fn venue_terms_read(&mut self, terms: &[VenueTerms]) {
        for told in terms {
            self.venue_terms.entry(told.instrument.clone()).or_default().take(told);
        }
    }

    /// Refuses what the venue would refuse because it does not trade the instrument now.
    pub(crate) fn check_venue_open(&self, instrument: &InstrumentId) -> Result<(), Reject> {
        let trading = self.venue_terms.get(instrument).map(|terms| terms.trading);
        match trading.unwrap_or_default() {
            Trading::Open => Ok(()),
            trading => {
                let detail = format!("{} says that {} is {trading}", instrument.venue, instrument);
                Err(Reject::new(Code::VenueHalt, detail))
            }
        }
    }

    /// Refuses a limit price that the venue would refuse. A band that is old, or that cannot be computed, is
    /// the venue's own to hold.
    pub(crate) fn check_venue_band(
        &self,
        order: &NewOrder,
        mark: &Mark,
        now: Time,
    ) -> Result<(), Reject> {
        let (Some((lowest, highest)), Some(price)) =
            (self.venue_band(order, mark, now), order.price)
        else {
            return Ok(());
        };
        let (beyond, word, edge) = match order.side {
            Side::Buy => (price > highest, "highest", highest),
            Side::Sell => (price < lowest, "lowest", lowest),
        };
        if !beyond {
            return Ok(());
        }
        let (rule, of) = (format!("{word} price of the venue"), order.instrument.to_string());
        let detail = match order.side {
            Side::Buy => over::most(&rule, &of, price.0, edge.0, ""),
            Side::Sell => over::least(&rule, &of, price.0, edge.0, ""),
        };
        Err(Reject::new(Code::VenueBand, detail))
    }

    /// The lowest and the highest price that an order is held to here.
    pub(crate) fn venue_band(
        &self,
        order: &NewOrder,
        mark: &Mark,
        now: Time,
    ) -> Option<(Price, Price)> {
        let terms = self.venue_terms.get(&order.instrument)?;
        let old = matches!(terms.band, PriceBand::Prices { .. })
            && now.since(terms.band_at) > MAX_BAND_AGE;
        // A conditional order is held against the band of when it triggers.
        if old || order.order_type.is_conditional() {
            return None;
        }
        terms.band.at(mark.mark).ok().flatten()
    }
}

impl Core {
    /// Records what is new of what venues let be traded.
    pub(crate) fn venue_terms(&mut self, terms: Vec<VenueTerms>, now: Time, out: &mut Vec<Action>) {
        let known = |told: &VenueTerms| {
            self.state.venue_terms.get(&told.instrument).copied().unwrap_or_default()
        };
        let new = |told: &VenueTerms| {
            let there = self.state.instruments.contains_key(&told.instrument);
            there && known(told).lacks(told)
        };
        let arrived = |told: VenueTerms| VenueTerms { at: told.at.min(now), ..told };
        let new: Vec<_> = terms.into_iter().map(arrived).filter(new).collect();
        for part in new.chunks(ROWS) {
            self.append(Body::VenueTermsRead { terms: part.to_vec() }, now, out);
        }
    }
}
