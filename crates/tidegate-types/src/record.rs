//! The records of the journal: what was decided, sent, heard and changed, in the order it happened.
//! All state is a fold over them.

use crate::approval::{Approval, Factor, Verdict};
use crate::breaker::BreakerId;
use crate::call::CallBody;
use crate::codec::Octets;
use crate::decimal::Decimal;
use crate::emergency::Emergency;
use crate::grant::Scope;
use crate::ids::{
    AccountName, ApprovalId, CallId, CallerName, ClientId, ExceptionId, InstrumentId, KeyId,
    OrderId, PersonName, RuleId, Seq, SessionId, VenueName,
};
use crate::instrument::{Instrument, Mark};
use crate::options::{OptionFigures, OptionQuote};
use crate::order::{Intent, NewOrder};
use crate::policy::{Liquidity, PolicyVersion};
use crate::reject::{Code, Reject};
use crate::report::{AccountEvent, BalanceReport, Outcome, PositionReport, Settlement, Shown};
use crate::time::{Span, Time};
use crate::venue_margin::VenueMargin;
use crate::venue_terms::VenueTerms;
use crate::{codec_enum, codec_struct};

mod canceller;
mod decision;

pub use crate::change::{Approvals, ApproveBy, Change};
pub use canceller::Canceller;
pub use decision::{Decision, RULES};

