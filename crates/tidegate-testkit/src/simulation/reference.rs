//! What ought to be so, kept in the plainest way: every record, what left for which record, which
//! halts are in force. It shares nothing with the gateway but the fold that it checks.

use super::coverage::Coverage;
use super::setup;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_core::Core;
use tidegate_types::call::{CallBody, CallClass, Warrant};
use tidegate_types::codec::{from_bytes, to_bytes};
use tidegate_types::grant::Scope;
use tidegate_types::ids::{AccountName, CallId, CallerName, InstrumentId, OrderId, Seq};
use tidegate_types::limits::MAX_RECORD_BYTES;
use tidegate_types::record::{Body, Record};
use tidegate_types::time::Time;

/// A halt as the records tell it.
#[derive(Clone, Debug)]
pub(super) struct Halted {
    /// When it was pulled.
    pub(super) since: Time,
    /// What was cleared before this record leaves no more.
    from: Seq,
    /// Whether orders that reduce pass.
    pub(super) allow_reduce: bool,
    /// Whether it was said to be proven.
    pub(super) proven: bool,
}

/// The reference.
#[derive(Debug)]
pub(super) struct Reference {
    /// A second core that only ever replays.
    shadow: Core,
    records: Vec<Vec<u8>>,
    /// Every record below this was said to be on disk.
    durable: Seq,
    /// What left for which record since the last recovery.
    left: Vec<(Seq, CallId)>,
    /// Client ids of orders that left, ever.
    ids: BTreeSet<String>,
    /// Whose order a client id is.
    owners: BTreeMap<String, CallerName>,
    /// The client ids of a caller's orders: by caller, account and the caller's own id.
    named: BTreeMap<(String, String, String), Vec<String>>,
    /// Which number of ours an order has, by its client id.
    numbers: BTreeMap<String, OrderId>,
    halts: BTreeMap<Scope, Halted>,
    signed: Option<Seq>,
    /// Which rows of the order table were hit.
    pub(super) coverage: Coverage,
}

impl Default for Reference {
    fn default() -> Reference {
        Reference {
            shadow: Core::new(setup::settings()),
            records: Vec::new(),
            durable: Seq(0),
            left: Vec::new(),
            ids: BTreeSet::new(),
            owners: BTreeMap::new(),
            named: BTreeMap::new(),
            numbers: BTreeMap::new(),
            halts: BTreeMap::new(),
            signed: None,
            coverage: Coverage::default(),
        }
    }
}

