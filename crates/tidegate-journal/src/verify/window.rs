use crate::error::JournalError;
use crate::segment::{self, ALIGN, Found, Frame, MAX_FRAME_BYTES};
use crate::storage::{Handle, Storage};
use std::sync::Arc;

/// Bytes read at once.
const CHUNK: usize = 8 * MAX_FRAME_BYTES;
/// What is looked through for a byte that is set, at once.
const BLOCK: usize = 4096;

/// The part of a segment that is being looked at; moves forward through the file.
pub(super) struct Window {
    handle: Arc<dyn Handle>,
    path: String,
    buf: Vec<u8>,
    base: u64,
    /// `buf` reached the end of the file when it was read.
    ended: bool,
}

/// What is set after the last record of a segment.
#[derive(Default)]
pub(super) struct Rest {
    /// As much of it as a frame takes.
    pub(super) front: Vec<u8>,
    /// Bytes up to the last that is not zero.
    pub(super) length: u64,
    /// How many bits are set.
    pub(super) bits: u64,
}

impl Window {
    /// Opens the segment at `path`.
    pub(super) fn open(storage: &dyn Storage, path: &str) -> Result<Window, JournalError> {
        let handle = storage.open(path, false).map_err(JournalError::io("open", path))?;
        let path = path.to_owned();
        Ok(Window { handle, path, buf: Vec::new(), base: 0, ended: false })
    }

    /// The file's size now.
    pub(super) fn size(&self) -> Result<u64, JournalError> {
        self.handle.size().map_err(JournalError::io("read", &self.path))
    }

    /// Drops what was read, so that it is read again.
    pub(super) fn forget(&mut self) {
        self.buf.clear();
        self.ended = false;
    }

    /// What is at `offset`: at least a frame's length of it, or all to the end of the file.
    pub(super) fn at(&mut self, offset: u64) -> Result<&[u8], JournalError> {
        let skip = offset.checked_sub(self.base).and_then(|skip| usize::try_from(skip).ok());
        let skip = skip.filter(|&skip| skip <= self.buf.len());
        let enough = skip.is_some_and(|skip| {
            self.ended || self.buf.len().saturating_sub(skip) >= MAX_FRAME_BYTES
        });
        let skip = match skip {
            Some(skip) if enough => skip,
            _ => {
                self.fill(offset, skip)?;
                0
            }
        };
        Ok(self.buf.get(skip..).unwrap_or_default())
    }

    /// What stands at `offset`.
    pub(super) fn frame(&mut self, offset: u64) -> Result<Found<'_>, JournalError> {
        self.at(offset).map(segment::read_frame)
    }

    /// The first whole frame at or after `offset` that `wanted` takes.
    pub(super) fn find(
        &mut self,
        mut offset: u64,
        wanted: impl Fn(&Frame<'_>) -> bool,
    ) -> Result<Option<u64>, JournalError> {
        loop {
            let step = match self.frame(offset)? {
                Found::Frame(frame) if wanted(&frame) => return Ok(Some(offset)),
                Found::Frame(frame) => frame.stride,
                Found::Broken(_) => ALIGN,
                Found::Nothing => {
                    let Some(set) = self.find_set(offset)? else { return Ok(None) };
                    // A frame's first bytes, its length, are never all zero.
                    offset = set - set % ALIGN as u64;
                    continue;
                }
            };
            offset += step as u64;
        }
    }

    /// The place of the first byte at or after `offset` that is not zero.
    pub(super) fn find_set(&mut self, mut offset: u64) -> Result<Option<u64>, JournalError> {
        loop {
            let bytes = self.at(offset)?;
            if bytes.is_empty() {
                return Ok(None);
            }
            if let Some(set) = first_set(bytes) {
                return Ok(Some(offset + set as u64));
            }
            offset += bytes.len() as u64;
        }
    }

    /// What is set from `offset` on.
    pub(super) fn rest(&mut self, offset: u64) -> Result<Rest, JournalError> {
        let bytes = self.at(offset)?;
        let front = bytes.get(..MAX_FRAME_BYTES).unwrap_or(bytes).to_vec();
        let mut rest = Rest { front, length: 0, bits: 0 };
        let mut place = offset;
        while let Some(set) = self.find_set(place)? {
            let bytes = self.at(set)?;
            let last = bytes.iter().rposition(|&byte| byte != 0).unwrap_or_default();
            rest.length = set + last as u64 + 1 - offset;
            rest.bits += bytes.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
            place = set + bytes.len() as u64;
        }
        Ok(rest)
    }

    /// Reads on so that the buffer begins at `offset`, keeping what it has from there on.
    fn fill(&mut self, offset: u64, skip: Option<usize>) -> Result<(), JournalError> {
        match skip {
            Some(skip) => drop(self.buf.drain(..skip)),
            None => self.buf.clear(),
        }
        self.base = offset;
        let have = self.buf.len();
        self.buf.resize(CHUNK, 0);
        let count = self
            .handle
            .read_at(offset + have as u64, self.buf.get_mut(have..).unwrap_or_default())
            .map_err(JournalError::io("read", &self.path))?;
        self.buf.truncate(have + count);
        self.ended = have + count < CHUNK;
        Ok(())
    }
}

fn first_set(bytes: &[u8]) -> Option<usize> {
    const ZEROES: [u8; BLOCK] = [0; BLOCK];
    let block = bytes.chunks(BLOCK).position(|block| Some(block) != ZEROES.get(..block.len()))?;
    let start = block * BLOCK;
    let set = bytes.get(start..)?.iter().position(|&byte| byte != 0)?;
    Some(start + set)
}
