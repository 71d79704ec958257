use super::{Handle, Room, Storage};
use nix::fcntl::{FallocateFlags, Flock, FlockArg, fallocate};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Zeroes are written and flushed in steps of this, so that an order's flush never waits long
/// behind the making of the next segment.
const ZERO_STEP: usize = 1024 * 1024;

/// A folder on a real disk.
#[derive(Clone, Debug)]
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    /// The folder at `root`, made (for its owner alone) if it is not there.
    pub fn create(root: &Path) -> io::Result<Disk> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        Ok(Disk { root: root.to_owned() })
    }

    /// The folder at `root`, which is never changed through this unless asked for by name.
    pub fn at(root: &Path) -> Disk {
        Disk { root: root.to_owned() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn parent(&self, path: &str) -> io::Result<PathBuf> {
        let path = self.path(path);
        let parent = path.parent().unwrap_or(&self.root).to_owned();
        if !parent.is_dir() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&parent)?;
        }
        Ok(parent)
    }
}

impl Storage for Disk {
    fn lock(&self) -> io::Result<Option<Box<dyn Send + Sync>>> {
        let folder = File::open(&self.root)?;
        match Flock::lock(folder, FlockArg::LockExclusiveNonblock) {
            Ok(guard) => Ok(Some(Box::new(guard))),
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
            Err((_, errno)) => Err(errno.into()),
        }
    }

    fn create(&self, path: &str, head: &[u8], size: u64) -> io::Result<Arc<dyn Handle>> {
        let parent = self.parent(path)?;
        if self.path(path).exists() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let unfinished = self.path(&format!("{path}.tmp"));
        let file = swept(&unfinished, || {
            let file = make_zeroed(&unfinished, head, size)?;
            fs::rename(&unfinished, self.path(path))?;
            Ok(file)
        })?;
        File::open(parent)?.sync_all()?;
        Ok(Arc::new(file))
    }

    fn open(&self, path: &str, writable: bool) -> io::Result<Arc<dyn Handle>> {
        Ok(Arc::new(OpenOptions::new().read(true).write(writable).open(self.path(path))?))
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(path))
    }

    fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.parent(path)?;
        let unfinished = self.path(&format!("{path}.tmp"));
        swept(&unfinished, || {
            fs::write(&unfinished, bytes)?;
            fs::rename(&unfinished, self.path(path))
        })
    }

    fn put_synced(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let parent = self.parent(path)?;
        let unfinished = self.path(&format!("{path}.tmp"));
        swept(&unfinished, || {
            fs::write(&unfinished, bytes)?;
            File::open(&unfinished)?.sync_all()?;
            fs::rename(&unfinished, self.path(path))
        })?;
        File::open(parent)?.sync_all()
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let mut files = Vec::new();
        let mut folders = vec![path.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(self.path(&folder)) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                if entry.file_type()?.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        Ok(files)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let path = self.path(path);
        fs::remove_file(&path)?;
        if let Some(folder) = path.parent()
            && folder.extension().is_some_and(|end| end == "p")
        {
            match fs::remove_dir(folder) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        // One call for all tiles: flushing each new file by itself would make the file system
        // commit once a file, and every order's flush would wait in that queue.
        Ok(nix::unistd::syncfs(File::open(&self.root)?)?)
    }

    fn room(&self) -> io::Result<Room> {
        let stat = nix::sys::statvfs::statvfs(&self.root)?;
        let bytes = |blocks: u64| blocks.saturating_mul(stat.fragment_size());
        Ok(Room { free: bytes(stat.blocks_available()), size: bytes(stat.blocks()) })
    }

    fn place(&self) -> String {
        self.root.display().to_string()
    }
}

impl Handle for File {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match FileExt::read_at(self, rest, offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }
}

/// Makes a file, and removes what there is of it when that fails: on a full disk it would take the
/// room that is missing.
fn swept<T>(unfinished: &Path, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    make().inspect_err(|_| {
        let _ = fs::remove_file(unfinished);
    })
}

/// A file of `size` zeroes that begins with `head`, on disk.
fn make_zeroed(path: &Path, head: &[u8], size: u64) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let signed = i64::try_from(size).map_err(|_| io::ErrorKind::InvalidInput)?;
    match fallocate(&file, FallocateFlags::empty(), 0, signed) {
        // Some file systems cannot reserve; writing the zeroes below reserves as well.
        Ok(()) | Err(nix::errno::Errno::EOPNOTSUPP) => {}
        Err(errno) => return Err(errno.into()),
    }
    let zeroes = vec![0; ZERO_STEP];
    let mut offset = 0;
    while offset < size {
        let left = usize::try_from(size - offset).unwrap_or(ZERO_STEP).min(ZERO_STEP);
        file.write_all_at(zeroes.get(..left).unwrap_or(&zeroes), offset)?;
        file.sync_data()?;
        offset += left as u64;
    }
    file.write_all_at(head, 0)?;
    file.sync_all()?;
    Ok(file)
}
