//! Weaker ways to show who asks, which the exchanges' own protocols have and a desk need not take.

use super::Gate;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Presented, RawRequest};
use tidegate_venues::Venue;
use tidegate_venues::front::Weakness;

const SECRET: &str = "a secret or token in an address; send it in the body of a POST, in the authorization header \
                      or over a websocket";
const UNSIGNED: &str =
    "a key id proves nothing; sign the request, or ask over a websocket that is logged on";
const STREAM_KEY: &str =
    "a listen key in an address; send it in a SUBSCRIBE on /private/ws, or in a body";

impl Gate {
    /// Refuses a request with something in its address that the desk does not take there.
    pub(super) fn address_is_clean(
        &self,
        venue: &dyn Venue,
        request: &RawRequest,
    ) -> Result<(), Reject> {
        match venue.weakness(request) {
            Some(Weakness::SecretInAddress) if !self.logins.secrets_in_address => {
                Err(Reject::new(Code::WeakLogin, SECRET))
            }
            Some(Weakness::StreamKeyInAddress) if !self.logins.bare_listen_keys => {
                Err(Reject::new(Code::WeakLogin, STREAM_KEY))
            }
            _ => Ok(()),
        }
    }

    /// Refuses who names a key and proves nothing, where the desk does not take that.
    pub(super) fn takes(&self, presented: &Presented) -> Result<(), Reject> {
        match presented {
            Presented::KeyOnly { .. } if !self.logins.bare_listen_keys => {
                Err(Reject::new(Code::WeakLogin, UNSIGNED))
            }
            _ => Ok(()),
        }
    }
}
