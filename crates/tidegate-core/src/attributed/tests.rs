use super::*;
use tidegate_types::codec::to_bytes;

struct Parts(Attributed);

impl Parts {
    /// An account on which these callers hold so much of one instrument.
    fn of(held: &[(&str, i64)]) -> Parts {
        let mut parts = Attributed::default();
        for (caller, position) in held {
            let books = parts.0.entry(main()).or_default().entry(perp()).or_default();
            let book = Book { position: *position, ..Book::default() };
            books.insert(CallerName::new(caller).unwrap(), book);
        }
        Parts(parts)
    }

    fn held(&self) -> Vec<(String, i64)> {
        let books = self.0.books(&main(), &perp()).into_iter().flatten();
        books.map(|(caller, book)| (caller.to_string(), book.position)).collect()
    }
}

fn main() -> AccountName {
    AccountName::new("main").unwrap()
}

fn perp() -> InstrumentId {
    InstrumentId { venue: "paper".parse().unwrap(), name: "BTC-PERP".parse().unwrap() }
}

fn as_held(held: &[(&str, i64)]) -> Vec<(String, i64)> {
    held.iter().map(|(caller, position)| ((*caller).to_owned(), *position)).collect()
}

#[test]
fn what_no_caller_ordered_is_taken_off_them_in_proportion() {
    let mut parts = Parts::of(&[("ann", 6), ("bob", 3)]);
    parts.0.changed(&main(), &perp(), (9, 6));
    assert_eq!(parts.held(), as_held(&[("ann", 4), ("bob", 2)]));
    parts.0.changed(&main(), &perp(), (6, 6));
    assert_eq!(parts.held(), as_held(&[("ann", 4), ("bob", 2)]), "nothing changed");
    parts.0.changed(&main(), &perp(), (6, 10));
    assert_eq!(parts.held(), as_held(&[("ann", 4), ("bob", 2)]), "what adds is nobody's");
    parts.0.changed(&main(), &perp(), (10, 0));
    assert_eq!(parts.held(), as_held(&[]));
}

#[test]
fn callers_hold_against_each_other_until_a_halt_closes_all() {
    let mut parts = Parts::of(&[("ann", 5), ("bob", -5)]);
    parts.0.flattened(&Scope::Account { name: AccountName::new("other").unwrap() });
    assert_eq!(parts.held(), as_held(&[("ann", 5), ("bob", -5)]));
    parts.0.flattened(&Scope::Account { name: main() });
    assert_eq!(parts.held(), as_held(&[]));
}

#[test]
fn an_order_that_reduces_the_account_opens_what_its_caller_does_not_hold() {
    let mut parts = Parts::of(&[("ann", 5)]);
    let book = parts.0.0.get_mut(&main()).unwrap().get_mut(&perp()).unwrap();
    let ann = CallerName::new("ann").unwrap();
    let of_ann = book.get_mut(&ann).unwrap();
    (of_ann.sells, of_ann.reducing_sells) = (1, 7);
    let seen = parts.0.book(&main(), &ann, &perp());
    assert_eq!((seen.sells, seen.reducing_sells), (3, 5));
    assert_eq!((seen.buys, seen.reducing_buys, seen.position), (0, 0, 5));
    let bob = CallerName::new("bob").unwrap();
    assert_eq!(parts.0.book(&main(), &bob, &perp()), Book::default());
}

#[test]
fn what_is_held_comes_back_from_its_bytes() {
    let Parts(parts) = Parts::of(&[("ann", 6), ("bob", -3)]);
    let bytes = to_bytes(&parts);
    assert_eq!(Attributed::decode(&mut bytes.as_slice()).unwrap(), parts);
}
