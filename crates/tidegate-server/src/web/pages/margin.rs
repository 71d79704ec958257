//! The margin of an account as it is counted here, and as its venue counts it.

use crate::admin;
use crate::admin::protocol::{MarginStatus, OptionsStatus};
use crate::clock;
use maud::{Markup, html};
use tidegate_core::state::State;
use tidegate_types::ids::AccountName;

/// What is known of an account's margin.
pub(super) struct Margins {
    ours: Option<OptionsStatus>,
    theirs: Option<MarginStatus>,
}

impl Margins {
    /// As it is now.
    pub(super) fn of(state: &State, account: &AccountName) -> Margins {
        Margins {
            ours: admin::options_standing(state, account),
            theirs: admin::margin_told(state, account),
        }
    }

    /// Both side by side; nothing where neither is known.
    pub(super) fn shown(&self) -> Markup {
        html! {
            @if self.ours.is_some() || self.theirs.is_some() {
                dl.facts {
                    @if let Some(ours) = &self.ours {
                        dt { "Worst scenario, counted here" }
                        dd {
                            (ours.margin) " USD"
                            @if let Some(most) = &ours.max_margin { " of at most " (most) }
                        }
                    }
                    @if let Some(theirs) = &self.theirs { (of_venue(theirs)) }
                }
            }
        }
    }
}

fn of_venue(margin: &MarginStatus) -> Markup {
    let ago = clock::now().millis().saturating_sub(margin.told_ms) / 1000;
    let usd = |figure: &Option<String>| match figure {
        Some(figure) => format!("{figure} USD"),
        None => "a currency cannot be valued".to_owned(),
    };
    html! {
        dt { "Maintenance margin by " (margin.source) }
        dd {
            (usd(&margin.maintenance)) ", told " (ago) " s ago"
            @if let Some(above) = &margin.above_ours {
                br; strong { (above) " USD more than the worst scenario counted here" }
            }
        }
        dt { "Initial margin by " (margin.source) }
        dd { (usd(&margin.initial)) " of " (usd(&margin.equity)) }
        @for row in &margin.rows {
            dt { (row.asset) @if let Some(model) = &row.model { " (" (model) ")" } }
            dd { "maintenance " (row.maintenance) ", initial " (row.initial) " of " (row.equity) }
        }
    }
}

#[cfg(test)]
mod tests;
