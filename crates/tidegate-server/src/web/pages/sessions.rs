//! Where a person is logged in.

use super::layout::{csrf, note, plain, said, time};
use super::{Pages, Visit, reply, status_of};
use crate::people::Error;
use maud::html;
use tidegate_types::request::Reply;

impl Pages {
    pub(super) fn sessions(&self, visit: &Visit<'_>, error: Option<&Error>) -> Reply {
        let stale = !visit.visitor.fresh;
        let list = self.people.sessions(&visit.visitor.person);
        let content = html! {
            h1 { "Sessions" }
            p.lead { "Where you are logged in. End what you do not know, and then look at Security." }
            @if let Some(error) = error { (note(&error.to_string(), true)) }
            section.card {
                @for session in list.iter().rev() {
                    @let own = session.number == visit.visitor.number;
                    div.row {
                        div {
                            strong { (session.origin) } " "
                            @if own { span.tag.good { "this one" } }
                            div.dim.small {
                                "since " (time(session.since.millis())) ", last used " (time(session.last_seen.millis()))
                            }
                        }
                        @if !own {
                            form method="post" action="/console/sessions/end" data-fresh[stale] {
                                (csrf(visit.id))
                                input type="hidden" name="number" value=(session.number);
                                button.danger.small type="submit" { "End" }
                                (said())
                            }
                        }
                    }
                }
            }
            @if list.len() > 1 {
                form method="post" action="/console/sessions/end" data-fresh[stale] {
                    (csrf(visit.id))
                    input type="hidden" name="number" value="others";
                    button.danger type="submit" { "End all others" }
                    (said())
                }
            }
        };
        reply::html(error.map_or(200, status_of), self.page(visit, "Sessions", &content))
    }

    pub(super) async fn end_session(&self, visit: &Visit<'_>) -> Reply {
        let number = match visit.sent.number.as_str() {
            "others" => None,
            text => match text.parse() {
                Ok(number) => Some(number),
                Err(_) => return plain(400, "What was sent cannot be read."),
            },
        };
        let ended = self.people.end_own(&visit.visitor, number).await;
        match ended {
            Ok(()) => reply::redirect("/console/sessions"),
            Err(error) => self.sessions(visit, Some(&error)),
        }
    }
}
