//! Answers, and the headers that every one of them bears.

use super::{guard, layout, status_of};
use crate::people::Error;
use maud::Markup;
use serde_json::{Value, json};
use tidegate_types::request::Reply;

/// What a page may do: show what is ours and send to us. It is in nobody's frame and has no script in its
/// text. What breaks that is reported by the older word, which every browser knows and follows at once.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'; report-uri /console/reports";

pub(super) fn html(status: u16, page: Markup) -> Reply {
    let headers = vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())];
    Reply { status, headers, body: page.into_string().into_bytes() }
}

pub(super) fn json(status: u16, value: &Value) -> Reply {
    Reply { status, headers: Vec::new(), body: value.to_string().into_bytes() }
}

/// What a script reads of something that was done or not.
pub(super) fn told(done: Result<Value, Error>) -> Reply {
    match done {
        Ok(value) => json(200, &value),
        Err(error) => json(status_of(&error), &json!({ "error": error.to_string() })),
    }
}

/// Where a script goes from here.
pub(super) fn next(path: &str) -> Reply {
    json(200, &json!({ "next": path }))
}

/// 303: the browser asks anew by GET, and sends nothing again.
pub(super) fn redirect(to: &str) -> Reply {
    let headers = vec![
        ("location".to_owned(), to.to_owned()),
        ("content-type".to_owned(), "text/plain".to_owned()),
    ];
    Reply { status: 303, headers, body: Vec::new() }
}

/// A page that leads on by itself, as a step of our own: what is ours then gets the session's cookie,
/// which a browser that comes from another site does not send, and what is not ours is no form's target.
pub(super) fn onward(to: &str, name: &str) -> Reply {
    html(200, layout::passing(to, name))
}

/// Remembers for ten minutes where a browser goes after its login.
pub(super) fn with_place(mut reply: Reply, path: &str) -> Reply {
    let name = guard::PLACE;
    let cookie = format!("{name}={path}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=600");
    reply.headers.push(("set-cookie".to_owned(), cookie));
    reply
}

/// Forgets it.
pub(super) fn without_place(mut reply: Reply) -> Reply {
    let name = guard::PLACE;
    let cookie = format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    reply.headers.push(("set-cookie".to_owned(), cookie));
    reply
}

/// Gives a browser a cookie, until it is closed.
pub(super) fn with_cookie(mut reply: Reply, name: &str, value: &str) -> Reply {
    let cookie = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict");
    reply.headers.push(("set-cookie".to_owned(), cookie));
    reply
}

/// Lets a browser be known when it comes back from the outside provider.
pub(super) fn with_outside(mut reply: Reply, value: &str) -> Reply {
    let name = guard::OUTSIDE;
    let cookie = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=600");
    reply.headers.push(("set-cookie".to_owned(), cookie));
    reply
}

/// Forgets it.
pub(super) fn without_outside(mut reply: Reply) -> Reply {
    let name = guard::OUTSIDE;
    let cookie = format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    reply.headers.push(("set-cookie".to_owned(), cookie));
    reply
}

/// Takes the session's cookie back, and what the browser keeps of our pages.
pub(super) fn without_session(mut reply: Reply) -> Reply {
    let name = guard::SESSION;
    let cookie = format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    reply.headers.push(("set-cookie".to_owned(), cookie));
    // Not the cookies: those of a name are every port's.
    let data = r#""cache", "storage""#.to_owned();
    reply.headers.push(("clear-site-data".to_owned(), data));
    reply
}

/// Adds what every answer of the console bears, beside what the edge adds to all.
pub(super) fn guarded(mut reply: Reply) -> Reply {
    let mut add = |name: &str, value: &str| {
        if !reply.headers.iter().any(|(known, _)| known == name) {
            reply.headers.push((name.to_owned(), value.to_owned()));
        }
    };
    add("content-security-policy", POLICY);
    add("cache-control", "no-store");
    add("x-content-type-options", "nosniff");
    add("x-frame-options", "DENY");
    // Not `no-referrer`: forms would be sent without their origin.
    add("referrer-policy", "same-origin");
    add("cross-origin-opener-policy", "same-origin");
    add("cross-origin-resource-policy", "same-origin");
    add("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    reply
}
