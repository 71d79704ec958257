use super::*;

fn levels(rows: &[(&str, &str)]) -> Vec<Level> {
    rows.iter().map(|(price, qty)| read(price, qty).unwrap()).collect()
}

fn whole(number: u64) -> Update {
    let (bids, asks) = (levels(&[("99", "1"), ("98.5", "2")]), levels(&[("101", "3")]));
    Update { after: None, number, bids, asks }
}

fn bid(after: u64, number: u64, price: &str, qty: &str) -> Update {
    Update { after: Some(after), number, bids: levels(&[(price, qty)]), asks: Vec::new() }
}

fn ask(after: u64, number: u64, price: &str, qty: &str) -> Update {
    Update { after: Some(after), number, bids: Vec::new(), asks: levels(&[(price, qty)]) }
}

fn best(book: &Book) -> (Option<String>, Option<String>) {
    let told = |level: Level| format!("{} x {}", level.price, level.qty);
    (book.best_bid().map(told), book.best_ask().map(told))
}

fn some(bid: &str, ask: &str) -> (Option<String>, Option<String>) {
    (Some(bid.into()), Some(ask.into()))
}

/// A book that a change has joined, at 12.
fn kept() -> Book {
    let mut book = Book::default();
    book.apply(whole(10)).unwrap();
    book.apply(bid(10, 12, "99.5", "4")).unwrap();
    book
}

fn is_dropped(book: &Book) -> bool {
    !book.is_whole() && book.lacks_snapshot() && best(book) == (None, None)
}

#[test]
fn changes_in_order_are_made() {
    let mut book = kept();
    assert_eq!(best(&book), some("99.5 x 4", "101 x 3"));
    book.apply(bid(12, 15, "99.5", "0")).unwrap();
    book.apply(ask(15, 16, "100", "0.5")).unwrap();
    assert_eq!(best(&book), some("99 x 1", "100 x 0.5"));
    assert!(book.is_whole() && !book.lacks_snapshot());
}

#[test]
fn a_missing_change_drops_the_book() {
    let mut book = kept();
    assert_eq!(book.apply(bid(13, 14, "99", "9")), Err(Gap::Missing { at: 12, after: 13 }));
    assert!(is_dropped(&book));
    // The change that showed it is made in the next snapshot.
    book.apply(whole(13)).unwrap();
    assert_eq!(best(&book), some("99 x 9", "101 x 3"));
}

#[test]
fn changes_out_of_order_drop_the_book() {
    let mut book = kept();
    assert!(book.apply(bid(15, 16, "99", "9")).is_err());
    assert!(book.apply(bid(12, 15, "99", "9")).is_ok() && is_dropped(&book));
    // A venue that began to count anew: it would be silent for ever if older meant known.
    let mut book = kept();
    assert_eq!(book.apply(bid(1, 2, "99", "9")), Err(Gap::Missing { at: 12, after: 1 }));
}

#[test]
fn a_change_that_comes_twice_is_made_once() {
    let mut book = kept();
    book.apply(bid(10, 12, "99.5", "4")).unwrap();
    assert_eq!(best(&book), some("99.5 x 4", "101 x 3"));
    book.apply(bid(12, 13, "99.5", "0")).unwrap();
    assert_eq!(best(&book), some("99 x 1", "101 x 3"));
}

#[test]
fn a_crossed_book_is_dropped() {
    let mut book = kept();
    let crossed = book.apply(bid(12, 13, "101", "1")).unwrap_err();
    assert!(matches!(crossed, Gap::Crossed { .. }), "{crossed}");
    assert!(is_dropped(&book));
    let mut whole = whole(1);
    whole.asks = levels(&[("99", "1")]);
    assert!(Book::default().apply(whole).is_err());
}

#[test]
fn a_new_snapshot_begins_anew() {
    let mut book = kept();
    book.apply(whole(5)).unwrap();
    assert_eq!(best(&book), some("99 x 1", "101 x 3"));
    book.apply(bid(5, 6, "100", "1")).unwrap();
    assert_eq!(best(&book), some("100 x 1", "101 x 3"));
}

#[test]
fn a_snapshot_is_joined_by_the_change_that_leads_past_it() {
    let mut book = Book::default();
    assert!(!book.lacks_snapshot());
    book.apply(bid(5, 8, "99", "7")).unwrap();
    book.apply(bid(8, 12, "98", "7")).unwrap();
    assert!(book.lacks_snapshot());
    book.apply(whole(10)).unwrap();
    assert_eq!(best(&book), some("99 x 1", "101 x 3"), "what is older is in the snapshot");
    book.apply(bid(12, 13, "100", "1")).unwrap();
    assert_eq!(best(&book), some("100 x 1", "101 x 3"));
    // A snapshot from before the first change there is.
    let mut book = Book::default();
    book.apply(bid(20, 21, "99", "7")).unwrap();
    assert_eq!(book.apply(whole(10)), Err(Gap::Missing { at: 10, after: 20 }));
    assert!(!book.is_whole() && !book.lacks_snapshot());
    book.apply(bid(21, 22, "100", "7")).unwrap();
    book.apply(whole(21)).unwrap();
    assert_eq!(best(&book), some("100 x 7", "101 x 3"));
}

#[test]
fn only_the_best_levels_are_kept() {
    let mut book = Book::default();
    let side = |from: usize| -> Vec<Level> {
        (from..from + MAX_BOOK_LEVELS + 5).map(|p| read(&p.to_string(), "1").unwrap()).collect()
    };
    book.apply(Update { after: None, number: 1, bids: side(1), asks: side(5_000) }).unwrap();
    assert_eq!((book.bids.len(), book.asks.len()), (MAX_BOOK_LEVELS, MAX_BOOK_LEVELS));
    assert_eq!(best(&book), some("1005 x 1", "5000 x 1"));
    let mut waiting = Book::default();
    for number in 0..=(MAX_KEPT_CHANGES as u64 * 2) {
        waiting.apply(bid(number, number + 1, "1", "1")).unwrap();
        assert!(waiting.lacks_snapshot() && waiting.kept.len() <= MAX_KEPT_CHANGES);
    }
}
