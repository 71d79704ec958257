//! Looks, once a second, for what no single event tells an operator.

use crate::admin::alarms::Logged;
use crate::desk::Desk;
use crate::disk::DiskWatch;
use crate::edge::Connections;
use crate::oplog::{self, Repeated};
use std::sync::Arc;
use std::time::Duration;

const INTERVAL: Duration = Duration::from_secs(1);
/// Below this there is not much time left to make room: without any no order is written first.
const LITTLE_ROOM: u64 = 2 << 30;

/// Looks out until dropped.
pub(super) async fn look_out(
    desk: Arc<Desk>,
    connections: Arc<Connections>,
    disk: Arc<DiskWatch>,
) -> std::convert::Infallible {
    let mut alarms = Logged::default();
    let (mut turned_away, mut room) = (0, Repeated::default());
    loop {
        tokio::time::sleep(INTERVAL).await;
        alarms.look(&desk);
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
