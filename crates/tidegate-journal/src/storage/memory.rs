use super::{Handle, Room, Storage};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What a crash keeps or loses as a whole.
const SECTOR: usize = 512;
/// As much room as it says it has.
const MEMORY_BYTES: u64 = 1 << 40;

/// A way the disk fails from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// No space for new files.
    NoSpace,
    /// Writing fails.
    Write,
    /// Flushing fails, and what should have been flushed is lost in the next crash.
    Sync,
    /// Flushing takes as long as this lasts, and so does writing once a flush has begun: what is
    /// written only, a system keeps in its memory.
    Hang,
}

/// A folder in memory. Clones share it.
#[derive(Clone, Default)]
pub struct Memory {
    inner: Arc<Mutex<Inner>>,
    mended: Arc<Condvar>,
    locked: Arc<AtomicBool>,
}

#[derive(Default)]
struct Inner {
    files: BTreeMap<String, File>,
    fault: Option<Fault>,
    syncs: u64,
    /// How many flushes do not come back.
    hanging: u64,
}

#[derive(Clone, Default)]
struct File {
    now: Vec<u8>,
    on_disk: Option<Vec<u8>>,
}

struct Open {
    memory: Memory,
    path: String,
}

struct Guard(Arc<AtomicBool>);

impl Memory {
    /// Makes the disk fail like this from now on; `None` mends it.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.inner().fault = fault;
        self.mended.notify_all();
    }

    /// Whether a flush does not come back.
    pub fn hangs(&self) -> bool {
        let inner = self.inner();
        inner.fault == Some(Fault::Hang) && inner.hanging > 0
    }

    /// How many flushes there were.
    pub fn syncs(&self) -> u64 {
        self.inner().syncs
    }

    /// Changes a file's bytes, as they are and on disk, behind the journal's back.
    pub fn edit(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(file) = self.inner().files.get_mut(path) {
            change(&mut file.now);
            file.on_disk = Some(file.now.clone());
        }
    }

    /// Takes a file away, or puts one there.
    pub fn replace(&self, path: &str, bytes: Option<Vec<u8>>) {
        let mut inner = self.inner();
        match bytes {
            Some(now) => {
                inner.files.insert(path.to_owned(), File { on_disk: Some(now.clone()), now });
            }
            None => drop(inner.files.remove(path)),
        }
    }

    /// The folder after the machine lost power now: of each sector written but not flushed,
    /// `keeps` says whether it arrived. Whoever still holds this folder goes on with the old one.
    pub fn crashed(&self, mut keeps: impl FnMut() -> bool) -> Memory {
        let mut files = BTreeMap::new();
        for (path, file) in &self.inner().files {
            let Some(old) = &file.on_disk else {
                if keeps() {
                    files.insert(path.clone(), File::of(&file.now));
                }
                continue;
            };
            let mut after =
                if keeps() || old.len() == file.now.len() { file.now.clone() } else { old.clone() };
            for (sector, old) in after.chunks_mut(SECTOR).zip(old.chunks(SECTOR)) {
                if sector.len() == old.len() && sector != old && !keeps() {
                    sector.copy_from_slice(old);
                }
            }
            files.insert(path.clone(), File::of(&after));
        }
        let inner = Inner { files, ..Inner::default() };
        Memory { inner: Arc::new(Mutex::new(inner)), ..Memory::default() }
    }

    /// The folder as another process sees it now; changes to one do not show in the other.
    pub fn copied(&self) -> Memory {
        self.crashed(|| true)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As `inner`, for writing.
    fn disk(&self) -> MutexGuard<'_, Inner> {
        let hangs = |inner: &mut Inner| inner.fault == Some(Fault::Hang) && inner.hanging > 0;
        self.mended.wait_while(self.inner(), hangs).unwrap_or_else(PoisonError::into_inner)
    }

    /// As `inner`, for flushing.
    fn flushing(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner();
        inner.hanging += 1;
        let hangs = |inner: &mut Inner| inner.fault == Some(Fault::Hang);
        let inner = self.mended.wait_while(inner, hangs);
        let mut inner = inner.unwrap_or_else(PoisonError::into_inner);
        inner.hanging -= 1;
        inner
    }
}

