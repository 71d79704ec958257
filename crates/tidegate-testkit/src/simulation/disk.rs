//! The gateway's life and its disk: flushes, crashes, starts.

use super::broken::Broken;
use super::clients::door;
use super::gaps::Gaps;
use super::gate::Gate;
use super::setup;
use super::world::{Asker, Due, Simulation};
use std::sync::Arc;
use tidegate_core::Core;
use tidegate_core::event::Event;
use tidegate_journal::stepped::Stepped;
use tidegate_journal::storage::{Fault, Storage};
use tidegate_journal::verify::verify_in;
use tidegate_journal::{CheckpointKey, FlushEvent, Options};
use tidegate_shaping::Shaper;
use tidegate_types::approval::Showing;
use tidegate_types::codec::{from_bytes, to_bytes};
use tidegate_types::emergency::Emergency;
use tidegate_types::ids::{PersonName, Seq};
use tidegate_types::record::{Durability, Record};
use tidegate_types::time::Span;

/// How often a checkpoint is signed.
const KEEP: Span = Span::from_secs(30);
/// The name of the first segment.
const FIRST_SEGMENT: &str = "segment/0000000000";
/// The size of a segment.
const SEGMENT: u64 = 256 * 1024;

impl Simulation {
    /// The disk is written to and flushed.
    pub(super) fn flush(&mut self) {
        if !self.quiet && self.rng.chance(self.profile.bad_disk) {
            let fault = self.rng.pick(&[Fault::NoSpace, Fault::Write, Fault::Sync]).copied();
            self.counts.add(match fault {
                Some(Fault::NoSpace) => "disk full",
                Some(Fault::Write) => "write errors",
                _ => "fsync errors",
            });
            self.disk.set_fault(fault);
            let wait = self.rng.millis(1_000, 60_000);
            self.after(wait, Due::Crash);
        }
        let Some(gate) = &mut self.gate else { return };
        gate.flush_at = None;
        match gate.journal.flush() {
            Some(FlushEvent::Durable(proof)) => {
                self.counts.add("flushes");
                self.reference.flushed(proof.end());
                let (life, wait) = (self.life, Span::from_micros(self.rng.below(1000)));
                self.after(wait, Due::Durable { life, proof });
            }
            Some(FlushEvent::Failed(error)) => {
                // A disk that was silent and then fails will not go on by itself.
                gate.silent = false;
                self.journal_fails(error.to_string());
            }
            Some(FlushEvent::Degraded(_) | FlushEvent::Mended) | None => {}
        }
    }

    /// The journal's housekeeping.
    pub(super) fn keep(&mut self) {
        let life = self.life;
        if self.broken(Broken::LosesRecords) {
            self.old_disk = self.disk.copied();
        }
        let Some(gate) = &mut self.gate else { return };
        if gate.journal.keep().is_err() {
            self.counts.add("checkpoints not written");
        }
        self.after(KEEP, Due::Keep { life });
    }

    /// The process dies, alone or with its machine.
    pub(super) fn crash(&mut self) {
        let Some(mut gate) = self.gate.take() else { return };
        if !gate.journal_failed {
            let held = self.reference.equals(&gate.core);
            self.hold(held);
        }
        let rng = &mut self.rng;
        self.disk = if rng.chance(500) {
            self.counts.add("crashes of the process");
            self.disk.copied()
        } else {
            self.counts.add("crashes of the machine");
            if rng.chance(500) {
                // It dies while it writes.
                self.disk.set_fault(Some(Fault::Sync));
                let _ = gate.appender.commit();
                let _ = gate.journal.flush();
            }
            self.disk.crashed(|| rng.chance(500))
        };
        if self.broken(Broken::LosesRecords) {
            self.disk = self.old_disk.copied();
        }
        drop(gate);
        self.say(|| "crash".to_owned());
        self.life += 1;
        for socket in std::mem::take(&mut self.sockets).into_keys() {
            self.venue.hang_up(socket);
        }
        for asked in std::mem::take(&mut self.asked).into_values() {
            if let Asker::Client { question } = asked.by {
                self.client_is_left(question);
            }
        }
        for (at, trader) in self.traders.iter_mut().enumerate() {
            if trader.forget() {
                self.gone.insert(at, self.now);
            }
        }
        let wait = if self.quiet { Span::from_millis(200) } else { self.rng.millis(100, 20_000) };
        self.after(wait, Due::Start);
    }

    /// A process starts and reads its journal.
    pub(super) fn start(&mut self) {
        if self.gate.is_some() {
            return;
        }
        if let Err(why) = self.try_start() {
            self.fail(why);
        }
    }

