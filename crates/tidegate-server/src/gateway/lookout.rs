//! Looks, once a second, for what no single event tells an operator.

use crate::desk::Desk;
use crate::disk::DiskWatch;
use crate::edge::Connections;
use crate::oplog::{self, Repeated};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tidegate_types::ids::OrderId;

const INTERVAL: Duration = Duration::from_secs(1);
/// Below this there is not much time left to make room: without any no order is written first.
const LITTLE_ROOM: u64 = 2 << 30;

/// Looks out until dropped.
pub(super) async fn look_out(
    desk: Arc<Desk>,
    connections: Arc<Connections>,
    disk: Arc<DiskWatch>,
) -> std::convert::Infallible {
    let mut foreign = BTreeMap::new();
    let (mut turned_away, mut room) = (0, Repeated::default());
    loop {
        tokio::time::sleep(INTERVAL).await;
        foreign = look_for_foreign(&desk, &foreign);
        let now = connections.turned_away();
        if now > turned_away {
            let (more, open) = (now - turned_away, connections.count());
            oplog::warn("connections-refused", &[("count", &more), ("open", &open)]);
            turned_away = now;
        }
        if let Some(left) = disk.seen().room.filter(|room| room.free < LITTLE_ROOM) {
            // Its last digits are no news.
            if room.is_news("little") {
                let mend = "make room: once there is none, orders are refused";
                oplog::alarm("disk-nearly-full", &[("data", &left), ("do", &mend)]);
            }
        } else if room.over() {
            oplog::info("disk-has-room", &[]);
        }
    }
}

/// The orders that Tidegate did not place, by what is told of them; new ones are an alarm.
fn look_for_foreign(
    desk: &Desk,
    before: &BTreeMap<OrderId, [String; 3]>,
) -> BTreeMap<OrderId, [String; 3]> {
    let now: BTreeMap<OrderId, [String; 3]> = desk.look(|state| {
        let told = state.foreign().map(|order| {
            let id = order.reference().venue_id.map(|id| id.to_string()).unwrap_or_default();
            (order.id, [order.account.to_string(), order.request.instrument.to_string(), id])
        });
        told.collect()
    });
    for (id, [account, instrument, venue_id]) in &now {
        if !before.contains_key(id) {
            oplog::alarm(
                "foreign-order",
                &[("account", account), ("instrument", instrument), ("venue_id", venue_id)],
            );
        }
    }
    for (id, [account, _, venue_id]) in before {
        if !now.contains_key(id) {
            oplog::info("foreign-order-gone", &[("account", account), ("venue_id", venue_id)]);
        }
    }
    now
}
