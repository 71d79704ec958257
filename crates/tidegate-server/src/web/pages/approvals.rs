//! Requests that wait for a second person, and the page on which one is approved.

use super::layout::{csrf, note, plain, time};
use super::{Pages, Visit, reply};
use crate::admin::bytes_of;
use crate::admin::protocol::{ApprovalStatus, Failure, Request};
use crate::people::Error;
use maud::{Markup, html};
use serde_json::Value;
use tidegate_core::roles::{self, Action};
use tidegate_types::approval::Showing;
use tidegate_types::record::Approvals as Mode;
use tidegate_types::request::Reply;

/// Most requests shown that ended.
const ENDED: usize = 20;

impl Pages {
    pub(super) async fn approvals(&self, visit: &Visit<'_>) -> Reply {
        let requests = match self.requests(visit).await {
            Ok(requests) => requests,
            Err(reply) => return reply,
        };
        let (waiting, ended): (Vec<_>, Vec<_>) =
            requests.iter().rev().partition(|request| request.stage == "waiting");
        let content = html! {
            div data-reload {
                h1 { "Approvals" }
                p.lead { "What loosens something waits here for a second person." }
                @if waiting.is_empty() { section.card { "Nothing waits." } }
                @for request in waiting { (entry(request)) }
                @if !ended.is_empty() {
                    h2 { "Ended" }
                    @for request in ended.into_iter().take(ENDED) { (entry(request)) }
                }
            }
        };
        reply::html(200, self.page(visit, "Approvals", &content))
    }

    pub(super) async fn approval(&self, visit: &Visit<'_>, failure: Option<&Failure>) -> Reply {
        let request = match self.request(visit).await {
            Ok(request) => request,
            Err(reply) => return reply,
        };
        let own = request.by == visit.visitor.person.as_str();
        let may = |action| {
            let person = &visit.visitor.person;
            let own = if action == Action::Approve { request.yours } else { own };
            self.desk.look(|state| roles::may(state, person, action, own).is_ok())
        };
        let waits = request.stage == "waiting";
        let two = self.desk.look(|state| state.approvals_needed()) == Mode::Two;
        let content = html! {
            p { a href="/console/approvals" { "← Approvals" } }
            h1 { "Request " (request.id) " " (tag(&request)) }
            p.lead { "Asked by " strong { (request.by) } " on " (time(request.asked_ms)) "." }
            @if let Some(failure) = failure {
                (note(&format!("{}: {}", failure.message, failure.hint), true))
            }
            section.card {
                h2 { "What it does" }
                pre.statement id="statement" { (request.statement) }
                dl.facts {
                    dt { "Digest" } dd { code id="digest" { (request.digest) } }
                    @if waits { dt { "Good until" } dd { (time(request.until_ms)) } }
                    @if let Some(at) = request.ended_ms { dt { "Ended" } dd { (time(at)) } }
                    @if let Some(by) = &request.ended_by { dt { "By" } dd { (by) } }
                    @if let Some(factor) = &request.confirmed_by { dt { "Confirmed by" } dd { (factor) } }
                    @if let Some(factor) = &request.factor { dt { "Shown by" } dd { (factor) } }
                    @if let Some(why) = &request.why { dt { "Why" } dd { (why) } }
                }
            }
            @if waits {
                div.actions {
                    @if request.to_confirm && request.asked_by_you {
                        (approve_form(visit, &request, "Confirm with your passkey"))
                    } @else if may(Action::Approve) && !request.to_confirm {
                        (approve_form(visit, &request, "Approve with your passkey"))
                    }
                    @if may(Action::Deny) {
                        form method="post" action=(format!("/console/approvals/{}/deny", request.id)) {
                            (csrf(visit.id))
                            button.danger type="submit" { @if own { "Take back" } @else { "Deny" } }
                        }
                    }
                }
                (who_is_next(&request, two))
            }
        };
        let status = failure.map_or(200, |_| 409);
        reply::html(status, self.page(visit, &format!("Request {}", request.id), &content))
    }

    /// What the browser signs: the digest of the request, which must be the one that the page shows.
    pub(super) async fn approve_options(&self, visit: &Visit<'_>) -> Reply {
        match self.shown_digest(visit).await {
            Ok(digest) => reply::told(self.people.ask_signature(&visit.visitor, visit.id, digest)),
            Err(reply) => reply,
        }
    }

