//! Reads: they pass no core, but the same key, the same grant and the same signer.

use super::Desk;
use tidegate_core::send::{Sendable, unrecorded};
use tidegate_core::state::State;
use tidegate_types::call::CallBody;
use tidegate_types::ids::{AccountName, CallerName};
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;
use tidegate_vault::signer::protocol::SignAs;
use tidegate_venues::Venue;
use tidegate_venues::front::{Owned, Owners, Read};

/// A read that may go ahead.
#[derive(Debug)]
pub struct AllowedRead {
    /// The read, with the venue's ids of the order it names.
    pub read: Read,
    /// Whether the caller sees everybody's orders on the account.
    pub account_wide: bool,
}

/// Whose orders of an account are whose.
pub struct AccountOwners<'a> {
    desk: &'a Desk,
    account: &'a AccountName,
}

impl Desk {
    /// Whether a caller may read an account, and then whether all of it.
    pub fn may_read(
        &self,
        caller: &CallerName,
        account: &AccountName,
        now: Time,
    ) -> Result<bool, Reject> {
        self.look(|state| match state.grant(caller, account) {
            None => Err(Reject::new(Code::NoGrant, format!("{caller} on {account}"))),
            Some(grant) if grant.until.is_some_and(|until| until <= now) => {
                Err(Reject::new(Code::GrantExpired, ""))
            }
            Some(grant) => Ok(grant.account_wide),
        })
    }

    /// Checks a read against the caller's grant, and finds the order it names among those the
    /// caller may see.
    pub fn allow_read(
        &self,
        who: &Authenticated,
        read: Read,
        venue: &dyn Venue,
        now: Time,
    ) -> Result<AllowedRead, Reject> {
        let account_wide = self.inner().authorize_read(who, now)?.account_wide;
        let Some(name) = &read.order else { return Ok(AllowedRead { read, account_wide }) };
        let found = self.look(|state| state.find(who, name, None).map(|order| order.reference()));
        match found {
            Some(order) => Ok(AllowedRead { read: venue.with_order(read, &order), account_wide }),
            None => Err(Reject::new(Code::OrderNotFound, "")),
        }
    }

    /// Has a read or session call signed with the account's key that the desk uses.
    pub async fn sign_read(
        &self,
        account: &AccountName,
        body: CallBody,
    ) -> Result<Sendable, Reject> {
        let found = self.look(|state| {
            Some((state.accounts().get(account)?.venue.clone(), key_of(state, account)?))
        });
        let (venue, key) = found.ok_or_else(no_key)?;
        self.sign_by(account, body, SignAs { key, at: self.links.stamp(&venue) }).await
    }

    /// Has the question signed what a key of the account may do, by that key: the only thing that one signs
    /// before the desk agreed to it.
    pub async fn sign_rights(
        &self,
        account: &AccountName,
        venue: &dyn Venue,
        key: &str,
    ) -> Result<Sendable, Reject> {
        let by = SignAs { key: key.to_owned(), at: self.links.stamp(&venue.name()) };
        self.sign_by(account, venue.rights_call(), by).await
    }

    async fn sign_by(
        &self,
        account: &AccountName,
        body: CallBody,
        by: SignAs,
    ) -> Result<Sendable, Reject> {
        let signed = self.signer.sign_unrecorded(account.clone(), body, by).await?;
        unrecorded(signed)
            .map_err(|_| Reject::new(Code::SignerRefused, "the call is neither read nor session"))
    }

    /// Whose orders of this account are whose.
    pub fn owners<'a>(&'a self, account: &'a AccountName) -> AccountOwners<'a> {
        AccountOwners { desk: self, account }
    }
}

/// The id of the exchange key that the desk agreed to.
pub(super) fn key_of(state: &State, account: &AccountName) -> Option<String> {
    state.accounts().get(account)?.key.clone()
}

/// Why nothing is signed for an account without one.
pub(super) fn no_key() -> Reject {
    let why = "the desk has agreed to no exchange key of the account: `tidegate venue-key reload` asks for it";
    Reject::new(Code::SignerRefused, why)
}

impl Owners for AccountOwners<'_> {
    fn owner(&self, client_id: Option<&str>, venue_id: Option<&str>) -> Option<Owned> {
        self.desk.look(|state| {
            let order = state.owner(self.account, client_id, venue_id)?;
            let caller_id = order.request.caller_id.clone();
            order.caller.clone().map(|caller| Owned { caller, caller_id })
        })
    }
}