/// When a record counts as written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// After fdatasync: survives a crash of the machine.
    Disk,
    /// After the write: survives a crash of the process; flushed in the background.
    Os,
}
codec_enum!(Durability { 0 => Disk, 1 => Os });

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// The gateway started. `epoch` makes its client ids unlike any before.
    Started {
        /// A random word, new at every start.
        epoch: String,
        /// The program's version.
        version: String,
        /// When a record counts as written.
        durability: Durability,
    },
    /// The gateway stopped in good order. Read from older journals, which did not say by whom; now
    /// `StoppedBy` is written.
    Stopped,
    /// Terms of instruments were read from a venue.
    Instruments {
        /// Where.
        venue: VenueName,
        /// Those that are new or changed.
        instruments: Vec<Instrument>,
    },
    /// Marks came into force.
    Marks {
        /// The marks.
        marks: Vec<Mark>,
    },
    /// The administration changed something.
    Changed {
        /// Who.
        by: PersonName,
        /// What.
        change: Change,
    },
    /// A halt came into force.
    Halted {
        /// Who.
        by: PersonName,
        /// Of what.
        scope: Scope,
        /// Why.
        reason: String,
        /// Orders that reduce a position still pass.
        allow_reduce: bool,
    },
    /// A halt was proven: the venue shows no order of the scope.
    HaltProven {
        /// Of what.
        scope: Scope,
    },
    /// A halt was lifted.
    Resumed {
        /// Who.
        by: PersonName,
        /// Of what.
        scope: Scope,
        /// Why.
        reason: String,
    },
    /// An account takes no new orders until it is reconciled.
    Closed {
        /// Which.
        account: AccountName,
        /// Why.
        why: String,
    },
    /// An account was compared with what the venue shows. Long snapshots take several records, and
    /// a comparison in passing records only what is new.
    Reconciled {
        /// Which.
        account: AccountName,
        /// What the venue shows.
        snapshot: Shown,
        /// Positions that differed for good and are now the venue's.
        corrected: Vec<PositionReport>,
    },
    /// An account takes new orders again.
    Opened {
        /// Which.
        account: AccountName,
    },
    /// An order passed every gate and will be sent.
    Cleared {
        /// Its number.
        order: OrderId,
        /// The request to the venue.
        call: CallId,
        /// Whose it is.
        caller: CallerName,
        /// On which account.
        account: AccountName,
        /// The id it is sent with.
        client_id: ClientId,
        /// The venue must refuse it after this time.
        deadline: Time,
        /// The order.
        request: NewOrder,
        /// The numbers.
        decision: Decision,
    },
    /// A change of an order passed every gate and will be sent.
    AmendCleared {
        /// Which order.
        order: OrderId,
        /// The request to the venue.
        call: CallId,
        /// Who asked.
        caller: CallerName,
        /// What it becomes.
        body: CallBody,
        /// The numbers.
        decision: Decision,
    },
    /// An open order will be made smaller, because a newer one of the same owner would have traded with it. Who
    /// asked for that one pays for the message.
    ShrinkCleared {
        /// Which order.
        order: OrderId,
        /// Whose it is.
        of: CallerName,
        /// The request to the venue.
        call: CallId,
        /// Who asked for the newer one.
        caller: CallerName,
        /// On which account.
        account: AccountName,
        /// What the open one becomes.
        body: CallBody,
        /// The numbers.
        decision: Decision,
    },
    /// A cancel will be sent.
    CancelCleared {
        /// Which order.
        order: OrderId,
        /// The request to the venue.
        call: CallId,
        /// Who asked.
        by: Canceller,
    },
    /// A change of account settings will be sent.
    SettingCleared {
        /// The request to the venue.
        call: CallId,
        /// Who asked.
        caller: CallerName,
        /// On which account.
        account: AccountName,
        /// The change.
        body: CallBody,
    },
    /// A request was refused; the first of its kind for this caller and code within a second.
    Refused {
        /// Who asked, if that was known.
        caller: Option<CallerName>,
        /// On which account, if that was known.
        account: Option<AccountName>,
        /// What was asked, if it could be read.
        intent: Option<Intent>,
        /// Why.
        reject: Reject,
        /// The numbers.
        decision: Decision,
    },
    /// More refusals of a kind that is already on record, counted over a second.
    RefusedMore {
        /// Who asked, if that was known.
        caller: Option<CallerName>,
        /// Why.
        code: Code,
        /// How many.
        count: u64,
    },
    /// A request left for the venue.
    Sent {
        /// Which.
        call: CallId,
    },
    /// A request did not leave: signing or connecting failed first.
    NotSent {
        /// Which.
        call: CallId,
        /// Why.
        reject: Reject,
    },
    /// The venue answered, or did not.
    Replied {
        /// Which request.
        call: CallId,
        /// What it said.
        outcome: Outcome,
    },
    /// The account's private stream told something.
    Streamed {
        /// Which account.
        account: AccountName,
        /// What.
        event: AccountEvent,
    },
    /// A query told what became of an order.
    Resolved {
        /// Which order.
        order: OrderId,
        /// What the venue shows; a refusal with `no_such_order`: it does not have it.
        outcome: Outcome,
        /// When it was asked.
        asked: Time,
    },
    /// A caller proved who it is and opened a session.
    LoggedIn {
        /// Who.
        caller: CallerName,
        /// With which key.
        key: KeyId,
    },
    /// From now on the orders placed over a session are cancelled when it ends, or the gateway.
    Guarded {
        /// Which session.
        session: SessionId,
        /// Who asked for that.
        caller: CallerName,
        /// Open orders placed over it before; long lists take several records.
        orders: Vec<OrderId>,
    },
    /// That was taken back.
    Unguarded {
        /// Which session.
        session: SessionId,
    },
    /// The order cleared next is placed over a guarded session.
    Through {
        /// Which session.
        session: SessionId,
        /// Which order.
        order: OrderId,
    },
    /// A guarded session ended.
    SessionEnded {
        /// Which.
        session: SessionId,
        /// Its orders are to be cancelled: it was not left by a logout.
        lost: bool,
    },
    /// Whether a caller's later sessions are guarded from their login on.
    GuardedEver {
        /// Whose.
        caller: CallerName,
        /// On which account.
        account: AccountName,
        /// Or not any more.
        on: bool,
    },
    /// A caller's dead-man timer was set anew, or taken back.
    CountdownSet {
        /// Whose.
        caller: CallerName,
        /// On which account.
        account: AccountName,
        /// For its orders of this instrument only.
        instrument: Option<InstrumentId>,
        /// When it lapses.
        until: Option<Time>,
    },
    /// A caller's dead-man timer lapsed: the orders it is for are to be cancelled.
    CountdownLapsed {
        /// Whose.
        caller: CallerName,
        /// On which account.
        account: AccountName,
        /// Of this instrument only.
        instrument: Option<InstrumentId>,
    },
    /// The state that the records before `next` lead to was saved, so that a start can begin there.
    StateSaved {
        /// The first record that is not in it.
        next: Seq,
        /// SHA-256 of its byte form.
        digest: [u8; 32],
    },
    /// The record that follows, of this call, was asked for with a token. Whose tokens those are, and
    /// who acts for them, stands where the token was made.
    ByToken {
        /// Which call.
        call: CallId,
        /// The app that asked.
        caller: CallerName,
        /// The word `token:` and the token's id.
        token: KeyId,
        /// In whose name: a person's opaque id, or the app's own.
        subject: String,
    },
    /// The refusal that follows, or the count of more of its kind, is of what was asked with a token.
    RefusedByToken {
        /// The app that asked.
        caller: CallerName,
        /// The word `token:` and the token's id; of several that are counted the first one's.
        token: KeyId,
        /// In whose name: a person's opaque id, or the app's own.
        subject: String,
    },
    /// The record that follows, of this call, was asked for by a request that its caller signed by a key that
    /// nobody else has. With the key's public part, which stands where the key was made, anybody can check it.
    BySignature {
        /// Which call.
        call: CallId,
        /// Who signed.
        caller: CallerName,
        /// By which key.
        key: KeyId,
        /// The bytes that the signature is over.
        signed: Octets,
        /// The signature.
        signature: Octets,
        /// The content whose digest is among those bytes; empty where they are the whole request, or it is
        /// too long to keep.
        content: Octets,
    },
    /// Something happened to a credential, a session, a login or a token. Who is calling is known to the
    /// identity crate, which reads these bytes (its `ledger`); the core keeps nothing of them.
    Identity {
        /// A fact of the identity's ledger in its byte form, without anything that opens a door.
        fact: Octets,
    },
    /// The venue will be told to cancel every order of an instrument without Tidegate.
    DeadManTold {
        /// The request to the venue.
        call: CallId,
        /// On which account.
        account: AccountName,
        /// Of which instrument.
        instrument: InstrumentId,
        /// After how long; zero: not any more.
        after: Span,
    },
    /// An order passed that the desk wants to be told of.
    Warned {
        /// Which.
        order: OrderId,
        /// Why.
        reject: Reject,
    },
    /// The positions of a halt's scope are to be closed, once the halt is proven.
    Flattening {
        /// Who asked for that.
        by: PersonName,
        /// Of what.
        scope: Scope,
    },
    /// The venue showed no position of the scope any more.
    Flattened {
        /// Of what.
        scope: Scope,
    },
    /// An order of Tidegate's own, which closes a position for a halt, passed its gates and will
    /// be sent.
    ClosingCleared {
        /// Its number.
        order: OrderId,
        /// The request to the venue.
        call: CallId,
        /// For the halt of what.
        scope: Scope,
        /// On which account.
        account: AccountName,
        /// The id it is sent with.
        client_id: ClientId,
        /// The venue must refuse it after this time.
        deadline: Time,
        /// The order.
        request: NewOrder,
        /// The numbers.
        decision: Decision,
    },
    /// What went without a record while the gateway before this one had no journal.
    Unrecorded {
        /// When.
        at: Time,
        /// What.
        act: Emergency,
    },
    /// Balances that the venue shows otherwise than they were known are the venue's from now on.
    /// Long lists take several records.
    BalancesTaken {
        /// Of which account.
        account: AccountName,
        /// What they are.
        balances: Vec<BalanceReport>,
        /// The private stream was there all the time and did not tell: that is an alarm.
        untold: bool,
    },
    /// The book of an instrument was dropped: its mark counts as stale from now on.
    BookLost {
        /// Of which instrument.
        instrument: InstrumentId,
        /// Why.
        why: String,
    },
    /// A book that was dropped is whole again: a mark newer than this counts.
    BookWhole {
        /// Of which instrument.
        instrument: InstrumentId,
    },
    /// Somebody asked for what takes a second person.
    ApprovalAsked {
        /// What, and against which state.
        approval: Approval,
        /// SHA-256 of its byte form: what the second person approves.
        digest: [u8; 32],
    },
    /// Somebody approved it with another digest than its own.
    ApprovalMissed {
        /// Which.
        id: ApprovalId,
        /// Who.
        by: PersonName,
    },
    /// Who asked for something confirmed by passkey that it did.
    ApprovalConfirmed {
        /// Which.
        id: ApprovalId,
        /// Who.
        by: PersonName,
        /// Shown by what.
        factor: Factor,
    },
    /// A request for approval ended; one that was approved is carried out by this record.
    ApprovalEnded {
        /// Which.
        id: ApprovalId,
        /// How.
        how: Verdict,
    },
    /// The gateway stopped in good order.
    StoppedBy {
        /// Who asked for it; nobody of the desk where the machine did, by a signal.
        by: Option<PersonName>,
    },
    /// More refusals of a kind and of one person of the console or the administration, counted over a second.
    RefusedMoreOf {
        /// Who asked.
        person: PersonName,
        /// Why.
        code: Code,
        /// How many.
        count: u64,
    },
    /// A venue told what it lets be traded, otherwise than it was known or some time after.
    VenueTermsRead {
        /// Of which instruments, and what.
        terms: Vec<VenueTerms>,
    },
    /// What markets showed of themselves, of each at most once per `LIQUIDITY_INTERVAL`.
    Liquidity {
        /// What.
        facts: Vec<Liquidity>,
    },
    /// A circuit breaker tripped: orders of the scope stop until a person half-opens it.
    BreakerTripped {
        /// Which.
        breaker: BreakerId,
        /// Where.
        scope: Scope,
        /// What it measured.
        measured: Decimal,
        /// The limit that this reached.
        limit: Decimal,
        /// Of how many measurements.
        count: u64,
    },
    /// A tripped or half-open breaker stopped so many more orders, amends and settings.
    BreakerStopped {
        /// Which.
        breaker: BreakerId,
        /// Where.
        scope: Scope,
        /// How many.
        count: u64,
    },
    /// A venue's clock was compared with the gateway's.
    ClockMeasured {
        /// Whose.
        venue: VenueName,
        /// By how many microseconds it is ahead of the gateway's; behind below zero.
        ahead: i64,
        /// By how much this may be wrong, either way.
        give: Span,
    },
    /// Forwards and volatilities came into force, by which options are valued.
    OptionQuotes {
        /// They.
        quotes: Vec<OptionQuote>,
    },
    /// The order or the amend that is cleared next passed the limits of its account's options.
    OptionsWeighed {
        /// Which order.
        order: OrderId,
        /// By these numbers.
        figures: OptionFigures,
    },
    /// The policy beside the one in force would have refused an order; the first of its kind within a second.
    ShadowRefused {
        /// Which order, or amend of one.
        order: OrderId,
        /// Whose.
        caller: CallerName,
        /// On which account.
        account: AccountName,
        /// By which policy.
        policy: PolicyVersion,
        /// By which of its rules; none: no rule allows it.
        rule: Option<RuleId>,
        /// What the refusal would have said.
        detail: String,
    },
    /// More of what that policy would have refused to a caller by a rule, counted over a second.
    ShadowRefusedMore {
        /// Whose.
        caller: CallerName,
        /// By which rule; none: no rule allows it.
        rule: Option<RuleId>,
        /// How many.
        count: u64,
    },
    /// What the refusal that follows is about, with the names of what another account holds: its caller was told
    /// it without them.
    RefusedBecause {
        /// In one line.
        detail: String,
    },
    /// An order passed soft rules by an exception, which is used up.
    OverrideUsed {
        /// Which exception.
        id: ExceptionId,
        /// Which order, or amend of one: the record that follows.
        order: OrderId,
    },
    /// What a venue says of an account's margin, otherwise than it was known or some time after.
    MarginTold {
        /// Of which account.
        account: AccountName,
        /// All that it tells now.
        margins: Vec<VenueMargin>,
    },
    /// A venue paid what positions made until a settlement: from now on they count from its prices. Long lists
    /// take several records.
    SettledAt {
        /// Of which account.
        account: AccountName,
        /// The prices.
        settlements: Vec<Settlement>,
    },
}
codec_enum!(Body {
    0 => Started { epoch, version, durability },
    1 => Stopped,
    2 => Instruments { venue, instruments },
    3 => Marks { marks },
    4 => Changed { by, change },
    5 => Halted { by, scope, reason, allow_reduce },
    6 => HaltProven { scope },
    7 => Resumed { by, scope, reason },
    8 => Closed { account, why },
    9 => Reconciled { account, snapshot, corrected },
    10 => Opened { account },
    11 => Cleared { order, call, caller, account, client_id, deadline, request, decision },
    12 => AmendCleared { order, call, caller, body, decision },
    13 => CancelCleared { order, call, by },
    14 => SettingCleared { call, caller, account, body },
    15 => Refused { caller, account, intent, reject, decision },
    16 => RefusedMore { caller, code, count },
    17 => Sent { call },
    18 => NotSent { call, reject },
    19 => Replied { call, outcome },
    20 => Streamed { account, event },
    21 => Resolved { order, outcome, asked },
    22 => LoggedIn { caller, key },
    23 => Guarded { session, caller, orders },
    24 => Unguarded { session },
    25 => Through { session, order },
    26 => SessionEnded { session, lost },
    27 => GuardedEver { caller, account, on },
    28 => CountdownSet { caller, account, instrument, until },
    29 => CountdownLapsed { caller, account, instrument },
    30 => StateSaved { next, digest },
    31 => Warned { order, reject },
    32 => DeadManTold { call, account, instrument, after },
    33 => Flattening { by, scope },
    34 => Flattened { scope },
    35 => ClosingCleared { order, call, scope, account, client_id, deadline, request, decision },
    36 => Unrecorded { at, act },
    37 => BalancesTaken { account, balances, untold },
    38 => BookLost { instrument, why },
    39 => BookWhole { instrument },
    40 => ApprovalAsked { approval, digest },
    41 => ApprovalMissed { id, by },
    42 => ApprovalEnded { id, how },
    43 => Identity { fact },
    44 => ByToken { call, caller, token, subject },
    45 => ApprovalConfirmed { id, by, factor },
    46 => StoppedBy { by },
    47 => RefusedMoreOf { person, code, count },
    48 => BySignature { call, caller, key, signed, signature, content },
    49 => RefusedByToken { caller, token, subject },
    130 => VenueTermsRead { terms },
    100 => Liquidity { facts },
    120 => BreakerTripped { breaker, scope, measured, limit, count },
    121 => BreakerStopped { breaker, scope, count },
    122 => ClockMeasured { venue, ahead, give },
    110 => OptionQuotes { quotes },
    111 => OptionsWeighed { order, figures },
    101 => ShadowRefused { order, caller, account, policy, rule, detail },
    102 => ShadowRefusedMore { caller, rule, count },
    103 => OverrideUsed { id, order },
    196 => RefusedBecause { detail },
    195 => ShrinkCleared { order, of, call, caller, account, body, decision },
    200 => MarginTold { account, margins },
    201 => SettledAt { account, settlements },
});

/// One entry of the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// When it was decided, on the gateway's clock.
    pub at: Time,
    /// What happened.
    pub body: Body,
}
codec_struct!(Record { at, body });