    pub(super) async fn approve(&self, visit: &Visit<'_>) -> Reply {
        let digest = match self.shown_digest(visit).await {
            Ok(digest) => digest,
            Err(reply) => return reply,
        };
        let Some(answer) = &visit.sent.answer else { return reply::told(Err(Error::Wrong)) };
        let (visitor, what) = (&visit.visitor, (visit.number, digest));
        let factor = match self.people.take_signature(visitor, visit.id, what, answer).await {
            Ok(factor) => factor,
            Err(error) => return reply::told(Err(error)),
        };
        let request = Request::Approve { id: visit.number, digest: visit.sent.digest.clone() };
        match self.ask_as(visitor, (Showing::Later, Some(factor)), request).await {
            Ok(_) => reply::next(&format!("/console/approvals/{}", visit.number)),
            Err(failure) => refused(&failure),
        }
    }

    pub(super) async fn deny(&self, visit: &Visit<'_>) -> Reply {
        match self.ask(&visit.visitor, Request::Deny { id: visit.number }).await {
            Ok(_) => reply::redirect(&format!("/console/approvals/{}", visit.number)),
            Err(failure) => self.approval(visit, Some(&failure)).await,
        }
    }

    /// The digest of the request, if it is what the page showed and the person may approve it.
    async fn shown_digest(&self, visit: &Visit<'_>) -> Result<[u8; 32], Reply> {
        let request = self.request(visit).await?;
        let (person, own) = (&visit.visitor.person, request.yours);
        let may = self.desk.look(|state| roles::may(state, person, Action::Approve, own));
        let confirms = request.to_confirm && request.asked_by_you;
        if let (false, Err(refusal)) = (confirms, may) {
            self.note_refusal(visit.request, Some(person), &refusal.to_string());
            return Err(reply::json(403, &serde_json::json!({ "error": refusal.to_string() })));
        }
        match bytes_of(&request.digest) {
            Some(digest) if request.digest == visit.sent.digest => Ok(digest),
            _ => Err(reply::told(Err(Error::OtherStatement))),
        }
    }

    async fn request(&self, visit: &Visit<'_>) -> Result<ApprovalStatus, Reply> {
        let mut requests = self.requests(visit).await?.into_iter();
        let found = requests.find(|request| request.id == visit.number);
        found.ok_or_else(|| plain(404, "There is no such request."))
    }

    async fn requests(&self, visit: &Visit<'_>) -> Result<Vec<ApprovalStatus>, Reply> {
        self.listed(visit, Request::Approvals {}, "requests").await
    }
}

fn refused(failure: &Failure) -> Reply {
    let error: Value = format!("{}: {}", failure.message, failure.hint).into();
    let status = if failure.code == "forbidden" { 403 } else { 409 };
    reply::json(status, &serde_json::json!({ "error": error }))
}

/// For whom a request waits.
fn who_is_next(request: &ApprovalStatus, two: bool) -> Markup {
    let text = match (request.to_confirm, request.asked_by_you, two) {
        (true, true, true) => "You confirm it first; then somebody else has to approve it.",
        (true, true, false) => "It is carried out once you confirm it.",
        (true, false, _) => "Who asked has to confirm it first.",
        (false, _, _) if request.yours => "Somebody else has to approve it.",
        (false, _, _) => return html! {},
    };
    html! { p.hint { (text) } }
}

fn approve_form(visit: &Visit<'_>, request: &ApprovalStatus, text: &str) -> Markup {
    let at = format!("/console/approvals/{}", request.id);
    html! {
        form data-passkey="show" data-options=(format!("{at}/options"))
            method="post" action=(format!("{at}/approve")) {
            (csrf(visit.id))
            input type="hidden" name="digest" value=(request.digest);
            button type="submit" { (text) }
            output role="status" {}
        }
    }
}

fn entry(request: &ApprovalStatus) -> Markup {
    let first = request.statement.lines().next().unwrap_or_default();
    html! {
        a.card.request href=(format!("/console/approvals/{}", request.id)) {
            div.row { strong { (first) } (tag(request)) }
            div.dim.small { "by " (request.by) ", " (time(request.asked_ms)) }
        }
    }
}

fn tag(request: &ApprovalStatus) -> Markup {
    html! {
        span.tag.good[request.stage == "carried-out"].wait[request.stage == "waiting"]
            .bad[request.stage == "denied" || request.stage == "spoiled"] { (request.stage) }
    }
}
