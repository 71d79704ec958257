//! The limits of each account, and asking for others: what lowers is done at once, what raises waits for
//! the passkey of who asks and, where the desk wants it, for a second person.

use super::layout::{csrf, plain, refusal, status_of_failure};
use super::margin::Margins;
use super::terms::{self, LIMITS};
use super::{Pages, Visit, asked, guard, reply};
use crate::admin::{
    self,
    protocol::{Failure, InForce, Request},
};
use crate::clock;
use maud::{Markup, html};
use tidegate_core::approvals::of_limits;
use tidegate_core::roles::{self, Action};
use tidegate_types::grant::AccountLimits;
use tidegate_types::ids::AccountName;
use tidegate_types::request::Reply;

const PAGE: &str = "/console/limits";
const FORM: &str = "/console/limits/change";

impl Pages {
    pub(super) fn limits(&self, visit: &Visit<'_>) -> Reply {
        let person = &visit.visitor.person;
        let accounts: Vec<(AccountName, Option<AccountLimits>, Margins)> =
            self.desk.look(|state| {
                let seen = |account: &&AccountName| roles::sees_account(state, person, account);
                let with = |name: &AccountName| {
                    let limits = state.limits().get(name).cloned();
                    (name.clone(), limits, Margins::of(state, name))
                };
                state.accounts().keys().filter(seen).map(with).collect()
            });
        let sets = self.sets_limits(visit);
        let policy =
            self.desk.look(|state| admin::policy_told(state, person, clock::now()).in_force);
        let content = html! {
            h1 { "Limits" }
            @if let Some(policy) = &policy { (policy_card(policy)) }
            p.lead { "What all callers of an account may do together." }
            @if accounts.is_empty() { section.card { "No account is yours to see." } }
            @for (account, limits, margins) in &accounts {
                section.card {
                    h2 { (account) }
                    @match limits {
                        Some(limits) => (facts(limits)),
                        None => p.dim { "No limits are set, so nothing passes." },
                    }
                    (margins.shown())
                    @if sets {
                        p { a.button.plain.small href=(format!("{FORM}?account={account}")) {
                            "Change the limits of " (account)
                        } }
                    }
                }
            }
        };
        reply::html(200, self.page(visit, "Limits", &content))
    }

    /// The form for one account, as it is or as it was sent and not taken.
    pub(super) fn limits_form(&self, visit: &Visit<'_>, failure: Option<&Failure>) -> Reply {
        if !self.sets_limits(visit) {
            return plain(403, "Limits are not yours to set.");
        }
        let named = match failure {
            Some(_) => visit.sent.terms.get("account").to_owned(),
            None => guard::query(visit.request, "account"),
        };
        let person = &visit.visitor.person;
        let found = self.desk.look(|state| {
            let account = named.parse::<AccountName>().ok()?;
            let there = state.accounts().contains_key(&account);
            (there && roles::sees_account(state, person, &account))
                .then(|| (state.limits().get(&account).cloned(), account))
        });
        let Some((limits, account)) = found else { return plain(404, "There is no such account.") };
        let start = match failure {
            Some(_) => visit.sent.terms.clone(),
            None => limits.as_ref().map(terms::of_limits).unwrap_or_default(),
        };
        let content = html! {
            p { a href=(PAGE) { "← Limits" } }
            h1 { "Limits of " (account) }
            p.lead { "What lowers is done at once. What raises waits for your passkey, and for a second person where the desk asks for two." }
            (refusal(failure))
            form.card method="post" action=(FORM) {
                (csrf(visit.id))
                input type="hidden" name="account" value=(account);
                (terms::fields(LIMITS, &start))
                button type="submit" { "Ask for these limits" }
            }
        };
        reply::html(status_of_failure(failure), self.page(visit, "Change limits", &content))
    }

    pub(super) async fn set_limits(&self, visit: &Visit<'_>) -> Reply {
        let told = match terms::read_limits(&visit.sent.terms) {
            Ok(spec) => self.ask(&visit.visitor, Request::LimitsSet(spec)).await,
            Err(failure) => Err(failure),
        };
        match told {
            Ok(told) => asked(&told, PAGE),
            Err(failure) => self.limits_form(visit, Some(&failure)),
        }
    }

    fn sets_limits(&self, visit: &Visit<'_>) -> bool {
        let person = &visit.visitor.person;
        let either = [Action::LimitsTighten, Action::LimitsLoosen];
        self.desk.look(|state| either.iter().any(|it| roles::may_ever(state, person, *it).is_ok()))
    }
}

/// The policy in force, and what of it is used; it is changed by `tidegate policy apply`.
fn policy_card(policy: &InForce) -> Markup {
    html! {
        section.card {
            h2 { "Policy " (policy.name) " v" (policy.version) }
            p.dim { "Digest " code { (policy.digest) } }
            dl.facts {
                @for rule in &policy.rules {
                    dt { (rule.rule) }
                    dd {
                        (rule.text)
                        @for used in &rule.used { br; (used.text) }
                    }
                }
            }
        }
    }
}

fn facts(limits: &AccountLimits) -> Markup {
    html! { dl.facts { @for (what, value) in of_limits(limits) { dt { (what) } dd { (value) } } } }
}
