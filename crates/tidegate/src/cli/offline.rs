//! Commands that read the journal's folder and need no gateway.

use super::args::{Common, Journal, JournalCommand, JournalPrint, Verify};
use super::output::{Failure, print};
use super::reach::data_dir;
use serde_json::json;
use serde_json::value::RawValue;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tidegate_journal::{JournalError, Reader};
use tidegate_server::folder::DataFolder;
use tidegate_server::gateway::{declare_restored, saved_until};
use tidegate_types::codec::to_json;
use tidegate_types::ids::Seq;
use tidegate_types::record::Body;

/// The journal's folder in a data folder.
pub const JOURNAL: &str = "journal";
/// What to do about damage.
const MEND: &str = "stop the gateway and run `tidegate journal repair`, as docs/recovery.md says";

/// `tidegate verify`: every file of the journal, no passphrase, nothing written.
pub fn verify(common: &Common, args: &Verify) -> Result<(), Failure> {
    let dir = data_dir(common)?.join(JOURNAL);
    let checkpoint = args.checkpoint.as_deref().map(read).transpose()?;
    let key = args.key.as_deref().map(key_text).transpose()?;
    let archive = args.archive.as_deref();
    let (checkpoint, key) = (checkpoint.as_deref(), key.as_deref());
    let report = tidegate_journal::verify_with(&dir, archive, checkpoint, key)
        .map_err(|error| unreadable(&error))?;
    let json = RawValue::from_string(report.to_json())
        .map_err(|error| Failure::new("internal", error.to_string(), ""))?;
    if report.is_whole() {
        print(common.json, &json, &report.to_string());
        return Ok(());
    }
    let mut failure = Failure::new(
        "damaged",
        report.damage.first().map_or("the journal is damaged".to_owned(), |damage| {
            format!("the journal is damaged: {damage}")
        }),
        MEND,
    );
    failure.more = serde_json::from_str(&format!("{{\"report\":{}}}", json.get())).ok();
    if !common.json {
        print(false, &json, &report.to_string());
    }
    Err(failure)
}

/// `tidegate restored`
pub fn restored(common: &Common) -> Result<(), Failure> {
    let folder = DataFolder::new(data_dir(common)?);
    if !folder.config().exists() {
        let message = format!("{} is no data folder", folder.path().display());
        return Err(Failure::usage(message, "name the right folder with --data-dir"));
    }
    declare(&folder)?;
    let text = "the next start takes this folder for a restored one: it is halted, and sessions, links, \
                recovery codes, consents and tokens from before are void; docs/going-live.md, 6, says what \
                to look through";
    print(common.json, &json!({ "restored": true, "data_dir": folder.path() }), text);
    Ok(())
}

fn declare(folder: &DataFolder) -> Result<(), Failure> {
    declare_restored(folder).map_err(|error| {
        let hint = "stop the gateway, and run `tidegate restored` as the folder's owner";
        Failure::new("unfinished", error.to_string(), hint)
    })
}

/// `tidegate journal`
pub fn journal(common: &Common, args: &Journal) -> Result<(), Failure> {
    match &args.command {
        None => records(common, &args.print),
        Some(JournalCommand::Archive { to }) => archive(common, to),
        Some(JournalCommand::Restore { from }) => restore(common, from),
        Some(JournalCommand::Repair { from, cut }) => repair(common, from, *cut),
    }
}

fn archive(common: &Common, to: &Path) -> Result<(), Failure> {
    let folder = DataFolder::new(data_dir(common)?);
    let to = absolute(to)?;
    let below = saved_until(&folder).map_err(|why| {
        let message =
            format!("nothing was archived, since the next start needs every record: {why}");
        Failure::new(
            "no-saved-state",
            message,
            "let the gateway of this version run until it saved one",
        )
    })?;
    let moved = tidegate_journal::archive::archive(&folder.journal(), &to, below, &mut |_| Ok(()));
    let moved = moved.map_err(|error| unfinished(&error))?;
    let (segments, mib, next) = (moved.segments, moved.bytes >> 20, moved.next);
    let object = json!({
        "segments": segments, "bytes": moved.bytes, "archived_below": next.0, "saved_state": below.0,
    });
    let place = to.display();
    let text = match next.0 {
        0 => format!("nothing is old enough yet: the saved state goes up to record {below}"),
        _ => format!(
            "{segments} segments, {mib} MiB, moved to {place}; records below {next} are archived"
        ),
    };
    print(common.json, &object, &text);
    Ok(())
}

