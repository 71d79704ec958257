//! The frame of every page: head, navigation, notes; and how times are written.

use super::reply::html;
use super::{Pages, Visit, assets};
use crate::admin::protocol::Failure;
use crate::people::Error;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};
use tidegate_core::approvals::sees_request;
use tidegate_core::roles::{self, Action};
use tidegate_core::state::State;
use tidegate_identity::people::notices::Notice;
use tidegate_identity::people::sessions::csrf_token;
use tidegate_types::request::Reply;

/// Who there is: for those who may know.
const PEOPLE: &str = "/console/people";
/// The pages that the navigation leads to.
const PLACES: [(&str, &str); 9] = [
    ("/console/", "Overview"),
    ("/console/approvals", "Approvals"),
    ("/console/halts", "Halts"),
    ("/console/access", "Access"),
    ("/console/limits", "Limits"),
    ("/console/apps", "Apps"),
    (PEOPLE, "People"),
    ("/console/sessions", "Sessions"),
    ("/console/security", "Security"),
];

/// A page for somebody who is not logged in.
pub(super) fn narrow(title: &str, content: &Markup) -> Markup {
    document(title, &narrow_body(content))
}

fn narrow_body(content: &Markup) -> Markup {
    html! {
        header.bar { div.inner { (brand()) } }
        main.narrow id="main" { (content) }
    }
}

/// A page that says one thing.
pub(super) fn plain(status: u16, text: &str) -> Reply {
    let content = html! {
        h1 { "Tidegate" }
        p.lead { (text) }
        p { a href="/console/" { "To the console" } }
    };
    html(status, narrow("Tidegate", &content))
}

/// A sentence that stands out.
pub(super) fn note(text: &str, bad: bool) -> Markup {
    html! { p.note.bad[bad] role=[bad.then_some("alert")] { (text) } }
}

/// What was asked and not done, if there is something.
pub(super) fn refusal(failure: Option<&Failure>) -> Markup {
    html! {
        @if let Some(failure) = failure { (note(&format!("{}: {}", failure.message, failure.hint), true)) }
    }
}

/// Something that cannot be taken back: its button is behind a word.
pub(super) fn sure(word: &str, form: &Markup) -> Markup {
    html! { details.sure { summary { (word) "…" } (form) } }
}

/// The status of a page that tells of what was not done.
pub(super) fn status_of_failure(failure: Option<&Failure>) -> u16 {
    match failure.map(|failure| failure.code.as_str()) {
        None => 200,
        Some("forbidden" | "stale") => 403,
        Some(_) => 409,
    }
}

/// The fields of a form that bind it to its page.
pub(super) fn csrf(id: &str) -> Markup {
    html! { input type="hidden" name="csrf" value=(csrf_token(id).expose()); }
}

/// Said beside what takes a passkey where the browser runs no scripts.
pub(super) fn needs_scripts() -> Markup {
    html! { noscript { p.hint { "Passkeys need scripts, which this browser does not run here." } } }
}

/// Where a form with `data-fresh` says why it was not sent.
pub(super) fn said() -> Markup {
    html! { output.said role="status" {} }
}

/// A time in UTC.
pub(super) fn time(ms: u64) -> Markup {
    html! { time datetime=(timestamp(ms).to_string()) { (moment(ms)) } }
}

