//! `tidegate replay`: the journal decided again, from its records alone, also beside a running gateway.

mod report;
mod strain;
mod sums;

use super::args::{Common, Replay};
use super::output::{Failure, print};
use super::reach::data_dir;
use super::why::read;
use report::Tally;
use serde_json::json;
use std::path::Path;
use std::time::Instant;
use strain::Stress;
use tidegate_core::rehearsal::{Again, Busiest, Peak, Rehearsal, Strain};
use tidegate_server::folder::DataFolder;
use tidegate_server::gateway::core_before;
use tidegate_types::ids::Seq;
use tidegate_types::record::Record;
use tidegate_types::time::Time;

/// A place in the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Record(Seq),
    Time(Time),
}

/// The part that is looked at.
struct Part {
    from: Option<Place>,
    to: Option<Place>,
}

/// `tidegate replay`
pub fn replay(common: &Common, args: &Replay) -> Result<(), Failure> {
    let folder = DataFolder::new(data_dir(common)?);
    let part = Part { from: place(args.from.as_deref())?, to: place(args.to.as_deref())? };
    match (args.stress, &args.policy) {
        (Some(times), _) => stress(common, &folder, &part, times),
        (None, Some(file)) => another(common, &folder, &part, file),
        (None, None) => same(common, &folder, &part),
    }
}

/// What another policy would decide otherwise.
fn another(common: &Common, folder: &DataFolder, part: &Part, file: &Path) -> Result<(), Failure> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::new("unreadable", format!("{name}: {error}"), "check the path")
    })?;
    let policy = tidegate_policy::read(&name, &text).map_err(|faults| {
        Failure::new("policy", faults.to_string(), "`tidegate policy check` says more")
    })?;
    let stamp = policy.stamp().to_string();
    let (core, from) = core_before(folder, part.begin());
    let tally = decide(folder, part, Rehearsal::under(core, policy), from)?;
    print(common.json, &sums::json(&tally, &stamp), &sums::text(&tally, &stamp));
    Ok(())
}

/// Whether everything is decided the same again.
fn same(common: &Common, folder: &DataFolder, part: &Part) -> Result<(), Failure> {
    let (core, from) = core_before(folder, part.begin());
    let tally = decide(folder, part, Rehearsal::new(core), from)?;
    if let Some(first) = tally.differences.first() {
        let mut failure = Failure::new(
            "differs",
            report::first(first, tally.differences.len()),
            "another program wrote the record, or it was changed: run `tidegate verify`",
        );
        failure.more = Some(Box::new(tally.json()));
        return Err(failure);
    }
    let mut object = tally.json();
    if let Some(fields) = object.as_object_mut() {
        fields.insert("same".to_owned(), json!(true));
    }
    print(common.json, &object, &tally.text());
    Ok(())
}

/// Decides the part again.
fn decide(
    folder: &DataFolder,
    part: &Part,
    mut rehearsal: Rehearsal,
    from: Seq,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let torn = read(folder, from, |seq, record| {
        if part.is_over(seq, &record) {
            return false;
        }
        if part.has_begun(seq, &record) {
            tally.note(seq, &record, rehearsal.again(seq, &record));
        } else {
            rehearsal.fold(seq, &record);
        }
        true
    })?;
    tally.torn = torn;
    Ok(tally)
}

/// How the core bears the busiest minute at so many times its rate.
fn stress(common: &Common, folder: &DataFolder, part: &Part, times: u32) -> Result<(), Failure> {
    let mut busiest = Busiest::default();
    read(folder, Seq(0), |seq, record| {
        if part.has_begun(seq, &record) && !part.is_over(seq, &record) {
            busiest.look(seq, &record);
        }
        !part.is_over(seq, &record)
    })?;
    let peak = busiest.peak().ok_or_else(|| {
        let hint = "name another part with --from and --to";
        Failure::new("not-found", "nobody asked for anything in that part of the journal", hint)
    })?;
    let once = play(folder, peak, 1)?;
    let strained = play(folder, peak, times)?;
    let stress = Stress { peak, times, once, strained };
    print(common.json, &stress.json(), &stress.text());
    Ok(())
}

fn play(folder: &DataFolder, peak: Peak, times: u32) -> Result<Strain, Failure> {
    let (core, from) = core_before(folder, peak.first);
    let mut rehearsal = Rehearsal::new(core);
    let mut minute = Vec::new();
    read(folder, from, |seq, record| {
        if seq < peak.first {
            rehearsal.fold(seq, &record);
            return true;
        }
        let inside = peak.has(record.at);
        if inside {
            minute.push((seq, record));
        }
        inside
    })?;
    let began = Instant::now();
    let mut clock = || u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
    Ok(rehearsal.stress(peak.start, &minute, times, &mut clock))
}

impl Part {
    /// The first record that may have to be decided.
    fn begin(&self) -> Seq {
        match self.from {
            Some(Place::Record(seq)) => seq,
            Some(Place::Time(_)) | None => Seq(0),
        }
    }

    fn has_begun(&self, seq: Seq, record: &Record) -> bool {
        self.from.is_none_or(|from| from.is_reached(seq, record))
    }

    fn is_over(&self, seq: Seq, record: &Record) -> bool {
        self.to.is_some_and(|to| to.is_reached(seq, record))
    }
}

impl Place {
    fn is_reached(self, seq: Seq, record: &Record) -> bool {
        match self {
            Place::Record(at) => seq >= at,
            Place::Time(at) => record.at >= at,
        }
    }
}

/// A record's number or a time.
fn place(text: Option<&str>) -> Result<Option<Place>, Failure> {
    let Some(text) = text else { return Ok(None) };
    if let Ok(seq) = text.parse() {
        return Ok(Some(Place::Record(Seq(seq))));
    }
    let time: jiff::Timestamp = text.parse().map_err(|_| {
        let hint = "write a record's number, or a time as 2026-11-22T14:00:00Z";
        Failure::usage(format!("{text} is neither"), hint)
    })?;
    let micros = u64::try_from(time.as_microsecond()).unwrap_or_default();
    Ok(Some(Place::Time(Time::from_micros(micros))))
}

impl Tally {
    fn note(&mut self, seq: Seq, record: &Record, again: Again) {
        self.records += 1;
        self.from.get_or_insert(seq);
        self.to = Some(seq);
        match again {
            Again::Nothing => self.counted(record),
            Again::Same => self.same += 1,
            Again::Unknowable(why) => *self.unknowable.entry(why).or_default() += 1,
            Again::Other(difference) => self.differences.push(*difference),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_record_or_a_time() {
        assert_eq!(place(None).unwrap(), None);
        assert_eq!(place(Some("17")).unwrap(), Some(Place::Record(Seq(17))));
        let time = Place::Time(Time::from_millis(1_700_000_000_000));
        assert_eq!(place(Some("2023-11-14T22:13:20Z")).unwrap(), Some(time));
        assert_eq!(place(Some("yesterday")).unwrap_err().code, "usage");
    }
}
