//! The exchange's whole state as bytes: what a restart begins from and what a digest is taken of.

use super::account::Account;
use super::book::Book;
use super::exchange::Exchange;
use super::market::{InstrumentIx, Market};
use super::order::Status;
use tidegate_types::codec::{Codec, CodecError};
use tidegate_types::codec_struct;

codec_struct!(Account {
    venue,
    name,
    background,
    wallets,
    session,
    positions,
    leverage,
    isolated,
    hedge,
    flags,
    open,
    clients,
    closed,
    fills,
    ledger,
    resting,
    waiting,
    countdowns,
    listen_key
});
codec_struct!(Market {
    listing,
    phase,
    book,
    mark,
    index,
    vol,
    last,
    direction,
    trade_count,
    trades,
    minutes,
    hours,
    days,
    premium,
    next_funding,
    fundings,
    open_interest,
    delivered_at,
    waiting
});

/// A book is its orders, which are elsewhere, and its count of changes.
impl Codec for Book {
    fn encode(&self, out: &mut Vec<u8>) {
        self.update.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Book, CodecError> {
        u64::decode(input).map(Book::from_update)
    }

    fn show(&self, out: &mut String) {
        self.update.show(out);
    }
}

impl Exchange {
    /// The whole state.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 << 20);
        self.seed.encode(&mut out);
        self.venues.encode(&mut out);
        self.rng.encode(&mut out);
        self.now.encode(&mut out);
        self.ticks.encode(&mut out);
        self.next_order.encode(&mut out);
        self.next_trade.encode(&mut out);
        self.next_priority.encode(&mut out);
        self.next_entry.encode(&mut out);
        self.markets.encode(&mut out);
        self.accounts.encode(&mut out);
        self.orders.encode(&mut out);
        self.indexes.encode(&mut out);
        self.arrivals.encode(&mut out);
        self.arrival_order.encode(&mut out);
        out
    }

    /// The exchange whose state that is.
    pub fn decode(mut bytes: &[u8]) -> Result<Exchange, CodecError> {
        let input = &mut bytes;
        let mut exchange = Exchange {
            seed: Codec::decode(input)?,
            venues: Codec::decode(input)?,
            rng: Codec::decode(input)?,
            now: Codec::decode(input)?,
            ticks: Codec::decode(input)?,
            next_order: Codec::decode(input)?,
            next_trade: Codec::decode(input)?,
            next_priority: Codec::decode(input)?,
            next_entry: Codec::decode(input)?,
            markets: Codec::decode(input)?,
            accounts: Codec::decode(input)?,
            orders: Codec::decode(input)?,
            indexes: Codec::decode(input)?,
            arrivals: Codec::decode(input)?,
            arrival_order: Codec::decode(input)?,
            few: false,
            symbols: std::collections::BTreeMap::new(),
            effects: Vec::new(),
        };
        if !input.is_empty() {
            return Err(CodecError::TrailingBytes);
        }
        for (place, market) in (0_u32..).zip(&exchange.markets) {
            let key = (market.listing.venue, market.listing.symbol.clone());
            exchange.symbols.insert(key, InstrumentIx(place));
        }
        exchange.refill_books();
        Ok(exchange)
    }

    fn refill_books(&mut self) {
        for order in self.orders.values() {
            let (true, Some(price)) = (order.status == Status::Open, order.ask.price) else {
                continue;
            };
            let Some(market) = self.markets.get_mut(order.ask.instrument.0 as usize) else {
                continue;
            };
            let update = market.book.update;
            market.book.insert(order.ask.side, price, order.priority, order.id, order.left());
            market.book.update = update;
        }
    }

    /// A fingerprint of the whole state.
    pub fn digest(&self) -> String {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.encode());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
