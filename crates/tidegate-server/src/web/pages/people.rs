//! The people of the desk: who there is, links for them, and the end of their sessions.

use super::layout::{csrf, plain, refusal, said, status_of_failure, sure, time};
use super::{Pages, Visit, reply};
use crate::admin::protocol::{Failure, Invitation, PersonStatus, Request};
use maud::{Markup, html};
use tidegate_core::roles::{self, Action};
use tidegate_types::request::Reply;

impl Pages {
    pub(super) async fn everybody(&self, visit: &Visit<'_>, failure: Option<&Failure>) -> Reply {
        let people = self.listed::<PersonStatus>(visit, Request::People {}, "people").await;
        let people = match people {
            Ok(people) => people,
            Err(reply) => return reply,
        };
        let content = html! {
            h1 { "People" }
            p.lead { "Who administers this desk, what each is there for, and how they get in." }
            (refusal(failure))
            @for person in &people { (self.card(visit, person)) }
        };
        let status = status_of_failure(failure);
        reply::html(status, self.page(visit, "People", &content))
    }

    pub(super) async fn invite(&self, visit: &Visit<'_>) -> Reply {
        let request = Request::PersonInvite { person: visit.sent.name.clone() };
        let told = self.ask_anew(&visit.visitor, request).await;
        match told.map(serde_json::from_value::<Invitation>) {
            Ok(Ok(made)) => {
                let content = link(&made);
                reply::html(200, self.page(visit, "A link", &content))
            }
            Ok(Err(error)) => plain(500, &error.to_string()),
            Err(failure) => self.everybody(visit, Some(&failure)).await,
        }
    }

    pub(super) async fn log_person_out(&self, visit: &Visit<'_>) -> Reply {
        let request = Request::SessionsEnd { person: visit.sent.name.clone(), number: None };
        match self.ask(&visit.visitor, request).await {
            Ok(_) => reply::redirect("/console/people"),
            Err(failure) => self.everybody(visit, Some(&failure)).await,
        }
    }

    fn card(&self, visit: &Visit<'_>, person: &PersonStatus) -> Markup {
        let by = &visit.visitor.person;
        let own = person.person == by.as_str();
        let may = |action| self.desk.look(|state| roles::may(state, by, action, own).is_ok());
        let form = |to: &str, fresh: bool, class: &str, text: &str| {
            html! {
                form method="post" action=(format!("/console/people/{to}")) data-fresh[fresh] {
                    (csrf(visit.id))
                    input type="hidden" name="name" value=(person.person);
                    button class=(class) type="submit" { (text) }
                    (said())
                }
            }
        };
        html! {
            section.card {
                div.row {
                    h2 { (person.person) }
                    span { @for role in &person.roles { span.tag { (role) } " " } }
                }
                dl.facts {
                    @if !person.owns.is_empty() { dt { "Owns" } dd { (person.owns.join(", ")) } }
                    @if !person.reads.is_empty() { dt { "Reads" } dd { (person.reads.join(", ")) } }
                    dt { "Enrolled" }
                    dd { @match person.enrolled_ms { Some(at) => (time(at)), None => "not yet" } }
                    @if let Some(until) = person.link_until_ms {
                        dt { "Open link" } dd { "good until " (time(until)) }
                    }
                }
                div.actions {
                    @if may(Action::PersonInvite) {
                        (sure("Give a link", &form("invite", true, "plain small", "Make a link to enrol anew")))
                    }
                    @if may(Action::SessionsEnd) && person.enrolled_ms.is_some() {
                        (sure("Log out", &form("logout", false, "danger small", "End every session")))
                    }
                }
            }
        }
    }
}

/// A link that is shown this once.
fn link(made: &Invitation) -> Markup {
    html! {
        h1 { "A link for " (made.person) }
        p.lead { "Hand it over in a way that reaches nobody else. It is good once, until " (time(made.until_ms)) "." }
        @if let Some(id) = made.pending {
            p.note { "It works once somebody else has approved "
                a href=(format!("/console/approvals/{id}")) { "request " (id) } "." }
        }
        pre.statement id="link" { (made.link) }
        p { a.button href="/console/people" { "I have it" } }
    }
}
