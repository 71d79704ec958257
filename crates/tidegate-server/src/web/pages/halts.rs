//! The halts in force, and asking to lift one: what is asked waits for the passkey of who asks.

use super::breakers;
use super::layout::{csrf, note, plain, time};
use super::{Pages, Visit, asked, reply};
use crate::admin::protocol::{Failure, HaltStatus, Request, Status};
use maud::{Markup, html};
use tidegate_core::roles::{self, Action};
use tidegate_core::state::State;
use tidegate_types::request::Reply;

impl Pages {
    pub(super) async fn halts(&self, visit: &Visit<'_>, failure: Option<&Failure>) -> Reply {
        let told = self.ask(&visit.visitor, Request::Status {}).await;
        let status = match told.map(serde_json::from_value::<Status>) {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => return plain(500, &error.to_string()),
            Err(failure) => return plain(403, &failure.message),
        };
        let person = &visit.visitor.person;
        let lifts = self.desk.look(|state| roles::may_ever(state, person, Action::Resume).is_ok());
        let may = |state: &State| roles::may_ever(state, person, Action::BreakerLoosen).is_ok();
        let opens = self.desk.look(may);
        let content = html! {
            h1 { "Halts" }
            p.lead { "What is halted takes no orders until somebody of risk lifts the halt." }
            @if let Some(failure) = failure {
                (note(&format!("{}: {}", failure.message, failure.hint), true))
            }
            @if status.halts.is_empty() { section.card { "Nothing is halted." } }
            @for halt in &status.halts {
                section.card {
                    (row(halt))
                    @if lifts { (lift_form(visit, halt)) }
                }
            }
            (breakers::section(visit, &status.breakers, opens))
        };
        reply::html(failure.map_or(200, |_| 409), self.page(visit, "Halts", &content))
    }

    /// Asks to lift a halt, and leads to the request, where who asks signs it.
    pub(super) async fn lift(&self, visit: &Visit<'_>) -> Reply {
        let (scope, reason) = (visit.sent.scope.clone(), visit.sent.reason.clone());
        match self.ask(&visit.visitor, Request::Resume { scope, reason }).await {
            Ok(told) => asked(&told, "/console/halts"),
            Err(failure) => self.halts(visit, Some(&failure)).await,
        }
    }
}

/// A halt in a list.
pub(super) fn row(halt: &HaltStatus) -> Markup {
    html! {
        div.row {
            div { strong { (halt.scope) } " by " (halt.by) ": " (halt.reason)
                div.dim.small { "since " (time(halt.since_ms)) }
                @for too in &halt.too {
                    div { "too by " (too.by) ": " (too.reason) " "
                        span.dim.small { "at " (time(too.at_ms)) } }
                } }
            @if halt.proven { span.tag.good { "proven" } }
            @else { span.tag.wait { (halt.left_count) " orders left" } }
        }
    }
}

fn lift_form(visit: &Visit<'_>, halt: &HaltStatus) -> Markup {
    html! {
        form method="post" action="/console/halts/lift" {
            (csrf(visit.id))
            input type="hidden" name="scope" value=(halt.scope);
            label { "Why it can be lifted"
                input name="reason" required maxlength="200" autocomplete="off"; }
            button type="submit" { "Ask to lift it" }
        }
    }
}
