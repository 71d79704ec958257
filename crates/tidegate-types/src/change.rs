//! What the administration changes.

use crate::app::App;
use crate::breaker::{Breaker, BreakerId};
use crate::codec_enum;
use crate::grant::{AccountLimits, Grant, Scope, VirtualKey};
use crate::ids::{AccountName, CallerName, DeskName, KeyId, OwnerName, PersonName, VenueName};
use crate::ids::{ExceptionId, InstrumentId, RuleId};
use crate::key::Replaced;
use crate::options::OptionLimits;
use crate::order::Side;
use crate::person::Person;
use crate::policy::{Exception, Policy};
use crate::self_trade::SelfTradeMode;
use crate::time::Time;

/// How many people a loosening takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Approvals {
    /// One; the desk says so.
    One,
    /// Two.
    Two,
}
codec_enum!(Approvals { 0 => One, 1 => Two });

/// By what people show that they approve, and that they ask for what loosens.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum ApproveBy {
    /// By whatever the door they come through shows.
    #[default]
    Any,
    /// By a passkey's signature over the digest of the request, and by nothing else.
    Passkey,
}
codec_enum!(ApproveBy { 0 => Any, 1 => Passkey });

/// A change of the administration's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// The desk was set up.
    DeskSet {
        /// Its name.
        desk: DeskName,
        /// How many people a loosening takes.
        approvals: Approvals,
    },
    /// An account was added.
    AccountAdded {
        /// Where.
        venue: VenueName,
        /// What the desk calls it.
        account: AccountName,
    },
    /// A venue key was imported for an account.
    VenueKeyImported {
        /// Which account.
        account: AccountName,
        /// The key's public id.
        key: String,
        /// What the venue says it may do.
        rights: Vec<String>,
    },
    /// A caller was added.
    CallerAdded {
        /// Who.
        caller: CallerName,
    },
    /// A virtual key was made.
    KeyAdded {
        /// Its public part.
        key: VirtualKey,
        /// The key that it takes the place of.
        replaces: Option<Replaced>,
    },
    /// A virtual key was revoked.
    KeyRevoked {
        /// Which.
        id: KeyId,
    },
    /// A grant was given or replaced (one per caller and account).
    GrantSet {
        /// The grant.
        grant: Grant,
    },
    /// A grant was taken back.
    GrantRemoved {
        /// Whose.
        caller: CallerName,
        /// On which account.
        account: AccountName,
    },
    /// An account's limits were set.
    LimitsSet {
        /// The limits.
        limits: AccountLimits,
    },
    /// Somebody has seen the alarms raised at this time and before.
    AlarmsSeen {
        /// The newest of them.
        until: Time,
    },
    /// A person was added, or its roles and callers were set anew.
    PersonSet {
        /// The person.
        person: Person,
    },
    /// A person was removed.
    PersonRemoved {
        /// Who.
        person: PersonName,
    },
    /// From now on a loosening takes so many people.
    ApprovalsSet {
        /// How many.
        approvals: Approvals,
    },
    /// From now on approving, and asking for what loosens, takes this.
    ApproveBySet {
        /// What.
        approve_by: ApproveBy,
    },
    /// An app was registered, or its terms were set anew.
    AppSet {
        /// The app.
        app: App,
    },
    /// An app is no more, nor are its tokens. Its name is never an app's again.
    AppRevoked {
        /// Which.
        app: CallerName,
    },
    /// A link was given out by which a person enrols credentials; one that it had before is good no
    /// more.
    PersonInvited {
        /// Who.
        person: PersonName,
        /// SHA-256 of the link's secret.
        link: [u8; 32],
        /// When the link lapses.
        until: Time,
    },
    /// A caller's owner lets a person read it.
    CallerShared {
        /// Which caller.
        caller: CallerName,
        /// Who reads it from now on.
        person: PersonName,
    },
    /// A person reads a caller of somebody else's no more.
    CallerUnshared {
        /// Which caller.
        caller: CallerName,
        /// Who.
        person: PersonName,
    },
    /// An account belongs to this owner; orders of accounts of one owner are kept from trading with each other.
    OwnerSet {
        /// Which account.
        account: AccountName,
        /// Whose; none: nobody else's account belongs to the same owner.
        owner: Option<OwnerName>,
    },
    /// What an account does with an order that would trade with one of the same owner. It may be set before
    /// the account is added.
    SelfTradeSet {
        /// Which account.
        account: AccountName,
        /// What.
        mode: SelfTradeMode,
    },
    /// A circuit breaker was set, or set anew.
    BreakerSet {
        /// The breaker.
        breaker: Breaker,
    },
    /// A circuit breaker is no more, tripped or not.
    BreakerRemoved {
        /// Which.
        breaker: BreakerId,
    },
    /// A tripped breaker lets few orders pass, and measures anew.
    BreakerHalfOpened {
        /// Which.
        breaker: BreakerId,
        /// Where.
        scope: Scope,
        /// Why.
        reason: String,
    },
    /// A half-open breaker stops nothing any more.
    BreakerClosed {
        /// Which.
        breaker: BreakerId,
        /// Where.
        scope: Scope,
        /// Why.
        reason: String,
    },
    /// A breaker that is closed measures anew from here on.
    BreakerReset {
        /// Which.
        breaker: BreakerId,
        /// Where.
        scope: Scope,
    },
    /// The limits of an account's options were set.
    OptionLimitsSet {
        /// The limits.
        limits: OptionLimits,
    },
    /// The limits of an account's options were taken away.
    OptionLimitsRemoved {
        /// Whose.
        account: AccountName,
    },
    /// A policy came into force, in place of the one before. Read from older journals, which did not say why; now
    /// `PolicyPut` is written.
    PolicySet {
        /// The policy.
        policy: Box<Policy>,
    },
    /// No policy is in force any more. Read from older journals; now `PolicyTaken` is written.
    PolicyRemoved,
    /// A policy came into force, in place of the one before.
    PolicyPut {
        /// The policy.
        policy: Box<Policy>,
        /// Why.
        reason: String,
    },
    /// No policy is in force any more.
    PolicyTaken {
        /// Why.
        reason: String,
    },
    /// A policy runs beside the one in force, and only tells what it would refuse.
    ShadowPut {
        /// The policy.
        policy: Box<Policy>,
        /// Why.
        reason: String,
    },
    /// No policy runs beside any more.
    ShadowTaken {
        /// Why.
        reason: String,
    },
    /// As `ShadowPut`. Read from older journals, which did not say why.
    ShadowSet {
        /// The policy.
        policy: Box<Policy>,
    },
    /// As `ShadowTaken`. Read from older journals.
    ShadowRemoved,
    /// A single order may pass soft rules.
    OverrideSet {
        /// Which, and why.
        exception: Exception,
    },
    /// It may not any more.
    OverrideRemoved {
        /// Which.
        id: ExceptionId,
    },
    /// What executed too often may trade again; it is counted anew.
    ThrottleFreed {
        /// By which rule it was stopped.
        rule: RuleId,
        /// Whose.
        caller: CallerName,
        /// In what.
        instrument: InstrumentId,
        /// Buy or sell.
        side: Side,
        /// Why.
        reason: String,
    },
    /// As `ThrottleFreed`. Read from older journals, which did not say why.
    ThrottleReleased {
        /// By which rule it was stopped.
        rule: RuleId,
        /// Whose.
        caller: CallerName,
        /// In what.
        instrument: InstrumentId,
        /// Buy or sell.
        side: Side,
    },
}
codec_enum!(Change {
    0 => DeskSet { desk, approvals },
    1 => AccountAdded { venue, account },
    2 => VenueKeyImported { account, key, rights },
    3 => CallerAdded { caller },
    4 => KeyAdded { key, replaces },
    5 => KeyRevoked { id },
    6 => GrantSet { grant },
    7 => GrantRemoved { caller, account },
    8 => LimitsSet { limits },
    9 => AlarmsSeen { until },
    10 => PersonSet { person },
    11 => PersonRemoved { person },
    12 => ApprovalsSet { approvals },
    13 => AppSet { app },
    14 => AppRevoked { app },
    15 => PersonInvited { person, link, until },
    16 => ApproveBySet { approve_by },
    17 => CallerShared { caller, person },
    18 => CallerUnshared { caller, person },
    130 => OwnerSet { account, owner },
    131 => SelfTradeSet { account, mode },
    120 => BreakerSet { breaker },
    121 => BreakerRemoved { breaker },
    122 => BreakerHalfOpened { breaker, scope, reason },
    123 => BreakerClosed { breaker, scope, reason },
    124 => BreakerReset { breaker, scope },
    110 => OptionLimitsSet { limits },
    215 => OptionLimitsRemoved { account },
    100 => PolicySet { policy },
    101 => PolicyRemoved,
    102 => ShadowSet { policy },
    103 => ShadowRemoved,
    104 => OverrideSet { exception },
    105 => OverrideRemoved { id },
    195 => PolicyPut { policy, reason },
    196 => PolicyTaken { reason },
    106 => ThrottleReleased { rule, caller, instrument, side },
    220 => ShadowPut { policy, reason },
    221 => ShadowTaken { reason },
    222 => ThrottleFreed { rule, caller, instrument, side, reason },
});
