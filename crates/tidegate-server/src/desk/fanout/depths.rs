//! Books kept from shared streams: who begins to follow one is told where it stands from here, once anybody's snapshot of
//! it came from the venue, so that fifty bots cost one snapshot.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tidegate_types::call::WireRequest;
use tidegate_types::request::Reply;
use tidegate_venues::Venue;
use tidegate_venues::fanout::Depth;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// How long an answer waits for the next change. A reader who followed the stream before it asked has that one, too, and
/// joins the answer to it; where nothing changes it has all there is.
const NEXT_CHANGE: Duration = Duration::from_millis(250);
/// A stream that was silent for so long may be broken: the venue is asked.
const SILENCE: Duration = Duration::from_secs(3);

/// The kept books of a venue, by stream.
#[derive(Default)]
pub(in crate::desk) struct Depths(Mutex<HashMap<String, Arc<Kept>>>);

struct Kept {
    book: Mutex<Told>,
    /// Counts what was told.
    news: watch::Sender<u64>,
}

struct Told {
    depth: Box<dyn Depth>,
    last: Instant,
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &WireRequest) -> Option<Reply> {
        let told = self.lock();
        if told.last.elapsed() > SILENCE {
            return None;
        }
        told.depth.answer(request)
    }
}

impl Depths {
    /// Takes a message of a stream that is shared.
    pub(super) fn heard(&self, venue: &dyn Venue, stream: &str, text: &str) {
        let Some(kept) = self.of(venue, stream) else { return };
        {
            let mut told = kept.lock();
            told.depth.take(text);
            told.last = Instant::now();
        }
        kept.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Nobody hears a stream any more.
    pub(super) fn forget(&self, stream: &str) {
        self.books().remove(stream);
    }

    /// The venue answered a request.
    pub(in crate::desk) fn learn(&self, venue: &dyn Venue, request: &WireRequest, reply: &Reply) {
        for kept in self.asked(venue, request) {
            kept.lock().depth.learn(request, reply);
        }
    }

    /// What the venue would answer, where a book that is kept tells it.
    pub(in crate::desk) async fn answer(
        &self,
        venue: &dyn Venue,
        request: &WireRequest,
    ) -> Option<Reply> {
        let kept = self.asked(venue, request);
        let kept = kept.into_iter().find(|kept| kept.answer(request).is_some())?;
        let mut news = kept.news.subscribe();
        drop(timeout(NEXT_CHANGE, news.changed()).await);
        kept.answer(request)
    }

    fn asked(&self, venue: &dyn Venue, request: &WireRequest) -> Vec<Arc<Kept>> {
        let streams = venue.depth_streams(request);
        let books = self.books();
        streams.iter().filter_map(|stream| books.get(stream).cloned()).collect()
    }

    fn of(&self, venue: &dyn Venue, stream: &str) -> Option<Arc<Kept>> {
        let mut books = self.books();
        if let Some(kept) = books.get(stream) {
            return Some(Arc::clone(kept));
        }
        let told = Told { depth: venue.depth(stream)?, last: Instant::now() };
        let kept = Arc::new(Kept { book: Mutex::new(told), news: watch::Sender::new(0) });
        books.insert(stream.to_owned(), Arc::clone(&kept));
        Some(kept)
    }

    fn books(&self) -> MutexGuard<'_, HashMap<String, Arc<Kept>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
