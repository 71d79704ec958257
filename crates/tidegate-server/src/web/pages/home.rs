//! The first page, and what scripts ask for.

use super::halts::row;
use super::layout::{plain, time};
use super::{Pages, Visit, reply};
use crate::admin::protocol::{AccountStatus, Request, Status};
use maud::{Markup, html};
use serde_json::json;
use tidegate_types::request::Reply;

impl Pages {
    pub(super) async fn home(&self, visit: &Visit<'_>) -> Reply {
        let told = self.ask(&visit.visitor, Request::Status {}).await;
        let status = match told.map(serde_json::from_value::<Status>) {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => return plain(500, &error.to_string()),
            Err(failure) => return plain(403, &failure.message),
        };
        let (waiting, _) = self.waiting(visit);
        let closed = status.accounts.iter().filter(|account| !account.open).count();
        let content = html! {
            h1 { "Desk " (status.desk) }
            p.lead { "Running since " (time(status.started_ms)) ", version " (status.version) "." }
            div.grid {
                a.card.request href="/console/approvals" {
                    div.figure { (waiting) }
                    div.dim { "waiting for a second person" }
                }
                a.card.request href="/console/halts" {
                    div.figure.bad[!status.halts.is_empty()] { (status.halts.len()) }
                    div.dim { "halts in force" }
                }
                div.card {
                    div.figure.bad[closed > 0] { (status.accounts.len() - closed) " of " (status.accounts.len()) }
                    div.dim { "accounts open" }
                }
                div.card {
                    div.figure.bad[!status.alarms.is_empty()] { (status.alarms.len()) }
                    div.dim { "alarms nobody has seen" }
                }
            }
            @if let Some(why) = &status.journal_failed {
                (super::layout::note(&format!("The journal cannot be written: {why}"), true))
            }
            @if !status.halts.is_empty() {
                section.card {
                    h2 { "Halts" }
                    @for halt in &status.halts { (row(halt)) }
                }
            }
            @for account in &status.accounts { (account_card(account)) }
        };
        reply::html(200, self.page(visit, "Overview", &content))
    }

    /// What the pages' script asks for every few seconds.
    pub(super) async fn live(&self, visit: &Visit<'_>) -> Reply {
        let (waiting, version) = self.waiting(visit);
        reply::json(200, &json!({ "waiting": waiting, "version": version }))
    }
}

fn account_card(account: &AccountStatus) -> Markup {
    let most = |most: &Option<String>| most.clone().unwrap_or_else(|| "no limit set".to_owned());
    html! {
        section.card {
            div.row {
                h2 { (account.account) " " span.tag { (account.venue) } }
                @if account.open { span.tag.good { "open" } } @else { span.tag.bad { "closed" } }
            }
            @if !account.open { p.dim { (account.why) } }
            dl.facts {
                dt { "Open orders" } dd { (account.open_orders) }
                dt { "Worth, USD" } dd { (account.open_notional) " of " (most(&account.max_open_notional)) }
                dt { "Exposure, USD" } dd { (account.exposure) " of " (most(&account.max_exposure)) }
                dt { "Self-trades" }
                dd {
                    (account.self_trade)
                    @if let Some(owner) = &account.owner { " with all accounts of " (owner) }
                }
                dt { "Positions" }
                dd {
                    @if account.positions.is_empty() { "none" }
                    @for (instrument, qty) in &account.positions { div { (instrument) " " (qty) } }
                }
            }
        }
    }
}