impl Inner {
    fn may_write(&self) -> io::Result<()> {
        match self.fault {
            Some(Fault::Write) => Err(io::Error::other("injected write error")),
            _ => Ok(()),
        }
    }

    fn may_create(&self) -> io::Result<()> {
        match self.fault {
            Some(Fault::NoSpace) => Err(io::ErrorKind::StorageFull.into()),
            _ => self.may_write(),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.syncs += 1;
        match self.fault {
            Some(Fault::Sync) => Err(io::Error::other("injected fsync error")),
            _ => Ok(()),
        }
    }

    fn file(&mut self, path: &str) -> io::Result<&mut File> {
        self.files.get_mut(path).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl File {
    fn of(bytes: &[u8]) -> File {
        File { now: bytes.to_vec(), on_disk: Some(bytes.to_vec()) }
    }

    fn flush(&mut self) {
        // In place: simulations flush large files often.
        self.on_disk.get_or_insert_default().clone_from(&self.now);
    }
}

impl Storage for Memory {
    fn lock(&self) -> io::Result<Option<Box<dyn Send + Sync>>> {
        if self.locked.swap(true, Ordering::AcqRel) {
            return Ok(None);
        }
        Ok(Some(Box::new(Guard(Arc::clone(&self.locked)))))
    }

    fn create(&self, path: &str, head: &[u8], size: u64) -> io::Result<Arc<dyn Handle>> {
        let mut inner = self.flushing();
        inner.may_create()?;
        inner.sync()?;
        if inner.files.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut now = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        if let Some(front) = now.get_mut(..head.len()) {
            front.copy_from_slice(head);
        }
        inner.files.insert(path.to_owned(), File::of(&now));
        Ok(Arc::new(Open { memory: self.clone(), path: path.to_owned() }))
    }

    fn open(&self, path: &str, _writable: bool) -> io::Result<Arc<dyn Handle>> {
        self.inner().file(path)?;
        Ok(Arc::new(Open { memory: self.clone(), path: path.to_owned() }))
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        Ok(self.inner().file(path)?.now.clone())
    }

    fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.disk();
        inner.may_create()?;
        inner.files.entry(path.to_owned()).or_default().now = bytes.to_vec();
        Ok(())
    }

    fn put_synced(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.flushing();
        inner.may_create()?;
        inner.sync()?;
        inner.files.insert(path.to_owned(), File::of(bytes));
        Ok(())
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let beneath = |name: &&String| {
            path.is_empty() || name.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        };
        Ok(self.inner().files.keys().filter(beneath).cloned().collect())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut inner = self.disk();
        inner.may_write()?;
        inner.files.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.flushing();
        inner.sync()?;
        inner.files.values_mut().for_each(File::flush);
        Ok(())
    }

    fn room(&self) -> io::Result<Room> {
        let free = if self.inner().fault == Some(Fault::NoSpace) { 0 } else { MEMORY_BYTES };
        Ok(Room { free, size: MEMORY_BYTES })
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}

impl Handle for Open {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut inner = self.memory.inner();
        let now = &inner.file(&self.path)?.now;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(now.len());
        let rest = now.get(from..).unwrap_or_default();
        let count = rest.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.memory.disk();
        inner.may_write()?;
        let now = &mut inner.file(&self.path)?.now;
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        let end = from + bytes.len();
        if now.len() < end {
            now.resize(end, 0);
        }
        if let Some(place) = now.get_mut(from..end) {
            place.copy_from_slice(bytes);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut inner = self.memory.flushing();
        inner.sync()?;
        inner.file(&self.path)?.flush();
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.memory.inner().file(&self.path)?.now.len() as u64)
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        let mut inner = self.memory.disk();
        inner.may_write()?;
        inner.file(&self.path)?.now.truncate(usize::try_from(size).map_err(io::Error::other)?);
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
