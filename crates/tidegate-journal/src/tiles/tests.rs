use super::*;
use proptest::prelude::*;

#[test]
fn paths_are_those_of_the_layout() {
    let tile = |kind, index, width| Tile { kind, index, width }.path();
    assert_eq!(tile(Kind::Hashes(0), 0, 256), "tile/0/000");
    assert_eq!(tile(Kind::Hashes(1), 1_234_067, 256), "tile/1/x001/x234/067");
    assert_eq!(tile(Kind::Entries, 999, 12), "tile/entries/999.p/12");
    assert_eq!(tile(Kind::Entries, 1000, 12), "tile/entries/x001/000.p/12");
}

#[test]
fn only_exact_paths_are_tiles() {
    for path in ["tile/0/000", "tile/1/x001/x234/067", "tile/entries/x001/000.p/255"] {
        assert_eq!(Tile::parse(path).map(|tile| tile.path()).as_deref(), Some(path));
    }
    for path in [
        "tile/8/000",
        "tile/00/000",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/data/000",
        "tile/0/000.tmp",
        "tiles/0/000",
        "tile/0/+00",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(Tile::parse(path), None, "{path}");
    }
}

#[test]
fn the_edge_is_what_is_not_full() {
    let paths = |size| edge_tiles(size).iter().map(Tile::path).collect::<Vec<_>>();
    assert!(paths(0).is_empty());
    assert_eq!(paths(1), ["tile/entries/000.p/1", "tile/0/000.p/1"]);
    assert_eq!(paths(256), ["tile/1/000.p/1"]);
    assert_eq!(paths(256 * 256 + 3), ["tile/entries/256.p/3", "tile/0/256.p/3", "tile/2/000.p/1"]);
    for tile in edge_tiles(70_000) {
        assert!(tile.needs().expect("a size") <= 70_000);
    }
}

#[test]
fn bundles_come_back() {
    let mut bundle = Vec::new();
    push_entry(&mut bundle, b"one");
    push_entry(&mut bundle, &[7; 60 * 1024]);
    assert_eq!(parse_entries(&bundle), Some(vec![&b"one"[..], &[7; 60 * 1024][..]]));
    assert_eq!(parse_entries(&bundle[..bundle.len() - 1]), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_fault(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_entries(&bytes);
        let _ = parse_hashes(&bytes);
        let _ = Tile::parse(&String::from_utf8_lossy(&bytes));
    }
}
