//! Callers' keys, grants and apps.

use crate::state::{Key, RegisteredApp, State};
use tidegate_types::ids::{AccountName, CallerName, VenueName};
use tidegate_types::key::Replaced;
use tidegate_types::record::Change;
use tidegate_types::time::Time;

/// Folds a change of them in.
pub(super) fn changed(state: &mut State, change: Change, now: Time) {
    match change {
        Change::KeyAdded { key, replaces } => {
            if let Some(Replaced { key, overlap }) = replaces
                && let Some(old) = state.keys.get_mut(&key)
            {
                let end = now.plus(overlap);
                let terms = &mut old.key.terms;
                terms.until = Some(terms.until.map_or(end, |until| until.min(end)));
            }
            note_ever_on(state, &key.caller, &key.account, &key.venue);
            state.keys.entry(key.id.clone()).or_insert(Key { key, revoked: false });
        }
        Change::KeyRevoked { id } => {
            if let Some(key) = state.keys.get_mut(&id) {
                key.revoked = true;
            }
        }
        Change::GrantSet { grant } => {
            note_ever_on(state, &grant.caller, &grant.account, &grant.venue);
            let grants = state.grants.entry(grant.caller.clone()).or_default();
            grants.insert(grant.account.clone(), grant);
        }
        Change::GrantRemoved { caller, account } => {
            if let Some(grants) = state.grants.get_mut(&caller) {
                grants.remove(&account);
            }
        }
        Change::AppSet { app } => {
            let registered = RegisteredApp { app: app.clone(), revoked: false };
            state.apps.insert(app.caller, registered);
        }
        Change::AppRevoked { app } => {
            if let Some(app) = state.apps.get_mut(&app) {
                app.revoked = true;
            }
        }
        _ => {}
    }
}

fn note_ever_on(state: &mut State, caller: &CallerName, account: &AccountName, venue: &VenueName) {
    let known = state.ever_on.entry(caller.clone()).or_default();
    known.entry(account.clone()).or_insert_with(|| venue.clone());
}
