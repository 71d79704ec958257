//! Segments: files of frames, one record each.
//!
//! A segment is made whole and zeroed, so that writing a frame never changes the file's size or
//! blocks. Every frame says up to where the journal was on disk when it was written; that is how
//! a reader tells a batch that a crash tore from damage to something that was once safe.

use crate::crc::crc32c;
use crate::error::Damage;
use tidegate_types::ids::Seq;
use tidegate_types::limits::MAX_RECORD_BYTES;

/// Bytes before the first frame.
pub const HEADER_BYTES: usize = 64;
/// Bytes of a frame before its record.
pub const FRAME_HEAD_BYTES: usize = 24;
/// The longest frame.
pub const MAX_FRAME_BYTES: usize = FRAME_HEAD_BYTES + MAX_RECORD_BYTES.next_multiple_of(ALIGN);
/// Frames begin at multiples of this.
pub const ALIGN: usize = 8;

const MAGIC: [u8; 8] = *b"tidegate";
const VERSION: u32 = 1;
const FOLDER: &str = "segment";

/// What stands at the front of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The place of the segment in the journal, from 0.
    pub index: u64,
    /// The file's size until it is sealed.
    pub capacity: u64,
    /// SHA-256 of the journal's origin line.
    pub origin: [u8; 32],
}

/// One record as it lies in a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// The record's number.
    pub seq: Seq,
    /// When this was written, every record below was on disk.
    pub synced: Seq,
    /// The record.
    pub record: &'a [u8],
    /// Bytes from this frame to the next.
    pub stride: usize,
}

/// What stands at a place where a frame may begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found<'a> {
    /// A whole frame.
    Frame(Frame<'a>),
    /// Nothing was written here.
    Nothing,
    /// Neither; why.
    Broken(&'static str),
}

/// The path of a segment.
pub fn path(index: u64) -> String {
    format!("{FOLDER}/{index:010}")
}

/// The index of the segment at `path`, if it is one's.
pub fn index(path: &str) -> Option<u64> {
    let index = path.strip_prefix(FOLDER)?.strip_prefix('/')?.parse().ok()?;
    (self::path(index) == path).then_some(index)
}

/// The folder of the segments.
pub fn folder() -> &'static str {
    FOLDER
}

impl Header {
    /// The bytes at the front of the file.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend(self.index.to_le_bytes());
        out.extend(self.capacity.to_le_bytes());
        out.extend(self.origin);
        let crc = crc32c(&[&out]);
        out.extend(crc.to_le_bytes());
        out
    }
}

/// Reads a segment's header; what is wrong otherwise. Takes any bytes.
pub fn read_header(bytes: &[u8]) -> Result<Header, &'static str> {
    let mut input = bytes;
    let magic: [u8; 8] = take(&mut input).ok_or("the header is cut short")?;
    let version = take(&mut input).map(u32::from_le_bytes).ok_or("the header is cut short")?;
    let index = take(&mut input).map(u64::from_le_bytes).ok_or("the header is cut short")?;
    let capacity = take(&mut input).map(u64::from_le_bytes).ok_or("the header is cut short")?;
    let origin: [u8; 32] = take(&mut input).ok_or("the header is cut short")?;
    let covered = bytes.get(..HEADER_BYTES - 4).unwrap_or_default();
    let crc = take(&mut input).map(u32::from_le_bytes).ok_or("the header is cut short")?;
    if magic != MAGIC {
        return Err("this is not a segment");
    }
    if crc != crc32c(&[covered]) {
        return Err("the header's checksum does not match");
    }
    if version != VERSION {
        return Err("the segment is of a version this program does not know");
    }
    Ok(Header { index, capacity, origin })
}