/// The same as text.
pub(super) fn moment(ms: u64) -> String {
    timestamp(ms).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

pub(super) fn timestamp(ms: u64) -> Timestamp {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.unwrap_or_default()
}

/// A page that a browser leaves at once, by itself or by its link.
pub(super) fn passing(to: &str, name: &str) -> Markup {
    let content = html! {
        h1 { "One moment" }
        p { a href=(to) { (name) } }
    };
    let onward = html! { meta http-equiv="refresh" content=(format!("0;url={to}")); };
    framed(&onward, "One moment", &narrow_body(&content))
}

impl Pages {
    /// A page of the console.
    pub(super) fn page(&self, visit: &Visit<'_>, title: &str, content: &Markup) -> Markup {
        let visitor = &visit.visitor;
        let (waiting, version) = self.waiting(visit);
        let roles: Vec<&str> = visitor.roles.iter().map(|role| role.word()).collect();
        let lists =
            |state: &State| roles::may(state, &visitor.person, Action::People, false).is_ok();
        let lists = self.desk.look(lists);
        let places = PLACES.iter().filter(|(path, _)| *path != PEOPLE || lists);
        let here = |path: &str| match path {
            "/console/" => visit.request.path == path,
            path => visit.request.path.starts_with(path),
        };
        document(
            title,
            &html! {
                a.skip href="#main" { "To the content" }
                header.bar { div.inner {
                    (brand())
                    nav aria-label="Console" { ul {
                        @for (path, name) in places {
                            li { a href=(path) aria-current=[here(path).then_some("page")] {
                                (name)
                                @if *name == "Approvals" {
                                    span.badge data-live="approvals" data-version=(version)
                                        hidden[waiting == 0] { @if waiting > 0 { (waiting) } }
                                }
                            } }
                        }
                    } }
                    form.who method="post" action="/console/logout" {
                        (csrf(visit.id))
                        span { strong { (visitor.person) } " · " (roles.join(", ")) }
                        button.plain.small type="submit" { "Log out" }
                    }
                } }
                main id="main" { (self.lacking(visit)) (self.news(visit)) (content) }
                footer { "Times are UTC. What you do here is on record." }
                script src=(assets::path("live.js")) defer {}
                script src=(assets::path("passkey.js")) defer {}
            },
        )
    }

    /// What a person's role takes who does not have it.
    fn lacking(&self, visit: &Visit<'_>) -> Markup {
        match self.people.lacks_attested(&visit.visitor) {
            true => note(&Error::NeedsAttested.to_string(), true),
            false => html! {},
        }
    }

    /// What happened to the person's logins that it has not read.
    fn news(&self, visit: &Visit<'_>) -> Markup {
        let member = self.people.credentials(&visit.visitor);
        let unread: Vec<Notice> =
            member.iter().flat_map(|member| member.notices.unread().copied()).collect();
        let Some(newest) = unread.last() else { return html! {} };
        html! {
            section.note aria-labelledby="news" {
                h2 id="news" { "Was this you?" }
                ul { @for notice in &unread { li { (time(notice.at.millis())) ": " (notice.event) } } }
                p { "If not, end your other " a href="/console/sessions" { "sessions" }
                    " and look at " a href="/console/security" { "what you log in by" } "." }
                form method="post" action="/console/security/read" {
                    (csrf(visit.id))
                    input type="hidden" name="number" value=(newest.at.millis());
                    button.plain.small type="submit" { "I have read it" }
                }
            }
        }
    }

    /// How many requests wait that this person sees, and a word that changes with the list.
    pub(super) fn waiting(&self, visit: &Visit<'_>) -> (usize, String) {
        self.desk.look(|state| {
            let seen = state
                .approvals()
                .iter()
                .filter(|request| sees_request(state, &visit.visitor.person, request));
            let (mut waiting, mut all, mut newest) = (0, 0_usize, 0);
            for request in seen {
                waiting += usize::from(request.ended.is_none());
                all += usize::from(request.ended.is_some());
                newest = request.approval.id.0;
            }
            (waiting, format!("{waiting}.{all}.{newest}"))
        })
    }
}

fn document(title: &str, body: &Markup) -> Markup {
    framed(&html! {}, title, body)
}

fn framed(head: &Markup, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                (head)
                title { (title) " · Tidegate" }
                link rel="icon" type="image/svg+xml" href=(assets::path("icon.svg"));
                link rel="stylesheet" href=(assets::path("style.css"));
            }
            body { (body) }
        }
    }
}

fn brand() -> Markup {
    html! {
        a.brand href="/console/" {
            svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="3"
                stroke-linecap="round" aria-hidden="true" {
                path d="M6 14V7a3 3 0 0 1 3-3h14a3 3 0 0 1 3 3v7" {}
                path d="M4 20c4-4 8 4 12 0s8 4 12 0" {}
                path d="M4 27c4-4 8 4 12 0s8 4 12 0" {}
            }
            "Tidegate"
        }
    }
}
