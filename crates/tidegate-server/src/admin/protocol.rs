//! What the administration can ask, and what it reads: one JSON object a line on the local
//! socket, one as the body of `POST /admin/v1`.
//!
//! `{"op": "halt", "scope": "all", "reason": "…"}` is answered by `{"ok": {…}}` or by
//! `{"error": {"code": …, "message": …, "hint": …}}`. Amounts are decimal texts.

mod answer;
mod apps;
mod breakers;
mod grants;
mod keys;
mod margin;
mod options;
mod people;
mod policy;
mod status;

use serde::{Deserialize, Serialize};

pub use answer::{Closed, Failure, NotShown, OpenOrder, Remains, Response, StillHeld};
pub use apps::{AppGrantStatus, AppSpec, AppStatus};
pub use breakers::{BreakerPlace, BreakerSpec, BreakerStatus, ClockStatus};
pub use grants::{GrantSpec, LimitsSpec, RepeatSpec};
pub use keys::{KeyStatus, MadeKey, TermsSpec};
pub use margin::{MarginRow, MarginStatus};
pub use options::{OptionLimitsSpec, OptionsStatus};
pub use people::{
    ApprovalStatus, Invitation, LinkedStatus, NoticeStatus, PasskeyStatus, PersonSpec,
    PersonStatus, SessionStatus,
};
pub use policy::{
    HoldingStatus, InForce, OverrideSpec, OverrideStatus, PolicyChecked, PolicyStatus, ReleaseSpec,
    RuleStatus, Shadow, ShadowCount, UseStatus,
};
pub use status::{
    AccountStatus, AlarmStatus, CallerStatus, HaltStatus, HaltedToo, JournalStatus, LostBookStatus,
    Pids, Status, VenueFrozen, VenueLimit, VenueLimits,
};

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Tell what runs.
    Status {},
    /// Halt a scope, and answer when that is proven or the time is over.
    Halt {
        /// What: `all`, `desk:NAME`, `venue:NAME`, `account:NAME`, `caller:NAME`,
        /// `instrument:VENUE/NAME` or `order:N`, where `N` is Tidegate's number, its id at the venue
        /// (`tg…`), or `ACCOUNT/ID` with the venue's id or the caller's own.
        scope: String,
        /// Why.
        reason: String,
        /// How long to wait for the proof, in seconds.
        #[serde(default = "thirty")]
        timeout_s: u64,
        /// Orders that reduce a position still pass.
        #[serde(default)]
        allow_reduce: bool,
        /// Close the scope's positions once the halt is proven, and answer when the venue shows none.
        #[serde(default)]
        flatten: bool,
    },
    /// Lift a halt.
    Resume {
        /// Of what.
        scope: String,
        /// Why.
        reason: String,
    },
    /// Add an account at a venue.
    AccountAdd {
        /// Where.
        venue: String,
        /// What to call it.
        account: String,
        /// What it does with orders that would trade with one of the same owner: `off`, `refuse`
        /// (without a word), `cancel-old` or `decrement`.
        #[serde(default)]
        self_trade: Option<String>,
    },
    /// Say whom an account belongs to: orders of accounts of one owner are kept from trading with each other.
    AccountOwner {
        /// Which account.
        account: String,
        /// Whose; without one no other account belongs to the same owner.
        #[serde(default)]
        owner: Option<String>,
    },
    /// Set what an account does with orders that would trade with one of the same owner.
    SelfTradeSet {
        /// Which account.
        account: String,
        /// `off`, `refuse`, `cancel-old` or `decrement`.
        mode: String,
    },
    /// Take up the venue key that was imported for an account: read what it may do and start to
    /// use it.
    VenueKeyReload {
        /// Which account.
        account: String,
    },
    /// Add a caller.
    CallerAdd {
        /// Its name.
        caller: String,
    },
    /// Let a person of the desk read a caller of one's own.
    CallerShare {
        /// Which caller.
        caller: String,
        /// Who.
        person: String,
    },
    /// Have a person read a caller no more.
    CallerUnshare {
        /// Which caller.
        caller: String,
        /// Who.
        person: String,
    },
    /// Make a virtual key for a caller.
    KeyAdd {
        /// For whom.
        caller: String,
        /// For which account.
        account: String,
        /// The caller's own public key in hex, instead of a shared secret: 32 bytes of Ed25519, or a
        /// `SubjectPublicKeyInfo` in DER of Ed25519 or RSA.
        #[serde(default)]
        public: Option<String>,
        /// From where and until when it is good.
        #[serde(default)]
        terms: TermsSpec,
    },
    /// Make a virtual key that takes the place of another one, with the same terms.
    KeyRotate {
        /// Which is replaced.
        id: String,
        /// For how long it is still good, in seconds.
        overlap_s: u64,
        /// When the new one ends, in ms since 1970; needed where the old one does.
        #[serde(default)]
        until_ms: Option<u64>,
        /// The caller's own new public key, instead of a shared secret.
        #[serde(default)]
        public: Option<String>,
    },
    /// Tell the virtual keys that are not revoked.
    Keys {},
    /// Revoke a virtual key.
    KeyRevoke {
        /// Which.
        id: String,
    },
    /// Give or replace a grant.
    GrantSet(GrantSpec),
    /// Take a grant back.
    GrantRemove {
        /// Whose.
        caller: String,
        /// On which account.
        account: String,
    },
    /// Set an account's limits.
    LimitsSet(LimitsSpec),
    /// Tell the policy in force, what of it is used, the one beside it, and the overrides.
    Policy {},
    /// Tell what putting a policy in force would change.
    PolicyCheck {
        /// The policy's file.
        policy: String,
    },
    /// Put a policy in force.
    PolicySet {
        /// The policy's file.
        policy: String,
        /// Why.
        reason: String,
    },
    /// Take the policy in force away.
    PolicyRemove {
        /// Why.
        reason: String,
    },
    /// Run a policy beside the one in force, without effect.
    ShadowSet {
        /// The policy's file.
        policy: String,
        /// Why.
        reason: String,
    },
    /// Run no policy beside any more.
    ShadowRemove {
        /// Why.
        reason: String,
    },
    /// Let a single order pass soft rules.
    OverrideGive(OverrideSpec),
    /// Take an override back that was not used yet.
    OverrideTakeBack {
        /// Which.
        id: String,
    },
    /// Let executions go on that a rule stopped for being too many.
    ThrottleRelease(ReleaseSpec),
    /// Set a circuit breaker, or set it anew.
    BreakerSet(BreakerSpec),
    /// Remove a circuit breaker, tripped or not.
    BreakerRemove {
        /// Which.
        breaker: String,
    },
    /// Let few orders pass a tripped breaker, which measures anew.
    BreakerHalfOpen {
        /// Which.
        breaker: String,
        /// For what it tripped; not needed where the breaker is over one thing.
        #[serde(default)]
        scope: Option<String>,
        /// Why.
        reason: String,
    },
    /// Close a half-open breaker.
    BreakerClose {
        /// Which.
        breaker: String,
        /// For what it tripped.
        #[serde(default)]
        scope: Option<String>,
        /// Why.
        reason: String,
    },
    /// Have a closed breaker measure anew.
    BreakerReset {
        /// Which.
        breaker: String,
        /// Where.
        #[serde(default)]
        scope: Option<String>,
    },
    /// Set the limits of an account's options.
    OptionLimitsSet(OptionLimitsSpec),
    /// Take the limits of an account's options away.
    OptionLimitsRemove {
        /// Whose.
        account: String,
    },
    /// Take the alarms off the list that were raised last at this time or before.
    AlarmsSeen {
        /// In ms since 1970: `last_ms` of the newest one that was seen.
        until_ms: u64,
    },
    /// Add a person, or set its roles and callers anew.
    PersonSet(PersonSpec),
    /// Remove a person.
    PersonRemove {
        /// Who.
        person: String,
    },
    /// Register an app, or set its terms anew.
    AppSet(AppSpec),
    /// Revoke an app for good, and with it its tokens.
    AppRevoke {
        /// Which.
        app: String,
    },
    /// Tell the apps.
    Apps {},
    /// Tell what people granted to apps and is in force.
    AppGrants {},
    /// Take back what a person granted to an app, and with it the tokens under it.
    AppRevokeGrant {
        /// Which, by its id.
        grant: String,
    },
    /// Put a key or certificate out of force for good: no token bound to it is good any more, and no app
    /// proves itself by it.
    AppRevokeKey {
        /// Its thumbprint (RFC 7638), or the certificate's digest, in base64url or
        /// hex.
        key: String,
    },
    /// Make a link by which a person enrols credentials. Those that the person had before are void
    /// once it is used.
    PersonInvite {
        /// Who.
        person: String,
    },
    /// Take away what a person logs in by, end its sessions and what it granted to apps, and make a link
    /// by which it enrols anew.
    PersonReset {
        /// Who.
        person: String,
    },
    /// Tell a person's sessions in the console.
    Sessions {
        /// Whose.
        person: String,
    },
    /// End a person's sessions in the console.
    SessionsEnd {
        /// Whose.
        person: String,
        /// Which one, by its number; without one all of them.
        #[serde(default)]
        number: Option<u64>,
    },
    /// Tell the outside logins that are linked with a person.
    Linked {
        /// Whose.
        person: String,
    },
    /// Unlink a person's outside logins; their sessions end.
    Unlink {
        /// Whose.
        person: String,
        /// Those of this provider; without one all of them.
        #[serde(default)]
        issuer: Option<String>,
    },
    /// Remove a passkey of a person's, whose device is lost, and end the person's sessions.
    PasskeyRemove {
        /// Whose.
        person: String,
        /// Which, by what `sessions` calls it.
        passkey: String,
    },
    /// Tell who asks, and what that person may do.
    Me {},
    /// Tell the people.
    People {},
    /// Tell the requests for approval.
    Approvals {},
    /// Have a loosening take so many people from now on.
    ApprovalsSet {
        /// `one` or `two`.
        approvals: String,
    },
    /// By what people show from now on that they approve, and that they ask for what loosens.
    ApproveBySet {
        /// `any` or `passkey`.
        approve_by: String,
    },
    /// Approve what somebody else asked.
    Approve {
        /// Which request.
        id: u64,
        /// Its digest as it was shown, in hex.
        digest: String,
    },
    /// Deny what somebody asked, or take one's own request back.
    Deny {
        /// Which request.
        id: u64,
    },
    /// Stop the gateway in good order.
    Shutdown {},
}

fn thirty() -> u64 {
    30
}