    fn try_start(&mut self) -> Result<(), String> {
        let key = CheckpointKey::new("tidegate.local/desk/0123456789abcdef", &[7; 32]);
        let key = key.map_err(|error| error.to_string())?;
        let (mut core, from, mut found) = self.taken_up()?;
        let options = Options {
            segment_bytes: SEGMENT,
            replay_from: from,
            ..Options::new(Durability::Disk, key)
        };
        let storage: Arc<dyn Storage> = Arc::new(self.disk.clone());
        let broken = self.broken;
        let opened = Stepped::open(storage, options, &mut |seq, record| {
            if !Simulation::passes_over(broken, &record.body) {
                core.replay(seq, &record);
            }
            found.push(to_bytes(&record));
        });
        let (journal, appender, recovered) =
            opened.map_err(|error| format!("the journal does not open: {error}"))?;
        if recovered.cut.is_some() {
            self.counts.add("torn tails cut");
        }
        let first = found.is_empty() && self.life == 0;
        self.reference.recovered(&found, &core)?;
        self.digest.add(&core.state_bytes());
        let followers = self.followers()?;
        let shown = self.clock.shows(self.now);
        let last = found.last().and_then(|bytes| from_bytes::<Record>(bytes).ok());
        let door = door(shown, last.map(|record| record.at))?;
        let budgets = self.dialects.map(|dialect| Shaper::new(dialect.allowances()));
        self.gaps = Gaps::default();
        self.gate = Some(Gate::new(core, journal, appender, followers, door, budgets));
        self.say(|| format!("start with {} records", found.len()));
        let epoch = format!("e{:03}{:06x}", self.life % 1000, self.rng.below(1 << 24));
        let version = "simulated".to_owned();
        self.give(Event::Started { epoch, version, durability: Durability::Disk });
        self.put_on_record()?;
        if first || !self.is_set_up() {
            self.set_up()?;
        }
        let life = self.life;
        for venue in 0..super::venue::VENUES.len() {
            self.ask_instruments(venue);
            self.after(Span::from_millis(50), Due::MarksStart { life, venue });
        }
        for account in 0..super::venue::ACCOUNTS.len() {
            self.after(Span::from_millis(100), Due::StreamStart { life, account });
        }
        self.after(KEEP, Due::Keep { life });
        Ok(())
    }

    /// What went without a record before the start is put on record, and the halts among it hold.
    fn put_on_record(&mut self) -> Result<(), String> {
        let acts = std::mem::take(&mut self.kept);
        // Whatever happens to the saved state happens to that file too.
        if acts.is_empty() || self.profile.saves_badly {
            return Ok(());
        }
        self.counts.add("starts with acts without a record");
        self.kept.clone_from(&acts);
        self.give(Event::Kept { acts: acts.clone() });
        self.kept_until = self.gate.as_ref().map_or(Seq(0), |gate| gate.core.next_seq());
        let halts = self.gate.as_ref().map(|gate| gate.core.state().halts());
        let forgotten = acts.iter().find_map(|(_, act)| match act {
            Emergency::Halted { scope, .. } => {
                (!halts.is_some_and(|halts| halts.contains_key(scope))).then_some(scope)
            }
            Emergency::Cancelled { .. } | Emergency::Flattening { .. } => None,
        });
        match forgotten {
            Some(scope) => Err(format!("the halt of {scope} without a record is forgotten")),
            None => Ok(()),
        }
    }

    /// The core that a start begins with, the first record it has not seen, and those before.
    fn taken_up(&mut self) -> Result<(Core, Seq, Vec<Vec<u8>>), String> {
        self.damage_state();
        let mut found = Vec::new();
        let Some(saved) = self.start_from()? else {
            return Ok((Core::new(setup::settings()), Seq(0), found));
        };
        let mut reader = self.reader(Seq(0)).map_err(|error| error.to_string())?;
        while reader.next_seq() < saved.next {
            let next = reader.next_record().map_err(|error| error.to_string())?;
            let (_, record) = next.ok_or("the saved state is ahead of the journal")?;
            found.push(to_bytes(&record));
        }
        Ok((saved.core, saved.next, found))
    }

    /// Whether the last change of the desk's set-up survived.
    fn is_set_up(&self) -> bool {
        let grants = self.gate.as_ref().map(|gate| gate.core.state().grants().count());
        grants == Some(setup::SEATS.len())
    }

    fn set_up(&mut self) -> Result<(), String> {
        let wide = self.broken(Broken::ForgetsLimits);
        let changes = setup::changes(wide).map_err(|_| "a bad name".to_owned())?;
        let by = PersonName::new("root").map_err(|_| "a bad name".to_owned())?;
        for change in changes {
            let ticket = self.ticket(Asker::Operator);
            self.give(Event::Administer { ticket, by: by.clone(), showing: Showing::Door, change });
        }
        Ok(())
    }

    /// The journal, as it lies on the disk, verifies.
    pub(super) fn check_journal(&mut self) {
        let Some(gate) = &mut self.gate else { return };
        let kept = gate.journal.keep().map_err(|error| error.to_string());
        self.hold(kept);
        if self.broken(Broken::TampersWithJournal) {
            self.disk.edit(FIRST_SEGMENT, |bytes| {
                bytes.get_mut(5_000).into_iter().for_each(|byte| *byte ^= 1);
            });
        }
        let held = match verify_in(&self.disk, None, None) {
            Ok(report) if report.is_whole() => Ok(()),
            Ok(report) => Err(format!("the journal does not verify: {report}")),
            Err(error) => Err(format!("the journal cannot be verified: {error}")),
        };
        self.hold(held);
    }
}
