//! What venues say: answers to calls, instruments, streams.

use super::world::{self, NOW, World};
use tidegate_types::Decimal;
use tidegate_types::call::{CallBody, OrderRef};
use tidegate_types::ids::{ClientId, InstrumentId, InstrumentName};
use tidegate_types::instrument::{Price, Qty};
use tidegate_types::order::Side;
use tidegate_types::time::Span;
use tidegate_venues::upstream::StreamNews;

/// Answers of Binance's.
pub(super) fn binance(data: &[u8]) {
    answers(world::binance(), "BTCUSDT", data);
}

/// Answers of Deribit's.
pub(super) fn deribit(data: &[u8]) {
    answers(world::deribit(), "BTC-PERPETUAL", data);
}

/// Binance's list of instruments.
pub(super) fn binance_instruments(data: &[u8]) {
    instruments(world::binance(), data);
}

/// Deribit's list of instruments.
pub(super) fn deribit_instruments(data: &[u8]) {
    instruments(world::deribit(), data);
}

/// Binance's streams, one message a line.
pub(super) fn binance_stream(data: &[u8]) {
    stream(world::binance(), data);
}

/// Deribit's streams, one message a line.
pub(super) fn deribit_stream(data: &[u8]) {
    stream(world::deribit(), data);
}

fn answers(world: Option<&World>, instrument: &str, data: &[u8]) {
    let Some(world) = world else { return };
    let bodies = bodies(world, instrument);
    for status in [200, 400, 503] {
        let reply = world::reply(status, data);
        for body in &bodies {
            let _ = world.venue.outcome(body, &reply, &world.market);
        }
        let _ = world.venue.back_off(&reply, &[]);
        let _ = world.venue.rights("key", &reply);
        let _ = world.venue.trades(&reply, &world.market);
        let parts = vec![reply.clone(); world.venue.snapshot_parts() as usize];
        let _ = world.venue.snapshot(&parts, &world.market);
        world.shown(&reply);
    }
}

fn bodies(world: &World, instrument: &str) -> Vec<CallBody> {
    let (Ok(name), Ok(id)) = (InstrumentName::new(instrument), ClientId::new("tg1-0")) else {
        return Vec::new();
    };
    let order = OrderRef {
        instrument: InstrumentId { venue: world.venue.name(), name },
        client_id: Some(id),
        venue_id: None,
        conditional: false,
    };
    let conditional = OrderRef { conditional: true, ..order.clone() };
    vec![
        CallBody::Cancel { order: order.clone() },
        CallBody::Cancel { order: conditional.clone() },
        CallBody::QueryOrder { order: order.clone() },
        CallBody::QueryOrder { order: conditional },
        CallBody::Amend {
            order,
            side: Side::Buy,
            qty: Qty(Decimal::ONE),
            price: Some(Price(Decimal::ONE)),
            trigger_price: None,
            post_only: None,
            reduce_only: None,
            deadline: NOW.plus(Span::from_millis(5000)),
        },
        CallBody::Set { route: String::new(), params: Vec::new() },
    ]
}

fn instruments(world: Option<&World>, data: &[u8]) {
    let Some(world) = world else { return };
    let reply = world::reply(200, data);
    for instrument in world.venue.instruments(&[reply]).unwrap_or_default() {
        assert!(instrument.tick.0 > Decimal::ZERO, "a tick is above zero: {instrument:?}");
        assert!(instrument.lot.0 > Decimal::ZERO, "a lot is above zero: {instrument:?}");
        let size = instrument.contract_size.0;
        assert!(size > Decimal::ZERO, "a contract has a size: {instrument:?}");
    }
}

fn stream(world: Option<&World>, data: &[u8]) {
    let (Some(world), Ok(text)) = (world, std::str::from_utf8(data)) else { return };
    let mut stream = world.venue.account_stream();
    let mut now = NOW;
    stream.start(now);
    // The first line answers the calls that the stream begins with.
    let (opening, rest) = text.split_once('\n').unwrap_or((text, ""));
    stream.on_reply(&world::reply(200, opening.as_bytes()), now);
    stream.on_open(now);
    for line in rest.lines().take(64) {
        now = now.plus(Span::from_millis(10));
        let (news, _) = stream.on_text(line, &world.market, now);
        for item in news {
            if let StreamNews::Frame(frame) = item
                && let Ok(frame) = serde_json::from_str(&frame)
            {
                sessions_see(world, &frame);
            }
        }
        for mark in world.venue.marks(line, &world.market, now).0 {
            assert!(world.market.get(&mark.instrument.name).is_some(), "marks are of the market");
        }
        if let Some(due) = stream.timer() {
            now = now.max(due);
            stream.on_timer(now);
        }
    }
}

/// Every frame of the venue's reaches the sessions of callers.
fn sessions_see(world: &World, frame: &serde_json::Value) {
    for path in ["GET /ws/api/v2", "GET /private/ws?listenKey=abcdef", "GET /ws-fapi/v1"] {
        let Some(request) = world::request(path.as_bytes()) else { continue };
        let Ok(mut session) = world.venue.open(&request, NOW) else { continue };
        world::as_ann(false, |viewer| {
            session.on_private(frame, viewer, NOW);
        });
    }
}
