//! Callers' WebSocket sessions. The first line of an input is the path, every other one begins with
//! who says it: `<` the caller, `>` the pipeline's answer, `!` a refusal, `=` and `-` a login that
//! is good or not, `p` the private stream, `u` the public socket, `t` the clock.

use super::http::check;
use super::world::{self, NOW, World};
use std::collections::VecDeque;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};
use tidegate_venues::front::{From, Session, Step, Tag};

/// Most lines that are played; a session is not slower for being longer.
const MAX_LINES: usize = 64;

/// Sessions of Binance.
pub(super) fn binance(data: &[u8]) {
    play(world::binance(), data);
}

/// Sessions of Deribit.
pub(super) fn deribit(data: &[u8]) {
    play(world::deribit(), data);
}

fn play(world: Option<&World>, data: &[u8]) {
    let (Some(world), Ok(text)) = (world, std::str::from_utf8(data)) else { return };
    let mut lines = text.lines();
    let path = lines.next().unwrap_or_default();
    let Some(request) = world::request(format!("GET {path}").as_bytes()) else { return };
    let Ok(session) = world.venue.open(&request, NOW) else { return };
    let mut stage = Stage { world, session, asks: VecDeque::new(), logins: VecDeque::new() };
    let opening = stage.session.on_open(NOW);
    stage.take(opening, true);
    let mut now = NOW;
    for line in lines.take(MAX_LINES) {
        now = now.plus(Span::from_millis(10));
        stage.line(line, &mut now);
    }
}

struct Stage<'a> {
    world: &'a World,
    session: Box<dyn Session>,
    asks: VecDeque<Tag>,
    logins: VecDeque<Tag>,
}

impl Stage<'_> {
    fn line(&mut self, line: &str, now: &mut Time) {
        let mut rest = line.chars();
        let (kind, text) = (rest.next(), rest.as_str());
        let refusal = Reject::new(Code::Halted, "");
        let session = &mut self.session;
        let steps = match kind {
            Some('<') => session.on_text(text, &self.world.market, *now),
            Some('>') => {
                let Some(tag) = self.asks.pop_front() else { return };
                session.on_reply(tag, world::reply(200, text.as_bytes()), *now)
            }
            Some('!') => {
                let Some(tag) = self.asks.pop_front() else { return };
                session.on_reject(tag, &refusal, *now)
            }
            Some('=') => {
                let Some(tag) = self.logins.pop_front() else { return };
                session.on_identity(tag, Ok(()), *now)
            }
            Some('-') => {
                let Some(tag) = self.logins.pop_front() else { return };
                session.on_identity(tag, Err(refusal), *now)
            }
            Some('p') => {
                let Ok(frame) = serde_json::from_str(text) else { return };
                let mut told = Vec::new();
                let now = *now;
                world::as_ann(false, |viewer| told = session.on_private(&frame, viewer, now));
                told
            }
            Some('u') => session.on_public(text, *now),
            Some('t') => {
                *now = session.timer().map_or(*now, |due| due.max(*now));
                session.on_timer(*now)
            }
            _ => return,
        };
        // What the venue said is passed on as it is, even when it is not JSON.
        self.take(steps, !matches!(kind, Some('u' | '>')));
    }

    fn take(&mut self, steps: Vec<Step>, ours: bool) {
        for step in steps {
            match step {
                Step::Send(text) => {
                    let read = serde_json::from_str::<serde_json::Value>(&text);
                    assert!(!ours || read.is_ok(), "the caller reads JSON: {text}");
                }
                Step::Ask { tag, from, parsed } => {
                    let known = !matches!(from, From::Nobody);
                    check(self.world, &parsed.asked, known);
                    self.asks.push_back(tag);
                }
                Step::Identify { tag, .. } => self.logins.push_back(tag),
                Step::Close { .. } | Step::Relay(_) => {}
            }
        }
    }
}
