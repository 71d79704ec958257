//! What can happen to the core.

use crate::approvals::Word;
use tidegate_types::approval::Showing;
use tidegate_types::codec::Octets;
use tidegate_types::emergency::Emergency;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{
    AccountName, ApprovalId, CallId, CallerName, InstrumentId, KeyId, OrderId, PersonName, Seq,
    SessionId, Ticket, VenueName,
};
use tidegate_types::instrument::{Instrument, Mark};
use tidegate_types::options::OptionQuote;
use tidegate_types::order::Intent;
use tidegate_types::policy::Liquidity;
use tidegate_types::proof::{Authenticated, Durable, Signed, TokenShown};
use tidegate_types::record::{Change, Durability};
use tidegate_types::reject::Reject;
use tidegate_types::report::{AccountEvent, AccountSnapshot, FillReport, Outcome};
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};
use tidegate_types::venue_terms::VenueTerms;

/// Something that happened, handed to the core with the time.
#[derive(Debug)]
pub enum Event {
    /// The gateway started, after replay. `epoch` was never used before.
    Started {
        /// A random word of 8 to 12 letters and digits.
        epoch: String,
        /// The program's version.
        version: String,
        /// When a record counts as written.
        durability: Durability,
    },
    /// What the gateway before this one did without a record, in order; told after the start.
    Kept {
        /// When, and what.
        acts: Vec<(Time, Emergency)>,
    },
    /// The gateway is about to stop in good order.
    Stopping {
        /// Who asked for it; nobody where a signal did.
        by: Option<PersonName>,
    },
    /// A caller asks for something; answered by `Action::Answer` with this ticket, once.
    Submit {
        /// Which question this is.
        ticket: Ticket,
        /// Who asks.
        who: Authenticated,
        /// Over which session; none for a request of its own.
        session: Option<SessionId>,
        /// What.
        intent: Intent,
    },
    /// The console or the administration turned a person down.
    PersonRefused {
        /// Who asked.
        person: PersonName,
        /// Why.
        reject: Reject,
    },
    /// A request was refused before it came to the core (credentials, parsing, request rate).
    RefusedEarlier {
        /// Who asked, if that was known.
        caller: Option<CallerName>,
        /// On which account, if that was known.
        account: Option<AccountName>,
        /// By which token, if by one.
        shown: Option<TokenShown>,
        /// Why.
        reject: Reject,
    },
    /// A caller logged in.
    LoggedIn {
        /// Who.
        caller: CallerName,
        /// With which key.
        key: KeyId,
        /// The session that is the caller's from now on.
        session: Option<SessionId>,
    },
    /// The state that the records before `next` lead to was saved; answered once that is durable.
    StateSaved {
        /// Which question this is.
        ticket: Ticket,
        /// The first record that is not in it.
        next: Seq,
        /// SHA-256 of its bytes.
        digest: [u8; 32],
    },
    /// Something happened to a credential, a session, a login or a token; answered once durable.
    Identity {
        /// Which question this is.
        ticket: Ticket,
        /// What, in the byte form of the identity's ledger.
        fact: Octets,
    },
    /// A session ended; nothing comes over it after this.
    Disconnected {
        /// Which.
        session: SessionId,
        /// It was not left by a logout, which cancels nothing.
        lost: bool,
    },
    /// The administration changes something; answered once durable.
    Administer {
        /// Which question this is.
        ticket: Ticket,
        /// Who.
        by: PersonName,
        /// How they show that it is them.
        showing: Showing,
        /// What.
        change: Change,
    },
    /// Somebody halts a scope. Answered when proven: the venue shows no live order of the scope.
    Halt {
        /// Which question this is; none when nobody waits (the halt file).
        ticket: Option<Ticket>,
        /// Who.
        by: PersonName,
        /// Of what.
        scope: Scope,
        /// Why.
        reason: String,
        /// Orders that reduce a position still pass.
        allow_reduce: bool,
        /// Close the positions too; then answered when the venue shows none.
        flatten: bool,
    },
    /// Somebody lifts a halt; answered once durable.
    Resume {
        /// Which question this is.
        ticket: Ticket,
        /// Who.
        by: PersonName,
        /// How they show that it is them.
        showing: Showing,
        /// Of what.
        scope: Scope,
        /// Why.
        reason: String,
    },
    /// A second person approves what somebody asked; answered once it is carried out and durable.
    Approve {
        /// Which question this is.
        ticket: Ticket,
        /// Who, what, and shown by what.
        word: Word,
    },
    /// Somebody denies what was asked, or takes its own request back; answered once durable.
    Deny {
        /// Which question this is.
        ticket: Ticket,
        /// Who.
        by: PersonName,
        /// Which request.
        id: ApprovalId,
    },
    /// A venue's terms were read.
    Instruments {
        /// Where.
        venue: VenueName,
        /// All of them.
        instruments: Vec<Instrument>,
    },
    /// Marks came, at most one per instrument each 100 ms.
    Marks {
        /// The marks.
        marks: Vec<Mark>,
    },
    /// A venue told what it lets be traded.
    VenueTerms {
        /// Of which instruments, and what.
        terms: Vec<VenueTerms>,
    },
    /// Markets showed something of themselves; what comes too soon after the last is passed over.
    Liquidity {
        /// What.
        facts: Vec<Liquidity>,
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
    /// Forwards and volatilities of options came, at most one per instrument each 100 ms.
    OptionQuotes {
        /// They.
        quotes: Vec<OptionQuote>,
    },
    /// The book of an instrument was followed and had to be dropped.
    BookLost {
        /// Of which instrument.
        instrument: InstrumentId,
        /// Why.
        why: String,
    },
    /// The book of an instrument is whole, for the first time or again.
    BookWhole {
        /// Of which instrument.
        instrument: InstrumentId,
    },
    /// The journal flushed.
    Durable {
        /// The proof.
        proof: Durable,
    },
    /// The journal cannot be written any more; only cancels and halts go on.
    JournalFailed {
        /// Why.
        why: String,
    },
    /// The journal takes records again, every one appended before included; those kept back follow.
    JournalRestored,
    /// The signer signed.
    Signed {
        /// The proof, with the request.
        proof: Signed,
    },
    /// The signer refused or died, or connecting failed: the call did not leave.
    NotSent {
        /// Which.
        call: CallId,
        /// Why.
        reject: Reject,
    },
    /// The first byte of a call left.
    Sent {
        /// Which.
        call: CallId,
    },
    /// The venue answered a call, or the time for it is over (`Outcome::Unknown`).
    Replied {
        /// Which.
        call: CallId,
        /// What it says.
        outcome: Outcome,
        /// The venue's own answer, to be passed on; `None` when there was none.
        reply: Option<Reply>,
    },
    /// The answer to the request that placed an order found nobody waiting for it.
    Unheard {
        /// Which order.
        order: OrderId,
    },
    /// The account's private stream told something.
    Streamed {
        /// Which account.
        account: AccountName,
        /// What.
        event: AccountEvent,
    },
    /// The account's private stream is up, so that reconciliation can begin.
    StreamUp {
        /// Which account.
        account: AccountName,
    },
    /// The account's private stream broke.
    StreamDown {
        /// Which account.
        account: AccountName,
        /// Why.
        why: String,
    },
    /// The answer to `Action::Reconcile`.
    Snapshot {
        /// Which account.
        account: AccountName,
        /// The number of the question. An answer to one that a newer took the place of is passed over.
        question: u64,
        /// What the venue shows, or why it could not be read.
        result: Result<AccountSnapshot, String>,
    },
    /// The answer to `Action::ReadTrades`.
    Trades {
        /// Which account.
        account: AccountName,
        /// The number of the question.
        question: u64,
        /// Of which instrument.
        instrument: InstrumentId,
        /// The trades, the oldest first, or why they could not be read.
        result: Result<Vec<FillReport>, String>,
    },
}
