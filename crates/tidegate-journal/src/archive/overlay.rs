use super::note::Archived;
use crate::error::JournalError;
use crate::merkle::TILE_WIDTH;
use crate::segment;
use crate::storage::{Disk, Handle, Room, Storage};
use crate::tiles::{Kind, Tile};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A folder with what was archived of it, for reading.
struct Overlay {
    here: Arc<dyn Storage>,
    there: Vec<Disk>,
    archived: Archived,
}

/// `here`, and what was moved from it to the places that its folder remembers, as far as those are at hand.
pub(crate) fn remembered(here: Arc<dyn Storage>) -> Result<Arc<dyn Storage>, JournalError> {
    let archived = Archived::read(here.as_ref())?;
    let places = archived.places().into_iter().map(Path::to_owned).collect::<Vec<_>>();
    Ok(join(here, places.iter().map(|place| Disk::at(place)).collect(), archived))
}

/// `here`, and what was moved from it, read from `place`.
pub(crate) fn overlay(
    here: Arc<dyn Storage>,
    place: &Path,
) -> Result<Arc<dyn Storage>, JournalError> {
    let archived = Archived::read(here.as_ref())?;
    Ok(join(here, vec![Disk::at(place)], archived))
}

fn join(here: Arc<dyn Storage>, there: Vec<Disk>, archived: Archived) -> Arc<dyn Storage> {
    if archived.is_empty() { here } else { Arc::new(Overlay { here, there, archived }) }
}

impl Overlay {
    /// Whether a file may have been moved away.
    fn may_be_there(&self, path: &str) -> bool {
        if let Some(index) = segment::index(path) {
            return index < self.archived.next_segment();
        }
        Tile::parse(path).is_some_and(|tile| {
            let full = tile.kind == Kind::Entries && tile.width == TILE_WIDTH;
            full && tile.index < self.archived.bundles()
        })
    }

    /// Here, else where it was moved to.
    fn find<T>(&self, path: &str, look: impl Fn(&dyn Storage) -> io::Result<T>) -> io::Result<T> {
        let missing = match look(self.here.as_ref()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => error,
            found => return found,
        };
        if self.may_be_there(path) {
            for there in &self.there {
                match look(there) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    found => return found,
                }
            }
        }
        Err(missing)
    }
}

impl Storage for Overlay {
    fn lock(&self) -> io::Result<Option<Box<dyn Send + Sync>>> {
        self.here.lock()
    }

    fn create(&self, path: &str, head: &[u8], size: u64) -> io::Result<Arc<dyn Handle>> {
        self.here.create(path, head, size)
    }

    fn open(&self, path: &str, writable: bool) -> io::Result<Arc<dyn Handle>> {
        if writable {
            return self.here.open(path, true);
        }
        self.find(path, |storage| storage.open(path, false))
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.find(path, |storage| storage.read(path))
    }

    fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.here.put(path, bytes)
    }

    fn put_synced(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.here.put_synced(path, bytes)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let mut files = self.here.list(path)?;
        for there in &self.there {
            files.extend(there.list(path)?.into_iter().filter(|file| self.may_be_there(file)));
        }
        files.sort_unstable();
        files.dedup();
        Ok(files)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.here.remove(path)
    }

    fn sync(&self) -> io::Result<()> {
        self.here.sync()
    }

    fn room(&self) -> io::Result<Room> {
        self.here.room()
    }

    fn place(&self) -> String {
        self.here.place()
    }
}
