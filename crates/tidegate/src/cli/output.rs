//! What commands print and how they end: data on standard output, talk on standard error.

use serde::Serialize;
use serde_json::{Value, json};
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use tidegate_types::text::visible;

/// How a command ends that does not end well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Failed; one line says what to do.
    Failed = 1,
    /// It waits for a second person.
    Pending = 3,
    /// Bad usage.
    Usage = 64,
}

/// Why a command failed and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// A stable word for scripts.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// How the command ends.
    pub exit: Exit,
    /// More fields for the JSON object.
    pub more: Option<Box<Value>>,
}

impl Failure {
    /// A failure.
    pub fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Failure {
        let (message, hint) = (message.into(), hint.into());
        Failure { code, message, hint, exit: Exit::Failed, more: None }
    }

    /// It waits for a second person, or for who asked at the address that `told` has; `told` is what there is to
    /// print.
    pub fn pending(id: u64, told: Value) -> Failure {
        let (message, hint) = match told.get("confirm_at").and_then(Value::as_str) {
            Some(page) => (
                format!("this waits for you to confirm it by passkey, as request {id}"),
                format!("open {page}"),
            ),
            None => (
                format!("this waits for a second person, as request {id}"),
                format!("an approver carries it out with `tidegate approve {id}`"),
            ),
        };
        Failure {
            exit: Exit::Pending,
            more: Some(Box::new(told)),
            ..Failure::new("pending", message, hint)
        }
    }

    /// Bad usage.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, ..Failure::new("usage", message, hint) }
    }
}

/// Prints one object on standard output, or its text form for people. What venues, callers and people
/// wrote is in it: a terminal acts on none of it.
pub fn print<T: Serialize>(json: bool, value: &T, text: &str) {
    let mut out = std::io::stdout().lock();
    let told = match json {
        true => serde_json::to_string(value).unwrap_or_default(),
        false => text.to_owned(),
    };
    // Nobody reads it: nothing to be done about that.
    let _ = writeln!(out, "{}", visible(&told));
    let _ = out.flush();
}

/// Says something to a person on standard error; a terminal acts on none of it.
pub fn say(text: &str) {
    draw(&visible(text));
}

/// The same for a text that moves the cursor; what it shows was made [`visible`] before.
pub fn draw(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// How far something is: one line that is drawn anew on a terminal, nothing elsewhere.
#[derive(Default)]
pub struct Progress {
    shown: bool,
}

impl Progress {
    /// Says it, in the place of what was said before.
    pub fn show(&mut self, text: &str) {
        if !std::io::stderr().is_terminal() {
            return;
        }
        let up = if self.shown { "\x1b[1A\x1b[K" } else { "" };
        draw(&format!("{up}{}", visible(text)));
        self.shown = true;
    }
}

/// Asks a person at the terminal whether to go on; only `yes` is a yes.
pub fn asks_yes(question: &str) -> bool {
    say(question);
    let mut line = String::new();
    let read = std::io::stdin().lock().take(16).read_line(&mut line);
    read.is_ok() && line.trim() == "yes"
}

/// Reports a failure in the form asked for.
pub fn fail(json: bool, failure: &Failure) -> Exit {
    // No error: what was asked was taken, and is told as any answer is.
    if let (true, Exit::Pending, Some(told)) = (json, failure.exit, &failure.more) {
        print(true, told, "");
        return failure.exit;
    }
    if json {
        let error = json!({"code": failure.code, "message": failure.message, "hint": failure.hint});
        let mut object = json!({ "error": error });
        let more = failure.more.as_deref().and_then(Value::as_object);
        if let (Some(object), Some(more)) = (object.as_object_mut(), more) {
            object.extend(more.clone());
        }
        print(true, &object, "");
    } else if failure.hint.is_empty() {
        say(&format!("tidegate: {}", failure.message));
    } else {
        say(&format!("tidegate: {}; {}", failure.message, failure.hint));
    }
    failure.exit
}
