use super::*;
use proptest::prelude::*;

fn frames(records: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for (record, seq) in records.iter().zip(0..) {
        append_frame(&mut out, Seq(seq), |out| out.extend(*record)).expect("a good length");
    }
    let whole = out.len();
    assert_eq!(seal(&mut out, Seq(0), usize::MAX), (whole, records.len() as u64));
    out
}

#[test]
fn frames_come_back() {
    let bytes = frames(&[b"one", b"twelve bytes", b"seventeen bytes.."]);
    let Found::Frame(first) = read_frame(&bytes) else { panic!("no frame") };
    assert_eq!((first.seq, first.record, first.stride), (Seq(0), &b"one"[..], 32));
    let Found::Frame(second) = read_frame(&bytes[first.stride..]) else { panic!("no frame") };
    assert_eq!((second.seq, second.record), (Seq(1), &b"twelve bytes"[..]));
    assert_eq!(read_frame(&[0; 100]), Found::Nothing);
    assert_eq!(read_frame(&[]), Found::Nothing);
}

#[test]
fn sealing_stops_where_the_room_ends() {
    let mut bytes = frames(&[b"one", b"two"]);
    assert_eq!(seal(&mut bytes, Seq(0), 63), (32, 1));
    assert_eq!(seal(&mut bytes, Seq(0), 31), (0, 0));
    assert_eq!(seal(&mut bytes, Seq(0), 64), (64, 2));
}

#[test]
fn lengths_have_bounds() {
    let mut out = Vec::new();
    assert_eq!(append_frame(&mut out, Seq(0), |_| {}), Err(0));
    let long = MAX_RECORD_BYTES + 1;
    assert_eq!(append_frame(&mut out, Seq(0), |out| out.resize(out.len() + long, 7)), Err(long));
    assert!(out.is_empty());
    append_frame(&mut out, Seq(0), |out| out.resize(out.len() + MAX_RECORD_BYTES, 7))
        .expect("fits");
    assert!(out.len() <= MAX_FRAME_BYTES);
}

#[test]
fn every_bit_of_a_frame_counts() {
    let bytes = frames(&[b"a record"]);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(read_frame(&flipped), Found::Broken(_)), "bit {bit}");
    }
}

#[test]
fn every_bit_of_a_header_counts() {
    let header = Header { index: 3, capacity: 1 << 20, origin: [9; 32] };
    let bytes = header.to_bytes();
    assert_eq!(bytes.len(), HEADER_BYTES);
    assert_eq!(read_header(&bytes), Ok(header));
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(read_header(&flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn a_witness_is_a_later_frame_that_knows_better() {
    let mut out = Vec::new();
    for seq in 5..8 {
        append_frame(&mut out, Seq(seq), |out| out.extend(b"0123456")).expect("a good length");
    }
    seal(&mut out, Seq(5), usize::MAX);
    assert_eq!(witness(&out, Seq(5)), None);
    assert_eq!(witness(&out, Seq(4)), Some(0));
    out[8] ^= 1;
    assert_eq!(witness(&out, Seq(4)), Some(32));
}

#[test]
fn paths_are_exact() {
    assert_eq!(path(12), "segment/0000000012");
    assert_eq!(index("segment/0000000012"), Some(12));
    for bad in ["segment/12", "segment/+000000012", "segment/0000000012.tmp", "tile/0/000"] {
        assert_eq!(index(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_frame(&bytes);
        let _ = read_header(&bytes);
        let _ = witness(&bytes, Seq(0));
    }
}
