use super::*;
use crate::upstream::scripted;
use tidegate_types::time::Span;

fn kept(until_ms: u64) -> Vec<Kept> {
    let row = |stops: &str, account: Option<&str>, address| Kept {
        venue: "binance".to_owned(),
        stops: stops.to_owned(),
        until_ms,
        account: account.map(str::to_owned),
        address,
    };
    vec![row("everything", None, 1), row("orders", Some("main"), 0), row("requests", None, 0)]
}

#[test]
fn what_is_written_is_read_and_means_the_same() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("stops");
    assert_eq!(read(&path), Ok(Vec::new()), "none was kept yet");
    write(&path, &kept(5)).unwrap();
    let back = read(&path).unwrap();
    assert_eq!(back, kept(5));
    for row in &back {
        let (venue, frozen, whose) = row.parsed().unwrap();
        assert_eq!(Kept::of(&venue, frozen, &whose), *row);
    }
    std::fs::write(&path, "no").unwrap();
    assert!(read(&path).is_err());
    take_up(&path, &Links::default());
}

#[test]
fn a_ban_holds_for_the_gateway_that_comes_after() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("stops");
    let until = crate::clock::now().plus(Span::from_secs(60));
    write(&path, &kept(until.millis())).unwrap();
    let link = || Arc::into_inner(scripted::link("binance", Vec::new())).unwrap();
    let links = || Links::new([link()]);
    let (before, after) = (links(), links());
    assert!(told(&before).is_empty());
    take_up(&path, &after);
    let mut again = told(&after);
    again.sort_by(|one, other| one.stops.cmp(&other.stops));
    assert_eq!(again, kept(until.millis()));
    // What is over holds nothing back.
    write(&path, &kept(5)).unwrap();
    let later = links();
    take_up(&path, &later);
    assert!(told(&later).is_empty());
}
