//! What an instrument's name says: its kind and the currency it settles in, as the venue groups
//! instruments in requests and channels.

use tidegate_types::ids::{InstrumentId, InstrumentName, VenueName};
use tidegate_types::instrument::Instrument;
use tidegate_types::reject::{Code, Reject};

use super::rpc::bad;
use crate::front::Instruments;

/// The venue's name in the registry.
pub(crate) const VENUE: &str = "deribit";

/// The instrument of that name, known or not; `None` when it cannot be a name.
pub(crate) fn instrument_id(name: &str) -> Option<InstrumentId> {
    let venue = VenueName::new(VENUE).ok()?;
    Some(InstrumentId { venue, name: InstrumentName::new(name).ok()? })
}

/// The known instrument that a parameter names.
pub(crate) fn known<'a>(
    name: &str,
    instruments: &'a Instruments,
) -> Result<&'a Instrument, Reject> {
    let parsed = InstrumentName::new(name)
        .map_err(|_| bad(Code::BadParameter, "instrument_name", "is not a name"))?;
    // The parameter is a caller's text; it is not repeated.
    instruments.get(&parsed).ok_or_else(|| Reject::new(Code::UnknownInstrument, ""))
}

/// The currency that an instrument settles in: `BTC-…` in BTC, `BTC_USDC-…` in USDC.
pub(crate) fn currency(name: &str) -> &str {
    let pair = name.split('-').next().unwrap_or(name);
    pair.split_once('_').map_or(pair, |(_, quote)| quote)
}

/// The venue's kind of an instrument, by the form of its name: `BTC-PERPETUAL` and `BTC-25SEP26`
/// are futures, `BTC-27DEC24-100000-C` is an option, `BTC_USDC` is spot, `BTC-FS-…` and
/// `BTC-CS-…` are combos.
pub(crate) fn kind(name: &str) -> &'static str {
    let mut parts = name.split('-').skip(1);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (None, ..) => "spot",
        (Some(_), None, ..) => "future",
        (Some(_), Some(_), Some("C" | "P"), None) => "option",
        (Some("FS"), ..) => "future_combo",
        (Some(_), ..) => "option_combo",
    }
}

/// Whether a kind that a request names means an instrument of that name.
pub(crate) fn kind_means(kind_asked: &str, name: &str) -> bool {
    let actual = kind(name);
    match kind_asked {
        "any" => true,
        "combo" => actual.ends_with("_combo"),
        asked => asked == actual,
    }
}

/// The kinds that a request may name.
pub(crate) const KINDS: &[&str] =
    &["future", "option", "spot", "future_combo", "option_combo", "combo", "any"];

/// The venue's index pair that an instrument belongs to, as `cancel_all_by_currency_pair` names it.
pub(crate) fn pair(instrument: &Instrument) -> &str {
    instrument.index.as_str()
}
