//! A story as lines of text and as an object.

use serde_json::{Value, json};
use std::fmt::Write as _;
use tidegate_core::story::{Happening, Held, Passage, Story};
use tidegate_types::time::Time;

/// The story as an object; the gates are an array in their order.
pub fn json(story: &Story) -> Value {
    json!({
        "record": story.seq.0,
        "at_ms": story.at.millis(),
        "order": story.order.map(|order| order.0),
        "client_id": story.client_id.as_ref().map(|id| id.as_str()),
        "caller": story.caller.as_ref().map(|caller| caller.as_str()),
        "account": story.account.as_ref().map(|account| account.as_str()),
        "asked": story.asked,
        "gates": story.gates.iter().map(gate).collect::<Vec<_>>(),
        "life": story.life.iter().map(happening).collect::<Vec<_>>(),
        "standing": story.standing,
    })
}

fn gate(passage: &Passage) -> Value {
    json!({
        "gate": passage.gate.word(),
        "passed": passage.passed,
        "said": passage.said,
        "held": passage.held.iter().map(held).collect::<Vec<_>>(),
    })
}

fn happening(happened: &Happening) -> Value {
    json!({
        "record": happened.seq.0,
        "at_ms": happened.at.millis(),
        "what": happened.what,
        "said": happened.said,
        "held": happened.held.iter().map(held).collect::<Vec<_>>(),
    })
}

fn held(held: &Held) -> Value {
    json!({
        "rule": held.rule,
        "of": held.of,
        "version": held.version,
        "measured": held.measured,
        "limit": held.limit,
        "unit": held.unit.trim(),
        "distance": held.distance,
        "kept": held.kept,
        "text": held.to_string(),
    })
}

/// The story as lines.
pub fn text(story: &Story) -> String {
    let mut out = String::new();
    let who = match (&story.caller, &story.account) {
        (Some(caller), Some(account)) => format!("{caller} on {account}"),
        (None, Some(account)) => format!("Tidegate on {account}"),
        (Some(caller), None) => caller.to_string(),
        (None, None) => "somebody".to_owned(),
    };
    let what = story.order.map_or("refusal".to_owned(), |order| format!("order {order}"));
    let _ = writeln!(out, "{what}, {}: {who} asked: {}", clock(story.at), story.asked);
    for passage in &story.gates {
        let mark = if passage.passed { "✓" } else { "✗" };
        let _ = writeln!(out, "{mark} {}", passage.gate.word());
        for line in &passage.said {
            let _ = writeln!(out, "    {line}");
        }
        lines(&mut out, &passage.held);
    }
    for happened in &story.life {
        let Happening { seq, at, what, said, held } = happened;
        let _ = writeln!(out, "{} {what}: {said} (record {seq})", clock(*at));
        lines(&mut out, held);
    }
    let _ = write!(out, "= {}", story.standing);
    out
}

fn lines(out: &mut String, all: &[Held]) {
    for held in all {
        let mark = if held.kept { ' ' } else { '!' };
        let _ = writeln!(out, "  {mark} {held}");
    }
}

fn clock(at: Time) -> String {
    let micros = i64::try_from(at.micros()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| "?".to_owned(), |at| at.to_string())
}
