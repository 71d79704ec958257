//! `tidegate doctor`: what is wrong with a data folder and how to mend it.

mod clock;

use super::alarms::line;
use super::args::Common;
use super::output::{Failure, print};
use super::reach::{ask, data_dir, is_running};
use nix::sys::statvfs::statvfs;
use serde::Serialize;
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;
use tidegate_identity::RsaBits;
use tidegate_server::admin::protocol::{Request, Status};
use tidegate_server::config::Config;
use tidegate_server::folder::DataFolder;
use tidegate_server::people::Breached;

/// Below this the disk counts as nearly full.
const ENOUGH_BYTES: u64 = 2 << 30;

/// One thing looked at.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    well: bool,
    seen: String,
    mend: String,
}

impl Finding {
    fn good(what: &'static str, seen: impl Into<String>) -> Finding {
        Finding { what, well: true, seen: seen.into(), mend: String::new() }
    }

    fn bad(what: &'static str, seen: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { what, well: false, seen: seen.into(), mend: mend.into() }
    }
}

/// Looks at everything that can be looked at without a passphrase.
pub fn run(common: &Common) -> Result<(), Failure> {
    let dir = data_dir(common)?;
    let folder = DataFolder::new(&dir);
    let mut findings = vec![configuration(&folder), disk(&dir), journal(&folder)];
    findings.extend(clock::findings(Config::load(&folder).ok().as_ref()));
    findings.extend(Config::load(&folder).ok().map(|config| logins(&config)));
    findings.extend(Config::load(&folder).ok().map(|config| keys(&config)));
    findings.extend(Config::load(&folder).ok().and_then(|config| breached(&config)));
    findings.push(memory());
    findings.extend(permissions(&folder));
    findings.extend(gateway(common, &dir));
    let bad = findings.iter().filter(|finding| !finding.well).count();
    let text = findings.iter().fold(String::new(), |mut text, finding| {
        let mark = if finding.well { "ok " } else { "BAD" };
        let _ = writeln!(text, "{mark} {:<14} {}", finding.what, finding.seen);
        if !finding.well {
            let _ = writeln!(text, "    {:<14} {}", "", finding.mend);
        }
        text
    });
    if bad == 0 {
        print(common.json, &serde_json::json!({ "findings": findings }), text.trim_end());
        return Ok(());
    }
    let mut failure =
        Failure::new("findings", format!("{bad} things are wrong"), "mend them as said");
    failure.more = Some(Box::new(serde_json::json!({ "findings": findings })));
    if !common.json {
        print(false, &(), text.trim_end());
    }
    Err(failure)
}

fn configuration(folder: &DataFolder) -> Finding {
    match Config::load(folder) {
        Err(error) => Finding::bad("configuration", error.to_string(), "correct the file"),
        Ok(config) => {
            let venues: Vec<&str> = config.venues.keys().map(String::as_str).collect();
            let seen = format!(
                "desk {}, durability {:?}, approvals {:?}, venues: {}",
                config.desk,
                config.journal.durability,
                config.approvals,
                venues.join(", ")
            );
            if venues.is_empty() {
                let mend = format!("name one in {}", folder.config().display());
                return Finding::bad("configuration", seen + "none", mend);
            }
            Finding::good("configuration", seen)
        }
    }
}

/// Which weaker ways to log in the desk takes. That is its choice, so that nothing here is wrong.
fn logins(config: &Config) -> Finding {
    let weak = [
        (config.logins.secrets_in_address, "secrets in addresses (logins.secrets_in_address)"),
        (
            config.logins.bare_listen_keys && config.venues.contains_key("binance"),
            "Binance's listen keys by a key's id, as stock clients ask (logins.bare_listen_keys)",
        ),
    ];
    let taken: Vec<&str> = weak.into_iter().filter(|(on, _)| *on).map(|(_, what)| what).collect();
    match taken.is_empty() {
        true => Finding::good("logins", "nothing weaker than a signature or a secret"),
        false => Finding::good("logins", format!("taken: {}", taken.join("; "))),
    }
}

/// How long RSA keys must be. Fewer bits than the default are the desk's choice too, and told.
fn keys(config: &Config) -> Finding {
    let bits = config.keys.rsa();
    let seen = match bits < RsaBits::DEFAULT {
        true => format!("taken: RSA keys from {bits} bits on, lowered from 3072 (keys.rsa_bits)"),
        false => format!("RSA keys have {bits} bits or more"),
    };
    Finding::good("keys", seen)
}

/// Whether the list of breached passwords is one, if there is any.
fn breached(config: &Config) -> Option<Finding> {
    let path = config.passwords.breached.as_ref()?;
    let mend = "docs/people.md says how to get a list (passwords.breached)";
    Some(match Breached::open(path) {
        Ok(_) => Finding::good("passwords", format!("none of {} can be set", path.display())),
        Err(why) => Finding::bad("passwords", why, mend),
    })
}

/// Whether the processor can encrypt memory. Whether it does is its firmware's word.
fn memory() -> Finding {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = told.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let known = |flag: &&str| matches!(*flag, "sme" | "sev_snp" | "tme" | "tdx_guest");
    let found: Vec<&str> = flags.split_whitespace().filter(known).collect();
    match found.is_empty() {
        true => Finding::good("memory", "not encrypted: this processor does not say that it can"),
        false => Finding::good("memory", format!("can be encrypted: {}", found.join(", "))),
    }
}

