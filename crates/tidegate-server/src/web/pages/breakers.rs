//! The circuit breakers on the page of halts: what they measure, and asking to half-open or close one that
//! tripped, which waits for the passkey of who asks.

use super::layout::{csrf, time};
use super::{Pages, Visit, asked};
use crate::admin::protocol::{BreakerPlace, BreakerStatus, Request};
use maud::{Markup, html};
use tidegate_types::request::Reply;

/// The section of the breakers.
pub(super) fn section(visit: &Visit<'_>, breakers: &[BreakerStatus], opens: bool) -> Markup {
    html! {
        h2 { "Circuit breakers" }
        p.lead { "A breaker trips by itself when what it measures reaches its limit. A person half-opens and \
            closes it." }
        @if breakers.is_empty() { section.card { "No breakers are set." } }
        @for breaker in breakers {
            section.card {
                strong { (breaker.breaker) } ": " (breaker.measures)
                div.dim.small { "trips at " (breaker.limit) " " (breaker.unit) ", stops " (breaker.stops) }
                @for place in &breaker.places { (row(visit, breaker, place, opens)) }
            }
        }
    }
}

fn row(visit: &Visit<'_>, breaker: &BreakerStatus, place: &BreakerPlace, opens: bool) -> Markup {
    let action = match place.stage.as_str() {
        "tripped" => Some(("/console/breakers/half-open", "Ask to half-open it")),
        "half-open" => Some(("/console/breakers/close", "Ask to close it")),
        _ => None,
    };
    html! {
        div.row {
            div { (place.scope) ": " (place.measured.as_deref().unwrap_or("nothing measured"))
                @if let Some(since) = place.since_ms {
                    div.dim.small { "tripped at " (place.tripped_at.as_deref().unwrap_or("?"))
                        ", stopped " (place.stopped) ", since " (time(since)) }
                } }
            @if place.stage == "closed" { span.tag.good { "closed" } }
            @else { span.tag.wait { (place.stage) } }
        }
        @if let Some((target, label)) = action.filter(|_| opens) {
            form method="post" action=(target) {
                (csrf(visit.id))
                input type="hidden" name="breaker" value=(breaker.breaker);
                input type="hidden" name="scope" value=(place.scope);
                label { "Why" input name="reason" required maxlength="200" autocomplete="off"; }
                button type="submit" { (label) }
            }
        }
    }
}

impl Pages {
    /// Asks to half-open a breaker, and leads to the request.
    pub(super) async fn half_open(&self, visit: &Visit<'_>) -> Reply {
        let (breaker, scope, reason) = sent(visit);
        self.turn(visit, Request::BreakerHalfOpen { breaker, scope, reason }).await
    }

    /// Asks to close a breaker, and leads to the request.
    pub(super) async fn close_breaker(&self, visit: &Visit<'_>) -> Reply {
        let (breaker, scope, reason) = sent(visit);
        self.turn(visit, Request::BreakerClose { breaker, scope, reason }).await
    }

    async fn turn(&self, visit: &Visit<'_>, request: Request) -> Reply {
        match self.ask(&visit.visitor, request).await {
            Ok(told) => asked(&told, "/console/halts"),
            Err(failure) => self.halts(visit, Some(&failure)).await,
        }
    }
}

fn sent(visit: &Visit<'_>) -> (String, Option<String>, String) {
    let sent = &visit.sent;
    (sent.breaker.clone(), Some(sent.scope.clone()), sent.reason.clone())
}
