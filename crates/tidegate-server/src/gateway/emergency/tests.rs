use super::*;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tidegate_types::grant::Scope;
use tidegate_types::ids::PersonName;

fn halted(reason: &str) -> Emergency {
    let (by, reason) = (PersonName::new("root").unwrap(), reason.to_owned());
    Emergency::Halted { by, scope: Scope::All, reason, allow_reduce: false }
}

fn told(bytes: &[u8]) -> Vec<String> {
    let reason = |(at, act): (Time, Emergency)| match act {
        Emergency::Halted { reason, .. } => format!("{} {reason}", at.millis()),
        other => panic!("{other:?}"),
    };
    entries(bytes).0.into_iter().map(reason).collect()
}

fn act(at: u64, reason: &str) -> Kept {
    Kept::Act { at: Time::from_millis(at), act: halted(reason) }
}

fn length(at: u64, reason: &str) -> usize {
    entry(Time::from_millis(at), halted(reason)).len()
}

/// A disk that fails as it is told to.
#[derive(Debug, Default)]
struct Faulty {
    bytes: RefCell<Vec<u8>>,
    /// So many calls go well from now on, then none.
    left: Cell<Option<usize>>,
    /// A write that fails has written half.
    torn: Cell<bool>,
}

impl Faulty {
    fn works(&self) -> io::Result<()> {
        match self.left.get() {
            Some(0) => Err(io::Error::other("the disk fails")),
            Some(left) => {
                self.left.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Place for Rc<Faulty> {
    fn write(&self, bytes: &[u8], at: usize) -> io::Result<()> {
        let works = self.works();
        let count = match works {
            Ok(()) => bytes.len(),
            Err(_) if self.torn.get() => bytes.len() / 2,
            Err(_) => 0,
        };
        let mut all = self.bytes.borrow_mut();
        let most = all.len().max(at + count);
        all.resize(most, 0);
        all[at..at + count].copy_from_slice(&bytes[..count]);
        works
    }

    fn sync(&self) -> io::Result<()> {
        self.works()
    }
}

fn pages() -> (Rc<Faulty>, Pages<Rc<Faulty>>) {
    let disk = Rc::new(Faulty::default());
    (Rc::clone(&disk), Pages::after(disk, 0))
}

fn keep(pages: &mut Pages<Rc<Faulty>>, at: u64, reason: &str) -> io::Result<()> {
    pages.take(act(at, reason));
    pages.write()
}

#[test]
fn entries_are_read_back_up_to_the_first_that_is_torn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("emergency");
    let read = || told(&std::fs::read(&path).unwrap());
    let file = prepare(&path).unwrap();
    assert_eq!(file.metadata().unwrap().len(), SIZE as u64, "its room is taken beforehand");
    assert!(read().is_empty());
    let mut pages = Pages::after(file.try_clone().unwrap(), 0);
    pages.take(act(1, "one"));
    pages.write().unwrap();
    pages.take(act(2, "two"));
    pages.write().unwrap();
    assert_eq!(read(), ["1 one", "2 two"]);
    let (one, both) = (length(1, "one"), pages.end);
    assert_eq!(entries(&std::fs::read(&path).unwrap()).1, both);
    file.write_all_at(b"x", (both - 1) as u64).unwrap();
    assert_eq!(read(), ["1 one"]);
    // The next life goes on behind what is not on record yet, and what was torn is gone.
    let mut pages = Pages::after(prepare(&path).unwrap(), one);
    pages.take(act(3, "a"));
    pages.write().unwrap();
    assert_eq!(read(), ["1 one", "3 a"]);
    assert_eq!(file.metadata().unwrap().len(), SIZE as u64);
}

#[test]
fn an_entry_that_cannot_be_written_leaves_no_hole() {
    // It fails in the write, and with half of it written, and in the flush.
    for (left, torn) in [(0, false), (0, true), (1, false)] {
        let (disk, mut pages) = pages();
        keep(&mut pages, 1, "one").unwrap();
        disk.torn.set(torn);
        disk.left.set(Some(left));
        keep(&mut pages, 2, "two").unwrap_err();
        assert_eq!(pages.end, length(1, "one"));
        disk.left.set(Some(0));
        keep(&mut pages, 3, "three").unwrap_err();
        disk.left.set(None);
        keep(&mut pages, 4, "four").unwrap();
        assert_eq!(told(&disk.bytes.borrow()), ["1 one", "2 two", "3 three", "4 four"]);
        assert!(pages.waiting.is_empty());
    }
}

#[test]
fn the_very_first_entry_is_tried_again() {
    for left in 0..3 {
        let (disk, mut pages) = pages();
        disk.left.set(Some(left));
        keep(&mut pages, 1, "one").unwrap_err();
        disk.left.set(None);
        pages.write().unwrap();
        assert_eq!(told(&disk.bytes.borrow()), ["1 one"], "{left}");
    }
}

#[test]
fn once_all_is_on_record_the_file_is_used_from_the_start() {
    let (disk, mut pages) = pages();
    for _ in 0..3 {
        keep(&mut pages, 1, "one").unwrap();
        keep(&mut pages, 2, "two").unwrap();
        disk.left.set(Some(0));
        keep(&mut pages, 3, "three").unwrap_err();
        disk.left.set(None);
        pages.take(Kept::OnRecord);
        pages.write().unwrap();
        assert_eq!(pages.end, 0);
        keep(&mut pages, 4, "four").unwrap();
        assert_eq!(told(&disk.bytes.borrow()), ["4 four"], "nothing of before shows behind it");
        pages.take(Kept::OnRecord);
    }
}

#[test]
fn a_full_file_keeps_what_fits_and_says_that_it_is_full() {
    let (disk, mut pages) = pages();
    let fits = SIZE / length(1, "one");
    for _ in 0..fits + 2 {
        pages.take(act(1, "one"));
    }
    assert!(pages.write().unwrap_err().to_string().contains("is full"));
    assert_eq!(told(&disk.bytes.borrow()).len(), fits);
    assert_eq!((pages.waiting.len(), disk.bytes.borrow().len()), (2, SIZE));
    // On record the room is there again.
    pages.take(Kept::OnRecord);
    keep(&mut pages, 2, "two").unwrap();
    assert_eq!(told(&disk.bytes.borrow()), ["2 two"]);
}
