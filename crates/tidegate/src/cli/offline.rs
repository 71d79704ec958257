//! Commands that read the journal's folder and need no gateway.

use super::args::{Common, Journal, Verify};
use super::output::{Failure, print};
use super::reach::data_dir;
use serde_json::value::RawValue;
use std::io::Write as _;
use std::path::Path;
use tidegate_journal::{JournalError, Reader};
use tidegate_types::codec::to_json;
use tidegate_types::ids::Seq;
use tidegate_types::record::Body;

/// The journal's folder in a data folder.
pub const JOURNAL: &str = "journal";

/// `tidegate verify`: every file of the journal, no passphrase, nothing written.
pub fn verify(common: &Common, args: &Verify) -> Result<(), Failure> {
    let dir = data_dir(common)?.join(JOURNAL);
    let checkpoint = args.checkpoint.as_deref().map(read).transpose()?;
    let key = args.key.as_deref().map(key_text).transpose()?;
    let report = tidegate_journal::verify(&dir, checkpoint.as_deref(), key.as_deref())
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
        "restore the folder from a copy that verifies",
    );
    failure.more = serde_json::from_str(&format!("{{\"report\":{}}}", json.get())).ok();
    if !common.json {
        print(false, &json, &report.to_string());
    }
    Err(failure)
}

/// `tidegate journal`: the records as JSON lines.
pub fn journal(common: &Common, args: &Journal) -> Result<(), Failure> {
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

fn unreadable(error: &JournalError) -> Failure {
    Failure::new("unreadable", error.to_string(), "name the right folder with --data-dir")
}