fn restore(common: &Common, from: &Path) -> Result<(), Failure> {
    let dir = data_dir(common)?.join(JOURNAL);
    let back = tidegate_journal::archive::restore(&dir, &absolute(from)?, &mut |_| Ok(()));
    let back = back.map_err(|error| unfinished(&error))?;
    let object = json!({ "segments": back.segments, "bytes": back.bytes });
    let text = format!("{} segments, {} MiB, are back", back.segments, back.bytes >> 20);
    print(common.json, &object, &text);
    Ok(())
}

fn repair(common: &Common, from: &[PathBuf], cut: bool) -> Result<(), Failure> {
    let folder = DataFolder::new(data_dir(common)?);
    let dir = folder.journal();
    // A copy of the whole data folder has the journal's in it.
    let inner = |path: &PathBuf| match path.join(JOURNAL).is_dir() {
        true => path.join(JOURNAL),
        false => path.clone(),
    };
    let copies: Vec<PathBuf> = from.iter().map(inner).collect();
    let done = tidegate_journal::repair::repair(&dir, &copies, cut).map_err(|e| unfinished(&e))?;
    let kept = done.kept.as_ref().map(|kept| kept.display().to_string());
    let mut text = done.rewritten.iter().fold(String::new(), |text, (file, count)| {
        format!("{text}{file} was written anew, with {count} records from elsewhere\n")
    });
    if let Some(kept) = &kept {
        text.push_str(&format!("what was there before is in {kept}\n"));
    }
    if let (Some((first, _)), Some(count)) = (done.lost, done.cut) {
        text.push_str(&format!(
            "the journal ends before record {first}, {count} records after it went too: the next start \
             is halted, as that of a restored folder; compare with the exchanges before you resume\n"
        ));
        declare(&folder)?;
    } else if let Some((first, count)) = done.lost {
        return Err(Failure::new(
            "lost",
            format!("{text}records {first} to {} are nowhere", first.0 + count.saturating_sub(1)),
            "name copies or archives that have them with --from; if they are newer than the checkpoint, \
             --cut ends the journal before them; else restore a backup of the whole folder",
        ));
    }
    let report = tidegate_journal::verify(&dir, None, None).map_err(|error| unreadable(&error))?;
    text.push_str(&report.to_string());
    let rewritten: Vec<&String> = done.rewritten.iter().map(|(file, _)| file).collect();
    let object = json!({
        "rewritten": rewritten, "cut": done.cut, "kept": kept, "whole": report.is_whole(),
    });
    if report.is_whole() {
        print(common.json, &object, &text);
        return Ok(());
    }
    let first = report.damage.first().map(ToString::to_string).unwrap_or_default();
    let hint = "damaged tiles are made anew at a start when `journal/tile` is gone: move it away; for \
                anything else restore a backup of the whole folder";
    Err(Failure::new("damaged", format!("{text}; first: {first}"), hint))
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display()), "name a folder"))
}

/// The records as JSON lines.
fn records(common: &Common, args: &JournalPrint) -> Result<(), Failure> {
    let dir = data_dir(common)?.join(JOURNAL);
    let mut reader = Reader::open(&dir, Seq(args.from)).map_err(|error| unreadable(&error))?;
    let mut left = args.count.unwrap_or(u64::MAX);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    while left > 0 {
        let Some((seq, record)) = reader.next_record().map_err(|error| unreadable(&error))? else {
            break;
        };
        if args.decisions && matches!(record.body, Body::Marks { .. } | Body::Instruments { .. }) {
            continue;
        }
        left -= 1;
        if writeln!(out, "{{\"seq\":{seq},\"record\":{}}}", to_json(&record)).is_err() {
            break;
        }
    }
    out.flush().map_err(|error| Failure::new("output", error.to_string(), ""))
}

fn key_text(text: &str) -> Result<String, Failure> {
    if text.contains('+') && !Path::new(text).exists() {
        return Ok(text.to_owned());
    }
    let bytes = read(Path::new(text))?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        Failure::new("unreadable", format!("{}: {error}", path.display()), "check the path")
    })
}

fn unfinished(error: &JournalError) -> Failure {
    let hint = match error {
        JournalError::Locked => "stop the gateway first",
        JournalError::Io { .. } => "nothing is lost: run it again once that is mended",
        JournalError::Damaged(_) => MEND,
        _ => "",
    };
    Failure::new("unfinished", error.to_string(), hint)
}

pub(super) fn unreadable(error: &JournalError) -> Failure {
    Failure::new("unreadable", error.to_string(), "name the right folder with --data-dir")
}
