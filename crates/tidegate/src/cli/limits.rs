//! The venues' rate limits, as `tidegate status` shows them.

use std::fmt::Write as _;
use tidegate_server::admin::protocol::{Status, VenueLimit};

/// A line for each venue that has something to tell, and one for each stop and each limit that is near.
pub(super) fn lines(out: &mut String, status: &Status) {
    for venue in &status.limits {
        let name = &venue.venue;
        for stop in &venue.frozen {
            let left = stop.until_ms.saturating_sub(super::status::now_ms()).div_ceil(1000);
            let whose = whose(stop.account.as_deref(), stop.address.as_deref());
            let _ = writeln!(out, "!! {name} stopped {}{whose} for {left} s", stop.stops);
        }
        for near in &venue.limits {
            if let Some(ms) = near.reached_in_ms {
                let limit = title(near);
                let _ = writeln!(out, " ! {name}: {limit} is reached in {} s", ms.div_ceil(1000));
            }
        }
        let used = venue.limits.iter().filter(|limit| limit.used > 0);
        let mut told: Vec<String> = used.map(share).collect();
        if venue.waiting > 0 {
            told.push(format!("{} waiting", venue.waiting));
        }
        if !told.is_empty() {
            let _ = writeln!(out, "room at {name}: {}", told.join(" · "));
        }
    }
}

fn share(limit: &VenueLimit) -> String {
    format!("{} {} of {}", title(limit), limit.used, limit.limit)
}

fn title(limit: &VenueLimit) -> String {
    format!("{}{}", limit.name, whose(limit.account.as_deref(), limit.address.as_deref()))
}

fn whose(account: Option<&str>, address: Option<&str>) -> String {
    match (account, address) {
        (Some(account), _) => format!(" of {account}"),
        (None, Some(address)) => format!(" from {address}"),
        (None, None) => String::new(),
    }
}
