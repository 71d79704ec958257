//! Letting a named person read a caller, and taking that back.

use super::layout::csrf;
use super::{Pages, Visit, asked};
use crate::admin::protocol::{Failure, Request};
use maud::{Markup, html};
use serde_json::Value;
use tidegate_core::roles::{self, Action};
use tidegate_core::state::State;
use tidegate_types::ids::{CallerName, PersonName};
use tidegate_types::request::Reply;

/// With whom a caller is shared, as far as a person may know it.
pub(super) struct Sharing {
    /// Whether the person may share it.
    shares: bool,
    /// Who reads it, for who may end that.
    readers: Option<Vec<PersonName>>,
}

impl Sharing {
    pub(super) fn of(state: &State, person: &PersonName, caller: &CallerName) -> Sharing {
        let own = state.people().get(person).is_some_and(|it| it.owns(caller));
        let told = roles::may_unshare(state, person, caller);
        Sharing {
            shares: own && roles::may(state, person, Action::CallerShare, own).is_ok(),
            readers: told.then(|| state.readers(caller).cloned().collect()),
        }
    }

    pub(super) fn show(&self, visit: &Visit<'_>, caller: &CallerName) -> Markup {
        let field = format!("share-{caller}");
        html! {
            @for reader in self.readers.iter().flatten() {
                div.row {
                    span { "Read by " strong { (reader) } }
                    form method="post" action="/console/access/unshare" {
                        (csrf(visit.id))
                        input type="hidden" name="caller" value=(caller);
                        input type="hidden" name="name" value=(reader);
                        button.danger.small type="submit" aria-label=(format!("{reader} reads {caller} no more")) {
                            "Take back"
                        }
                    }
                }
            }
            @if self.shares {
                details {
                    summary { "Share " (caller) "…" }
                    form method="post" action="/console/access/share" {
                        (csrf(visit.id))
                        input type="hidden" name="caller" value=(caller);
                        label for=(field) { "Who is to read " (caller) }
                        input id=(field) name="name" required maxlength="64" autocomplete="off"
                            autocapitalize="none" spellcheck="false";
                        p.hint { "A person of the desk. They see its orders, grants and limits, and can do nothing with it." }
                        button.plain.small type="submit" { "Ask to share it" }
                    }
                }
            }
        }
    }
}

impl Pages {
    pub(super) async fn share(&self, visit: &Visit<'_>) -> Reply {
        let (caller, person) = named(visit);
        let told = self.ask(&visit.visitor, Request::CallerShare { caller, person }).await;
        self.shared(visit, told).await
    }

    pub(super) async fn unshare(&self, visit: &Visit<'_>) -> Reply {
        let (caller, person) = named(visit);
        let told = self.ask(&visit.visitor, Request::CallerUnshare { caller, person }).await;
        self.shared(visit, told).await
    }

    async fn shared(&self, visit: &Visit<'_>, told: Result<Value, Failure>) -> Reply {
        match told {
            Ok(told) => asked(&told, "/console/access"),
            Err(failure) => self.access(visit, Some(&failure)).await,
        }
    }
}

fn named(visit: &Visit<'_>) -> (String, String) {
    (visit.sent.terms.get("caller").to_owned(), visit.sent.name.clone())
}
