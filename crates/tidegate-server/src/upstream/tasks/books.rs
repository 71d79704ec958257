//! Order books as the venue tells them: a change that is missing drops the book, and the core hears.

mod volumes;

use super::{Pause, open, read, say};
use crate::clock;
use crate::desk::{Errand, Link, OwnSocket, Sink};
use crate::oplog;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tidegate_core::event::Event;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::ids::{InstrumentId, InstrumentName};
use tidegate_types::instrument::{Instrument, Price, Unit, Usd};
use tidegate_types::limits::LIQUIDITY_INTERVAL;
use tidegate_types::policy::{DEPTH_BPS, Liquidity};
use tidegate_types::time::Time;
use tidegate_venues::book::{Book, Level, Update};
use volumes::Volumes;

/// How often to look which books are wanted, and whether one lacks a snapshot.
const LOOK: Duration = Duration::from_secs(1);
/// A book that nothing is told about for so long gets its snapshot all the same: it may be quiet.
const QUIET: Duration = Duration::from_secs(3);
/// How often the core is told what the books show.
const SHOW: Duration = Duration::from_micros(LIQUIDITY_INTERVAL.micros());
/// The least time between two snapshots at a venue, so that books that keep breaking take little of
/// what it grants.
const BETWEEN_SNAPSHOTS: Duration = Duration::from_secs(1);

/// Follows, for ever, the books of the instruments that are wanted. A venue that cannot be followed
/// changes nothing for orders; a book that was whole and is not any more does.
pub async fn follow_books(sink: Arc<dyn Sink>, link: Arc<Link>) {
    let volumes = Volumes::default();
    tokio::join!(follow(&sink, &link, &volumes), volumes.follow(&sink, &link));
}

async fn follow(sink: &Arc<dyn Sink>, link: &Link, volumes: &Volumes) {
    let (mut pause, mut broken) = (Pause::default(), oplog::Repeated::default());
    loop {
        let began = Instant::now();
        let (sink, books) = (sink.as_ref(), BTreeMap::new());
        let mut follower = Follower { sink, link, volumes, books, asked: None };
        let followed = follower.follow(&mut broken).await;
        if let Err(why) = followed {
            if broken.is_news(&why) {
                oplog::warn("books-down", &[("venue", &link.venue().name()), ("why", &why)]);
            }
            follower.lose_all(&why);
        }
        pause.wait(began.elapsed()).await;
    }
}

struct Follower<'a> {
    sink: &'a dyn Sink,
    link: &'a Link,
    volumes: &'a Volumes,
    books: BTreeMap<InstrumentName, Followed>,
    /// When a snapshot was asked for last.
    asked: Option<Instant>,
}

/// A book that the venue was asked to tell.
struct Followed {
    book: Book,
    /// When it was asked last.
    since: Instant,
    /// When the core was told last what it shows, and whether with the volume.
    shown: Option<(Instant, bool)>,
}

impl Followed {
    fn anew() -> Followed {
        Followed { book: Book::default(), since: Instant::now(), shown: None }
    }

    /// Whether the core is to be told what it shows.
    fn is_due(&self, with_volume: bool) -> bool {
        self.shown.is_none_or(|(at, had)| at.elapsed() >= SHOW || with_volume && !had)
    }

    fn wants_snapshot(&self) -> bool {
        let quiet = !self.book.is_whole() && self.since.elapsed() >= QUIET;
        self.book.lacks_snapshot() || quiet
    }
}

