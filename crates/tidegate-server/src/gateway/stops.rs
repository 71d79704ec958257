//! What venues forbade, kept over a restart: each request during a ban makes it longer, and the gateway after
//! this one would begin with many.

use crate::desk::{Link, Links, stopped as word};
use crate::oplog;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tidegate_shaping::{Frozen, Whose};
use tidegate_types::ids::{AccountName, VenueName};
use tidegate_types::time::Time;
use tidegate_venues::upstream::Stops;

/// How often it is looked whether something changed.
const EVERY: Duration = Duration::from_secs(1);

/// A stop, as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Kept {
    venue: String,
    stops: String,
    until_ms: u64,
    /// Of this account alone.
    account: Option<String>,
    /// Of this of the desk's addresses.
    address: usize,
}

/// Holds back again what the gateway before this one was told to hold back. A file that cannot be read is told,
/// and holds nothing back: the venue will say so once more.
pub(super) fn take_up(path: &Path, links: &Links) {
    let kept = match read(path) {
        Ok(kept) => kept,
        Err(why) => {
            return oplog::warn("venue-stops-unread", &[("file", &path.display()), ("why", &why)]);
        }
    };
    for one in kept {
        if let Some((venue, frozen, whose)) = one.parsed()
            && let Ok(link) = links.get(&venue)
        {
            link.stop_again(frozen, &whose);
        }
    }
}

/// Keeps what venues forbid on disk, as long as the gateway runs.
pub(super) async fn keep(links: Arc<Links>, path: PathBuf) {
    let mut written = Vec::new();
    let mut failed = oplog::Repeated::default();
    loop {
        tokio::time::sleep(EVERY).await;
        let now = told(&links);
        if now == written {
            continue;
        }
        let (to, rows) = (path.clone(), now.clone());
        let put = tokio::task::spawn_blocking(move || write(&to, &rows)).await;
        match put.map_err(io::Error::other).flatten() {
            Ok(()) => written = now,
            Err(error) => {
                let why = error.to_string();
                if failed.is_news(&why) {
                    let fields: [(&str, &dyn std::fmt::Display); 2] =
                        [("file", &path.display()), ("why", &why)];
                    oplog::warn("venue-stops-unwritten", &fields);
                }
            }
        }
    }
}

fn told(links: &Links) -> Vec<Kept> {
    let of_link = |link: &Arc<Link>| {
        let venue = link.venue().name();
        let rows = link.gauge().frozen.into_iter();
        rows.map(move |(frozen, whose)| Kept::of(&venue, frozen, &whose)).collect::<Vec<_>>()
    };
    links.iter().flat_map(of_link).collect()
}

impl Kept {
    fn of(venue: &VenueName, frozen: Frozen, whose: &Whose) -> Kept {
        let (account, address) = match whose {
            Whose::Account(account) => (account.as_ref().map(ToString::to_string), 0),
            Whose::Address(address) => (None, *address),
        };
        let (venue, stops) = (venue.to_string(), word(frozen.stops).to_owned());
        Kept { venue, stops, until_ms: frozen.until.millis(), account, address }
    }

    /// What it says; nothing that this program does not know.
    fn parsed(&self) -> Option<(VenueName, Frozen, Whose)> {
        let all = [Stops::Orders, Stops::Reads, Stops::Requests, Stops::Everything];
        let stops = all.into_iter().find(|stops| word(*stops) == self.stops)?;
        let whose = match &self.account {
            Some(account) => Whose::Account(Some(AccountName::new(account).ok()?)),
            None => Whose::Address(self.address),
        };
        let until = Time::from_millis(self.until_ms);
        Some((VenueName::new(&self.venue).ok()?, Frozen { stops, until }, whose))
    }
}

fn read(path: &Path) -> Result<Vec<Kept>, String> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    }
}

fn write(path: &Path, kept: &[Kept]) -> io::Result<()> {
    let unfinished = path.with_extension("tmp");
    let mut file = std::fs::File::create(&unfinished)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests;
