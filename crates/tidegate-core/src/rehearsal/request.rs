//! A request as records tell of it.

use super::Verdict;
use crate::state::State;
use std::sync::Arc;
use tidegate_types::call::CallBody;
use tidegate_types::ids::{AccountName, CallerName, KeyId, OrderId, Seq};
use tidegate_types::order::{AmendOrder, Intent, OrderName};
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Body, Record};
use tidegate_types::time::Time;

/// What somebody asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Who.
    pub caller: CallerName,
    /// On which account.
    pub account: AccountName,
    /// By which key, if that is on record.
    pub key: Option<KeyId>,
    /// By which token. What it allows is not on record: its app's grant stands for it.
    pub token: Option<KeyId>,
    /// What.
    pub intent: Intent,
}

impl Request {
    /// What a record says was asked, and what was made of it; `None` if it is no order's or amend's.
    /// `before` are the records that belong to it.
    pub fn of(
        state: &State,
        before: &[(Seq, Record)],
        record: &Record,
    ) -> Option<(Request, Verdict)> {
        let (caller, account, intent, verdict) = match &record.body {
            Body::Cleared { caller, account, request, decision, .. } => {
                let order = Box::new(request.clone());
                let verdict = Verdict::Cleared { order, decision: Box::new(decision.clone()) };
                (caller, account.clone(), Intent::New { order: request.clone() }, verdict)
            }
            Body::AmendCleared { order, caller, body, decision, .. } => {
                let known = state.orders.get(*order)?;
                let amend = amend(*order, body)?;
                let becomes = amend.applied_to(&known.request);
                let (order, decision) = (Box::new(becomes), Box::new(decision.clone()));
                let verdict = Verdict::Cleared { order, decision };
                (caller, known.account.clone(), Intent::Amend { amend }, verdict)
            }
            Body::Refused {
                caller: Some(caller),
                account: Some(account),
                intent: Some(intent),
                reject,
                decision,
            } => {
                let (reject, decision) = (reject.clone(), Box::new(decision.clone()));
                (caller, account.clone(), intent.clone(), Verdict::Refused { reject, decision })
            }
            _ => return None,
        };
        let (key, token) = shown(before);
        let caller = caller.clone();
        Some((Request { caller, account, key, token, intent }, verdict))
    }

    /// Whom the record names. The key is the one on record, or one of the caller's that is good.
    pub(crate) fn who(&self, state: &State, now: Time) -> Option<Authenticated> {
        let venue = state.accounts.get(&self.account)?.venue.clone();
        let (caller, account) = (self.caller.clone(), self.account.clone());
        if let Some(token) = &self.token {
            let who = Authenticated::of_record(caller, token.clone(), venue, account);
            let allows = state.grant(&self.caller, &self.account);
            return Some(match allows {
                Some(grant) => {
                    let subject = Arc::from(self.caller.as_str());
                    who.by_token(Arc::new(grant.clone()), subject)
                }
                None => who,
            });
        }
        let its = state.keys.values().filter(|key| {
            key.key.caller == self.caller && key.key.account == self.account && !key.revoked
        });
        let good =
            its.filter(|key| key.key.terms.in_time(now).is_ok()).map(|key| &key.key.id).next();
        // By none of its own it is refused, as nobody's.
        let key = self.key.as_ref().or(good).cloned();
        let key = key.or_else(|| KeyId::new(self.caller.as_str()).ok())?;
        Some(Authenticated::of_record(caller, key, venue, account))
    }
}

/// The key or token that the records before a request name.
fn shown(before: &[(Seq, Record)]) -> (Option<KeyId>, Option<KeyId>) {
    let mut shown = (None, None);
    for (_, record) in before {
        match &record.body {
            Body::BySignature { key, .. } => shown.0 = Some(key.clone()),
            Body::ByToken { token, .. } | Body::RefusedByToken { token, .. } => {
                shown.1 = Some(token.clone());
            }
            _ => {}
        }
    }
    shown
}

fn amend(order: OrderId, body: &CallBody) -> Option<AmendOrder> {
    let CallBody::Amend { qty, price, trigger_price, post_only, reduce_only, .. } = body else {
        return None;
    };
    Some(AmendOrder {
        order: OrderName::Own { id: order },
        instrument: None,
        side: None,
        qty: Some(*qty),
        price: *price,
        trigger_price: *trigger_price,
        post_only: *post_only,
        reduce_only: *reduce_only,
        valid_until: None,
    })
}
