//! Asking for a grant: giving one, widening or narrowing it, and taking it back.

use super::layout::{csrf, plain, refusal, status_of_failure, sure};
use super::terms::{self, GRANT};
use super::{Pages, Visit, asked, guard, reply};
use crate::admin::protocol::{Failure, Request};
use maud::{Markup, html};
use tidegate_core::roles::{self, Action};
use tidegate_core::state::State;
use tidegate_types::grant::Grant;
use tidegate_types::ids::{AccountName, CallerName, PersonName};
use tidegate_types::request::Reply;

const PAGE: &str = "/console/access";
pub(super) const FORM: &str = "/console/access/grant";

/// What of a caller's grants a person may ask for.
#[derive(Clone, Copy)]
pub(super) struct Asks {
    /// To give and widen them.
    pub(super) gives: bool,
    /// To narrow them and take them back.
    pub(super) narrows: bool,
}

impl Asks {
    pub(super) fn of(state: &State, person: &PersonName, caller: &CallerName) -> Asks {
        let own = state.people().get(person).is_some_and(|it| it.owns(caller));
        let may = |action| roles::may(state, person, action, own).is_ok();
        Asks { gives: may(Action::GrantLoosen), narrows: may(Action::GrantTighten) }
    }
}

/// The grant that a form is about.
struct Subject {
    caller: CallerName,
    /// What it holds, if something.
    grant: Option<Grant>,
    /// The accounts on which it has none.
    free: Vec<AccountName>,
    asks: Asks,
}

impl Pages {
    /// The form for one grant, as it is or as it was sent and not taken.
    pub(super) fn grant_form(&self, visit: &Visit<'_>, failure: Option<&Failure>) -> Reply {
        let named = |name: &str| match failure {
            Some(_) => visit.sent.terms.get(name).to_owned(),
            None => guard::query(visit.request, name),
        };
        let (caller, account) = (named("caller"), named("account"));
        let person = &visit.visitor.person;
        let found = self.desk.look(|state| subject(state, person, (&caller, &account)));
        let Some(subject) = found else { return plain(404, "There is no such grant.") };
        let Asks { gives, narrows } = subject.asks;
        if !(gives || narrows && subject.grant.is_some()) {
            return plain(403, "Its grants are not yours to set.");
        }
        let start = match (failure, &subject.grant) {
            (Some(_), _) => visit.sent.terms.clone(),
            (None, Some(grant)) => terms::of_grant(grant),
            (None, None) => terms::new_grant(&caller, &account),
        };
        let content = html! {
            p { a href=(PAGE) { "← Access" } }
            h1 {
                @match &subject.grant {
                    Some(grant) => { "Grant of " (grant.caller) " on " (grant.account) }
                    None => { "A grant for " (subject.caller) }
                }
            }
            p.lead {
                "What narrows is done at once. "
                @if gives { "What widens waits for your passkey, and for a second person where the desk asks for two." }
                @else { "To widen it is not yours to ask." }
            }
            (refusal(failure))
            form.card method="post" action=(FORM) {
                (csrf(visit.id))
                input type="hidden" name="caller" value=(subject.caller);
                (account_field(&subject, start.get("account")))
                (terms::fields(GRANT, &start))
                button type="submit" { "Ask for this grant" }
            }
            @if let Some(grant) = subject.grant.as_ref().filter(|_| narrows) {
                (sure("Take it back", &removal(visit, grant)))
            }
        };
        reply::html(status_of_failure(failure), self.page(visit, "Grant", &content))
    }

    pub(super) async fn set_grant(&self, visit: &Visit<'_>) -> Reply {
        let told = match terms::read_grant(&visit.sent.terms) {
            Ok(spec) => self.ask(&visit.visitor, Request::GrantSet(spec)).await,
            Err(failure) => Err(failure),
        };
        match told {
            Ok(told) => asked(&told, PAGE),
            Err(failure) => self.grant_form(visit, Some(&failure)),
        }
    }

    pub(super) async fn remove_grant(&self, visit: &Visit<'_>) -> Reply {
        let terms = &visit.sent.terms;
        let (caller, account) = (terms.get("caller").to_owned(), terms.get("account").to_owned());
        let told = self.ask(&visit.visitor, Request::GrantRemove { caller, account }).await;
        match told {
            Ok(told) => asked(&told, PAGE),
            Err(failure) => self.access(visit, Some(&failure)).await,
        }
    }
}

/// What a caller holds on an account, for who sees the caller; on none where none is named yet.
fn subject(state: &State, person: &PersonName, named: (&str, &str)) -> Option<Subject> {
    let caller = named.0.parse::<CallerName>().ok()?;
    if !state.callers().contains_key(&caller) || !roles::sees(state, person, &caller) {
        return None;
    }
    let grant = match named.1 {
        "" => None,
        account => state.grant(&caller, &account.parse().ok()?).cloned(),
    };
    let free = |account: &&AccountName| {
        state.grant(&caller, account).is_none() && roles::sees_account(state, person, account)
    };
    let free = state.accounts().keys().filter(free).cloned().collect();
    let asks = Asks::of(state, person, &caller);
    Some(Subject { caller, grant, free, asks })
}

/// Which account it is on: that of the grant there is, or one of those without.
fn account_field(subject: &Subject, chosen: &str) -> Markup {
    html! {
        @match &subject.grant {
            Some(grant) => { input type="hidden" name="account" value=(grant.account); }
            None => {
                label for="account" { "Account" }
                select id="account" name="account" {
                    @for account in &subject.free {
                        option value=(account) selected[account.as_str() == chosen] { (account) }
                    }
                }
            }
        }
    }
}

fn removal(visit: &Visit<'_>, grant: &Grant) -> Markup {
    html! {
        form method="post" action="/console/access/grant/remove" {
            (csrf(visit.id))
            input type="hidden" name="caller" value=(grant.caller);
            input type="hidden" name="account" value=(grant.account);
            p.hint { "From then on " (grant.caller) " may do nothing on " (grant.account) "." }
            button.danger.small type="submit" { "Take the grant back" }
        }
    }
}