fn disk(dir: &Path) -> Finding {
    match statvfs(dir) {
        Err(error) => Finding::bad("disk", error.to_string(), "check the folder"),
        Ok(found) => {
            let free = found.blocks_available().saturating_mul(found.fragment_size());
            let seen = format!("{} MiB free", free >> 20);
            if free < ENOUGH_BYTES {
                return Finding::bad(
                    "disk",
                    seen,
                    "free 2 GiB: without room no order can be written first",
                );
            }
            Finding::good("disk", seen)
        }
    }
}

fn journal(folder: &DataFolder) -> Finding {
    let dir = folder.journal();
    if !dir.exists() {
        return Finding::good("journal", "none yet");
    }
    match tidegate_journal::verify(&dir, None, None) {
        Ok(report) if report.is_whole() => Finding::good(
            "journal",
            format!(
                "{} records, whole, {} after the newest checkpoint",
                report.records,
                report.after_checkpoint()
            ),
        ),
        Ok(report) => {
            let first = report.damage.first().map(ToString::to_string).unwrap_or_default();
            Finding::bad("journal", first, "stop the gateway and run `tidegate journal repair`")
        }
        Err(error) => Finding::bad("journal", error.to_string(), "check the folder"),
    }
}

fn permissions(folder: &DataFolder) -> Vec<Finding> {
    let secret = [
        folder.path().to_owned(),
        folder.vault(),
        folder.vault_key(),
        folder.callers(),
        folder.checkpoint_key(),
        folder.ca_key(),
        folder.tls_key(),
        folder.admin_token(),
    ];
    let open: Vec<String> = secret
        .iter()
        .filter(|path| std::fs::metadata(path).is_ok_and(|m| m.mode() & 0o077 != 0))
        .map(|path| path.display().to_string())
        .collect();
    let mut found = vec![if open.is_empty() {
        Finding::good("permissions", "the owner alone may read keys")
    } else {
        Finding::bad("permissions", open.join(", "), "chmod go= on each")
    }];
    if folder.vault_key().exists() {
        found.push(Finding::good(
            "vault",
            "opens by a key file: whoever reads the folder can open it; a passphrase would not be there",
        ));
    }
    found
}

fn gateway(common: &Common, dir: &Path) -> Vec<Finding> {
    if common.url.is_none() && !is_running(dir) {
        return vec![Finding::good("gateway", "not running")];
    }
    let answer = ask(common, &Request::Status {}, Duration::from_secs(5));
    match answer.and_then(|value| super::status::read(&value)) {
        Err(failure) => vec![Finding::bad("gateway", failure.message, failure.hint)],
        Ok(status) => running(&status),
    }
}

/// What a running gateway tells.
fn running(status: &Status) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut look = |what, bad: Vec<String>, good: String, mend: &str| {
        found.push(match bad.is_empty() {
            true => Finding::good(what, good),
            false => Finding::bad(what, bad.join("; "), mend),
        });
    };
    let closed = status.accounts.iter().filter(|account| !account.open);
    let closed = closed.map(|account| format!("{} is closed: {}", account.account, account.why));
    let open = format!("running, {} accounts open", status.accounts.len());
    look("gateway", closed.collect(), open, "check the venue's address and the account's key");
    let next = format!(
        "next record {}, {} checkpointed, {} MiB",
        status.journal.next,
        status.journal.checkpointed,
        status.journal.bytes >> 20
    );
    let who = match status.has_admin {
        true => format!("approvals {}, {} waiting", status.approvals, status.approvals_waiting),
        false => format!(
            "approvals {}, no administrator named: the owner of the data folder acts alone",
            status.approvals
        ),
    };
    let weak = super::status::weak_controls(status);
    look("people", weak, who, "docs/people.md tells what each takes");
    let failed = status.journal_failed.iter().cloned().collect();
    look("writing", failed, next, "make room on the disk and restart the gateway");
    let lacks = status.signer_lacks.clone();
    let mend = "run the gateway as docs/going-live.md says, on a kernel with Landlock";
    look("signer", lacks, "every protection is in force".to_owned(), mend);
    found.extend(status.accounts.iter().filter_map(|account| {
        let (key, may) = (account.key.as_ref()?, account.rights.join(", "));
        Some(Finding::good("venue key", format!("{key} of {} may {may}", account.account)))
    }));
    found.extend(status.clocks.iter().map(clock::measured));
    if status.pids.signer.is_none() {
        found.push(Finding::bad(
            "signer",
            "down",
            "it is started again by itself; with a passphrase, restart the gateway",
        ));
    }
    let foreign = status.foreign.iter().map(|order| {
        let id = order.venue_id.as_deref().unwrap_or("?");
        format!("{id} of {} on {}", order.instrument, order.account)
    });
    let foreign: Vec<String> = foreign.collect();
    if !foreign.is_empty() {
        let mend = "somebody trades past Tidegate: cancel at the venue and find the other key";
        found.push(Finding::bad("foreign orders", foreign.join("; "), mend));
    }
    if let Some(newest) = status.alarms.last() {
        let seen = format!("{} not seen yet, the newest: {}", status.alarms.len(), line(newest));
        let mend = "`tidegate alarms` lists them, `tidegate alarms --seen` takes them off the list";
        found.push(Finding::bad("alarms", seen, mend));
    }
    for halt in &status.halts {
        let seen = format!("{} is halted by {}: {}", halt.scope, halt.by, halt.reason);
        found.push(Finding::bad("halt", seen, "`tidegate resume` lifts it"));
    }
    found
}

#[cfg(test)]
mod tests;
