//! What commands print and how they end: data on standard output, talk on standard error.

use serde::Serialize;
use serde_json::{Value, json};
use std::io::Write as _;

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

    /// It waits for a second person; `told` is what there is to print.
    pub fn pending(id: u64, told: Value) -> Failure {
        Failure {
            exit: Exit::Pending,
            more: Some(Box::new(told)),
            ..Failure::new(
                "pending",
                format!("this waits for a second person, as request {id}"),
                format!("an approver carries it out with `tidegate approve {id}`"),
            )
        }
    }

    /// Bad usage.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, ..Failure::new("usage", message, hint) }
    }
}

/// Prints one object on standard output, or its text form for people.
pub fn print<T: Serialize>(json: bool, value: &T, text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = if json {
        serde_json::to_writer(&mut out, value).map_err(Into::into).and_then(|()| writeln!(out))
    } else {
        writeln!(out, "{text}")
    };
    let _ = out.flush();
}

/// Says something to a person on standard error.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
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