/// Reads the frame at the front of `bytes`, which reach at least to its end or to the end of the
/// file. Takes any bytes.
pub fn read_frame(bytes: &[u8]) -> Found<'_> {
    let Some((head, rest)) = bytes.split_first_chunk::<FRAME_HEAD_BYTES>() else {
        return if bytes.iter().all(|&byte| byte == 0) {
            Found::Nothing
        } else {
            Found::Broken("the frame is cut short")
        };
    };
    if head == &[0; FRAME_HEAD_BYTES] {
        return Found::Nothing;
    }
    let mut input = head.as_slice();
    let (Some(length), Some(crc), Some(seq), Some(synced)) =
        (take(&mut input), take(&mut input), take(&mut input), take(&mut input))
    else {
        return Found::Broken("the frame is cut short");
    };
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length == 0 || length > MAX_RECORD_BYTES {
        return Found::Broken("the frame's length is not possible");
    }
    let stride = stride(length);
    let Some(record) = rest.get(..length) else {
        return Found::Broken("the frame is cut short");
    };
    let Some(padding) = rest.get(length..stride - FRAME_HEAD_BYTES) else {
        return Found::Broken("the frame is cut short");
    };
    if padding.iter().any(|&byte| byte != 0) {
        return Found::Broken("the bytes after the record are not zero");
    }
    let covered = head.get(8..).unwrap_or_default();
    if u32::from_le_bytes(crc) != checksum(length, covered, record) {
        return Found::Broken("the frame's checksum does not match");
    }
    let seq = Seq(u64::from_le_bytes(seq));
    let synced = Seq(u64::from_le_bytes(synced));
    if synced > seq {
        return Found::Broken("the frame claims that later records were on disk");
    }
    Found::Frame(Frame { seq, synced, record, stride })
}

/// Appends a frame for `seq` whose record `write` appends; [`seal`] finishes it. Takes everything
/// back and gives the length when the record is empty or too long.
pub fn append_frame(
    out: &mut Vec<u8>,
    seq: Seq,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<(), usize> {
    let start = out.len();
    out.extend([0; 8]);
    out.extend(seq.0.to_le_bytes());
    out.extend([0; 8]);
    write(out);
    let length = out.len() - start - FRAME_HEAD_BYTES;
    let stored = u32::try_from(length).unwrap_or(u32::MAX);
    if length == 0 || length > MAX_RECORD_BYTES {
        out.truncate(start);
        return Err(length);
    }
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&stored.to_le_bytes());
    }
    out.resize(start + stride(length), 0);
    Ok(())
}

/// Finishes the frames in `frames` (made by [`append_frame`]) from the front while they end
/// within `room` bytes: writes in what is on disk by now, and the checksums. Gives the bytes and
/// the number of frames finished.
pub fn seal(frames: &mut [u8], synced: Seq, room: usize) -> (usize, u64) {
    let (mut done, mut count) = (0, 0);
    while let Some(frame) = frames.get_mut(done..).filter(|frame| !frame.is_empty()) {
        let Some((head, rest)) = frame.split_first_chunk_mut::<FRAME_HEAD_BYTES>() else { break };
        let [l0, l1, l2, l3, c0, c1, c2, c3, covered @ ..] = head;
        let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        let stride = stride(length);
        if done + stride > room {
            break;
        }
        if let Some(place) = covered.get_mut(8..) {
            place.copy_from_slice(&synced.0.to_le_bytes());
        }
        let crc = checksum(length, covered, rest.get(..length).unwrap_or_default());
        [*c0, *c1, *c2, *c3] = crc.to_le_bytes();
        done += stride;
        count += 1;
    }
    (done, count)
}

/// The first whole frame in `bytes` that was written when record `seq` was already on disk;
/// its offset. Frames begin at multiples of [`ALIGN`] in `bytes`.
pub fn witness(bytes: &[u8], seq: Seq) -> Option<usize> {
    let mut offset = 0;
    while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
        match read_frame(rest) {
            Found::Frame(frame) if frame.synced > seq => return Some(offset),
            Found::Frame(frame) => offset += frame.stride,
            Found::Nothing | Found::Broken(_) => offset += ALIGN,
        }
    }
    None
}

/// Bytes from a frame with a record of `length` bytes to the next.
pub fn stride(length: usize) -> usize {
    FRAME_HEAD_BYTES + length.next_multiple_of(ALIGN)
}

/// Checks a header against its place; `Err` is the damage.
pub fn check_header(header: Header, index: u64, origin: &[u8; 32]) -> Result<(), Damage> {
    if header.origin != *origin {
        return Err(Damage::at(path(index), 0, "the segment belongs to another journal"));
    }
    if header.index != index {
        let what = format!("the segment belongs in the place of `{}`", path(header.index));
        return Err(Damage::at(path(index), 0, what));
    }
    Ok(())
}

fn checksum(length: usize, covered: &[u8], record: &[u8]) -> u32 {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    crc32c(&[&length.to_le_bytes(), covered, record])
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (front, rest) = input.split_first_chunk::<N>()?;
    *input = rest;
    Some(*front)
}

#[cfg(test)]
mod tests;