impl Reference {
    /// A record was handed out to be written.
    pub(super) fn append(&mut self, seq: Seq, record: &Record) -> Result<(), String> {
        if seq.0 != self.records.len() as u64 {
            return Err(format!("record {seq} is not the next one"));
        }
        let bytes = to_bytes(record);
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(format!("record {seq} has {} bytes", bytes.len()));
        }
        let read: Record = from_bytes(&bytes).map_err(|e| format!("record {seq}: {e:?}"))?;
        if read != *record {
            return Err(format!("record {seq} reads back as another"));
        }
        self.coverage.note(self.shadow.state(), &read);
        self.coverage.holds()?;
        self.fold(seq, &read);
        self.records.push(bytes);
        Ok(())
    }

    fn fold(&mut self, seq: Seq, record: &Record) {
        match &record.body {
            Body::Cleared { order, client_id, caller, account, request, .. } => {
                if let Some(id) = &request.caller_id {
                    let key = (caller.to_string(), account.to_string(), id.to_string());
                    let named = self.named.entry(key).or_default();
                    if !named.iter().any(|known| known == client_id.as_str()) {
                        named.push(client_id.to_string());
                    }
                }
                self.owners.insert(client_id.to_string(), caller.clone());
                self.numbers.insert(client_id.to_string(), *order);
            }
            Body::Halted { scope, allow_reduce, .. } => {
                let stricter = self.halts.get(scope).is_some_and(|halt| !halt.allow_reduce);
                let allow_reduce = *allow_reduce && !stricter;
                let halt = Halted { since: record.at, from: seq, allow_reduce, proven: false };
                self.halts.insert(scope.clone(), halt);
            }
            Body::Resumed { scope, .. } => drop(self.halts.remove(scope)),
            _ => {}
        }
        self.shadow.replay(seq, record);
        // What turns up after the proof makes it void.
        for (scope, halt) in &mut self.halts {
            halt.proven = self.shadow.state().halts().get(scope).is_some_and(|halt| halt.proven);
        }
    }

    /// An order that was cleared before a halt of its scope and had not left then does not leave.
    fn blocked(&self, seq: Seq) -> Result<(), String> {
        let Some((order, caller, account, instrument)) = self.cleared(seq) else { return Ok(()) };
        let hit = self.halts.iter().find(|(scope, halt)| {
            let covered = match scope {
                Scope::All | Scope::Desk { .. } => true,
                Scope::Venue { name } => *name == instrument.venue,
                Scope::Account { name } => *name == account,
                Scope::Caller { name } => caller.as_ref() == Some(name),
                Scope::Instrument { id } => *id == instrument,
                Scope::Order { id } => *id == order,
            };
            covered && seq < halt.from
        });
        match hit {
            Some((scope, _)) => Err(format!(
                "{order} leaves under the halt of {scope}, which was pulled before it left"
            )),
            None => Ok(()),
        }
    }

    /// The order that a record clears, with whose it is and where.
    fn cleared(
        &self,
        seq: Seq,
    ) -> Option<(OrderId, Option<CallerName>, AccountName, InstrumentId)> {
        let bytes = self.records.get(usize::try_from(seq.0).ok()?)?;
        match from_bytes::<Record>(bytes).ok()?.body {
            Body::Cleared { order, caller, account, request, .. } => {
                Some((order, Some(caller), account, request.instrument))
            }
            Body::ClosingCleared { order, account, request, .. } => {
                Some((order, None, account, request.instrument))
            }
            _ => None,
        }
    }

    /// The bytes of the newest record.
    pub(super) fn newest(&self) -> &[u8] {
        self.records.last().map(Vec::as_slice).unwrap_or_default()
    }

    /// The halts in force.
    pub(super) fn halts(&self) -> &BTreeMap<Scope, Halted> {
        &self.halts
    }

    /// Whose order a client id is.
    pub(super) fn owner(&self, client_id: &str) -> Option<&CallerName> {
        self.owners.get(client_id)
    }

    /// The client ids under which a caller's order of this id was cleared.
    pub(super) fn orders_of(&self, caller: &str, account: &str, id: &str) -> &[String] {
        let key = (caller.to_owned(), account.to_owned(), id.to_owned());
        self.named.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a client id is that of our order of this number.
    pub(super) fn is_order(&self, id: OrderId, client_id: &str) -> bool {
        self.numbers.get(client_id) == Some(&id)
    }

    /// The disk said that every record below `end` is on it.
    pub(super) fn flushed(&mut self, end: Seq) {
        self.durable = self.durable.max(end);
    }

    /// The signer is asked: numbers must grow, or the real one refuses.
    pub(super) fn signing(&mut self, class: CallClass, warrant: Warrant) -> Result<(), String> {
        let Warrant::Journalled { seq } = warrant else { return Ok(()) };
        if self.signed.is_some_and(|last| seq <= last) {
            return Err(format!("{class:?} for record {seq}, which is not above the last one"));
        }
        self.signed = Some(seq);
        Ok(())
    }

    /// A request leaves.
    pub(super) fn leaves(
        &mut self,
        id: CallId,
        body: &CallBody,
        warrant: Warrant,
    ) -> Result<(), String> {
        match warrant {
            Warrant::Journalled { seq } => {
                if seq >= self.durable {
                    return Err(format!("{id} leaves before record {seq} is on disk"));
                }
                if self.call_of(seq) != Some(id) {
                    return Err(format!("{id} leaves for record {seq}, which is not its own"));
                }
                self.blocked(seq)?;
                self.left.push((seq, id));
            }
            Warrant::Emergency if body.class() == CallClass::Cancel => {}
            Warrant::Unrecorded if body.class() == CallClass::Read => {}
            Warrant::Emergency | Warrant::Unrecorded => {
                return Err(format!("{id} leaves without a record"));
            }
        }
        if let CallBody::Place { client_id, .. } = body
            && !self.ids.insert(client_id.to_string())
        {
            return Err(format!("{client_id} leaves a second time"));
        }
        Ok(())
    }

    fn call_of(&self, seq: Seq) -> Option<CallId> {
        let bytes = self.records.get(usize::try_from(seq.0).ok()?)?;
        match from_bytes::<Record>(bytes).ok()?.body {
            Body::Cleared { call, .. }
            | Body::ClosingCleared { call, .. }
            | Body::AmendCleared { call, .. }
            | Body::ShrinkCleared { call, .. }
            | Body::CancelCleared { call, .. }
            | Body::SettingCleared { call, .. }
            | Body::DeadManTold { call, .. } => Some(call),
            _ => None,
        }
    }

    /// The gateway's state, while it writes all it decides, is the fold of what it wrote.
    pub(super) fn equals(&self, core: &Core) -> Result<(), String> {
        if self.shadow.state_bytes() == core.state_bytes() {
            return Ok(());
        }
        Err("the state is not the fold of the records".to_owned())
    }

    /// The journal was opened again and gave these records.
    pub(super) fn recovered(&mut self, found: &[Vec<u8>], core: &Core) -> Result<(), String> {
        let kept = self.records.get(..found.len());
        if kept.is_none_or(|kept| kept != found) {
            return Err("the journal gives other records than were written".to_owned());
        }
        if self.durable.0 > found.len() as u64 {
            let lost = found.len();
            return Err(format!("{} records were on disk, {lost} are left", self.durable));
        }
        if let Some((seq, id)) = self.left.iter().find(|(seq, _)| seq.0 >= found.len() as u64) {
            return Err(format!("{id} left for record {seq}, which is lost"));
        }
        self.records.truncate(found.len());
        self.left.clear();
        self.signed = None;
        self.halts.clear();
        self.shadow = Core::new(setup::settings());
        for (seq, bytes) in (0..).map(Seq).zip(found) {
            let record = from_bytes(bytes).map_err(|e| format!("record {seq}: {e:?}"))?;
            self.fold(seq, &record);
        }
        self.coverage.restarted();
        self.equals(core)
    }
}
