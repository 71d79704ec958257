//! Marks as the venue tells them.

use super::{Pause, open, read, say};
use crate::clock;
use crate::desk::{Link, Sink};
use crate::oplog;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tidegate_core::event::Event;
use tidegate_types::ids::InstrumentId;
use tidegate_types::instrument::Mark;
use tidegate_types::limits::BAND_INTERVAL;

/// A mark feed that says nothing for this long is broken.
const SILENCE: Duration = Duration::from_secs(30);
/// How often to look whether the venue's instruments are known or have changed.
const LOOK: Duration = Duration::from_secs(5);

/// When the messages about each instrument were last read for more than marks: a message comes ten times a
/// second, and a halt or a band is looked for each few seconds.
#[derive(Default)]
struct Told(BTreeMap<InstrumentId, Instant>);

impl Told {
    fn due(&mut self, marks: &[Mark], now: Instant) -> bool {
        let every = Duration::from_micros(BAND_INTERVAL.micros());
        let old = |at: &Instant| now.duration_since(*at) >= every;
        let due = marks.iter().any(|mark| self.0.get(&mark.instrument).is_none_or(old));
        if due {
            self.0.extend(marks.iter().map(|mark| (mark.instrument.clone(), now)));
        }
        due
    }
}

/// Follows the marks of a venue for ever. It waits until the venue's instruments are known, and
/// subscribes anew when other instruments are listed.
pub async fn follow_marks(sink: Arc<dyn Sink>, link: Arc<Link>) {
    let (mut pause, mut broken) = (Pause::default(), oplog::Repeated::default());
    loop {
        let began = Instant::now();
        // Marks that grow old say the same to callers: their orders are refused.
        if let Err(why) = follow(sink.as_ref(), &link).await
            && broken.is_news(&why)
        {
            oplog::warn("marks-down", &[("venue", &link.venue().name()), ("why", &why)]);
        }
        pause.wait(began.elapsed()).await;
    }
}

async fn follow(sink: &dyn Sink, link: &Link) -> Result<(), String> {
    let venue = link.venue();
    let name = venue.name();
    let mut instruments = sink.instruments(&name);
    while instruments.0.is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        instruments = sink.instruments(&name);
    }
    let feed = venue.mark_feed(&instruments);
    let mut socket = open(link, None, &feed.target).await?;
    for text in &feed.hello {
        say(link, &mut socket, text.clone()).await?;
    }
    let mut look = tokio::time::interval(LOOK);
    let (mut heard, mut told) = (Instant::now(), Told::default());
    loop {
        let text = tokio::select! {
            text = read(link, &mut socket) => text?,
            _ = look.tick() => {
                if heard.elapsed() > SILENCE {
                    return Err("the mark feed is silent".to_owned());
                }
                let now_listed = sink.instruments(&name);
                let again = venue.mark_feed(&now_listed);
                if (again.target, again.hello) != (feed.target.clone(), feed.hello.clone()) {
                    return Ok(());
                }
                instruments = now_listed;
                continue;
            }
        };
        heard = Instant::now();
        let (marks, answer) = venue.marks(&text, &instruments, clock::now());
        // What tells no marks may be about a state alone.
        if marks.is_empty() || told.due(&marks, Instant::now()) {
            let terms = venue.told_terms(&text, clock::now());
            if !terms.is_empty() {
                sink.event(Event::VenueTerms { terms });
            }
        }
        if !marks.is_empty() {
            sink.marks(marks);
        }
        let quotes = venue.option_quotes(&text, &instruments);
        if !quotes.is_empty() {
            sink.option_quotes(quotes);
        }
        if let Some(answer) = answer {
            say(link, &mut socket, answer).await?;
        }
    }
}