impl Follower<'_> {
    /// Runs until something breaks, or no book is wanted any more.
    async fn follow(&mut self, refused: &mut oplog::Repeated) -> Result<(), String> {
        while self.wanted().is_empty() {
            tokio::time::sleep(LOOK).await;
        }
        let feed = self.link.venue().book_feed();
        let mut socket = open(self.link, None, &feed.target).await?;
        for text in feed.hello {
            self.say(&mut socket, text).await?;
        }
        let mut look = tokio::time::interval(LOOK);
        loop {
            let text = tokio::select! {
                text = read(self.link, &mut socket) => Some(text?),
                _ = look.tick() => None,
            };
            match text {
                Some(text) => self.hear(&mut socket, &text).await?,
                None if self.turn_to_wanted(&mut socket).await? => return Ok(()),
                None => self.show(),
            }
            self.ask_for_snapshot(&mut socket, refused).await?;
        }
    }

    /// Tells the core what the whole books show: their best prices, and what rests near them. At once what it does
    /// not know yet.
    fn show(&mut self) {
        let venue = self.link.venue().name();
        let (terms, now) = (self.sink.instruments(&venue), clock::now());
        let mut facts = Vec::new();
        for (name, followed) in &mut self.books {
            let volume = self.volumes.of(name);
            if !followed.book.is_whole() || !followed.is_due(volume.is_some()) {
                continue;
            }
            let Some(terms) = terms.get(name) else { continue };
            followed.shown = Some((Instant::now(), volume.is_some()));
            let index = self.sink.index(&terms.id);
            facts.push(Liquidity { volume, ..liquidity(terms, &followed.book, index, now) });
        }
        if !facts.is_empty() {
            self.sink.event(Event::Liquidity { facts });
        }
    }

    fn wanted(&self) -> Vec<InstrumentName> {
        let wanted = self.sink.books_wanted(&self.link.venue().name());
        wanted.into_iter().map(|id| id.name).collect()
    }

    /// Subscribes to what is wanted now, and to nothing else; whether that is nothing at all.
    async fn turn_to_wanted(&mut self, socket: &mut OwnSocket) -> Result<bool, String> {
        let wanted = self.wanted();
        let (new, old): (Vec<_>, Vec<_>) = (
            wanted.iter().filter(|name| !self.books.contains_key(*name)).cloned().collect(),
            self.books.keys().filter(|name| !wanted.contains(name)).cloned().collect(),
        );
        for (names, on) in [(&old, false), (&new, true)] {
            if !names.is_empty() {
                self.subscribe(socket, names, on).await?;
            }
        }
        self.books.retain(|name, _| wanted.contains(name));
        self.books.extend(new.into_iter().map(|name| (name, Followed::anew())));
        Ok(self.books.is_empty())
    }

    async fn hear(&mut self, socket: &mut OwnSocket, text: &str) -> Result<(), String> {
        let news = self.link.venue().book_news(text);
        if let Some((name, update)) = news.update {
            self.take(&name, update);
        }
        match news.answer {
            Some(answer) => self.say(socket, answer).await,
            None => Ok(()),
        }
    }

    /// Takes a message about a book, if that is followed, and tells what became of the book.
    fn take(&mut self, name: &InstrumentName, update: Update) {
        let Some(Followed { book, .. }) = self.books.get_mut(name) else { return };
        let was_whole = book.is_whole();
        let taken = book.apply(update);
        let is_whole = book.is_whole();
        let instrument = InstrumentId { venue: self.link.venue().name(), name: name.clone() };
        match taken {
            Err(gap) if was_whole => {
                self.sink.event(Event::BookLost { instrument, why: gap.to_string() });
            }
            Ok(()) if is_whole && !was_whole => self.sink.event(Event::BookWhole { instrument }),
            _ => {}
        }
    }

    /// Gets a snapshot for one of the books that wait for one.
    async fn ask_for_snapshot(
        &mut self,
        socket: &mut OwnSocket,
        refused: &mut oplog::Repeated,
    ) -> Result<(), String> {
        if self.asked.is_some_and(|asked| asked.elapsed() < BETWEEN_SNAPSHOTS) {
            return Ok(());
        }
        let waiting = self.books.iter_mut().filter(|(_, book)| book.wants_snapshot());
        // The one that was asked for the longest ago, so that one that fails keeps no other waiting.
        let Some((name, followed)) = waiting.min_by_key(|(_, book)| book.since) else {
            return Ok(());
        };
        let (name, now) = (name.clone(), Instant::now());
        (followed.since, self.asked) = (now, Some(now));
        let venue = self.link.venue();
        let Some(request) = venue.book_snapshot(&name) else {
            // What comes until then is of the old subscription.
            followed.book = Book::default();
            self.subscribe(socket, std::slice::from_ref(&name), false).await?;
            return self.subscribe(socket, &[name], true).await;
        };
        // The socket waits meanwhile: what it tells is then made in the snapshot.
        let reply = self.link.fetch(Errand::Upkeep(None), request).await;
        let snapshot = reply
            .map_err(|reject| reject.to_string())
            .and_then(|reply| venue.read_book_snapshot(&reply).map_err(|unreadable| unreadable.0));
        match snapshot {
            Ok(snapshot) => self.take(&name, snapshot),
            // It is asked for again.
            Err(why) if refused.is_news(&why) => {
                oplog::warn("no-book", &[("venue", &venue.name()), ("book", &name), ("why", &why)]);
            }
            Err(_) => {}
        }
        Ok(())
    }

    async fn subscribe(
        &self,
        socket: &mut OwnSocket,
        names: &[InstrumentName],
        on: bool,
    ) -> Result<(), String> {
        self.say(socket, self.link.venue().book_subscription(names, on)).await
    }

    async fn say(&self, socket: &mut OwnSocket, text: String) -> Result<(), String> {
        say(self.link, socket, text).await
    }

    /// The socket broke: whatever changed since is not known.
    fn lose_all(&mut self, why: &str) {
        for (name, followed) in std::mem::take(&mut self.books) {
            if followed.book.is_whole() {
                let instrument = InstrumentId { venue: self.link.venue().name(), name };
                self.sink.event(Event::BookLost { instrument, why: why.to_owned() });
            }
        }
    }
}

/// What a book shows of its market. An option that is paid in coin counts as its underlying, at the index.
fn liquidity(terms: &Instrument, book: &Book, index: Option<Price>, now: Time) -> Liquidity {
    let worth = |level: Level| match terms.unit {
        Unit::CoinOption => {
            level.qty.0.mul(index?.0, Rounding::Floor).ok().map(|worth| worth.raw())
        }
        Unit::Linear | Unit::Inverse => {
            terms.notional(level.qty, level.price, level.price).ok().map(|usd| usd.0.raw())
        }
    };
    let sum = |levels: Vec<Level>| {
        let mut levels = levels.into_iter();
        let total = levels.try_fold(0_i64, |sum, level| Some(sum.saturating_add(worth(level)?)));
        total.map(|total| Usd(Decimal::from_raw(total)))
    };
    Liquidity {
        instrument: terms.id.clone(),
        bid: book.best_bid().map(|best| best.price),
        ask: book.best_ask().map(|best| best.price),
        bid_depth: sum(book.bids_within(DEPTH_BPS).collect()),
        ask_depth: sum(book.asks_within(DEPTH_BPS).collect()),
        volume: None,
        at: now,
    }
}

#[cfg(test)]
mod tests;
