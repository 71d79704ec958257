//! How many messages may come over a socket.

use super::Bucket;
use super::connections::Seat;
use std::sync::Arc;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// What a socket may send, by its own rate and by its address's, which HTTP requests are counted by as well.
pub struct Messages {
    own: Bucket,
    seat: Arc<Seat>,
}

impl Messages {
    pub(super) fn new(own: Bucket, seat: Arc<Seat>) -> Messages {
        Messages { own, seat }
    }

    /// Takes one more in.
    ///
    /// # Errors
    /// When there were too many; the socket is to be closed then.
    pub fn take(&mut self, now: Time) -> Result<(), Reject> {
        self.seat.asks(now)?;
        match self.own.take(now) {
            true => Ok(()),
            false => Err(too_fast(&self.own, "socket")),
        }
    }
}

/// More came over something than may.
pub(super) fn too_fast(rate: &Bucket, over: &str) -> Reject {
    let (per_second, burst) = rate.rate();
    let why = format!("{per_second} a second on this {over}, {burst} at once");
    Reject::new(Code::RequestRate, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::Connections;

    #[test]
    fn all_sockets_of_an_address_share_its_rate() {
        let connections = Connections::within(10, 10, (1, 3), 1 << 20);
        let now = Time::from_millis(1_000);
        let socket = |last: u8| {
            let seat = connections.enter([10, 0, 0, last].into()).unwrap();
            Messages::new(Bucket::new(1, 2), Arc::new(seat))
        };
        let (mut first, mut second, mut elsewhere) = (socket(1), socket(1), socket(2));
        let code = |messages: &mut Messages| messages.take(now).map_err(|reject| reject.code);
        assert_eq!([code(&mut first), code(&mut first)], [Ok(()), Ok(())]);
        assert_eq!(code(&mut second), Ok(()));
        assert_eq!(code(&mut second), Err(Code::AddressRate));
        assert_eq!([code(&mut elsewhere), code(&mut elsewhere)], [Ok(()), Ok(())]);
        assert_eq!(code(&mut elsewhere), Err(Code::RequestRate));
    }
}
