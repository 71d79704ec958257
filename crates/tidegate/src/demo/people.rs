//! The demo's people, one of each role, and the links by which they enrol in the console.

use super::desk::YOU;
use crate::cli::args::{Approvals, Common};
use crate::cli::output::Failure;
use crate::cli::people::read;
use crate::cli::reach::ask;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use tidegate_server::admin::protocol::{PersonSpec, PersonStatus, Request};
use tidegate_server::config::Config;
use tidegate_types::person::Role;
use tidegate_vault::write_private;

const PATIENCE: Duration = Duration::from_secs(30);
/// Who is there, and what for; the admin comes last, since there is no setting up after it.
const PEOPLE: [(&str, &[Role]); 5] = [
    ("tom", &[Role::Trader]),
    ("ray", &[Role::Risk]),
    ("pia", &[Role::Approver]),
    ("udo", &[Role::Auditor]),
    (OWNER, &[Role::Admin]),
];
/// Who the owner of the folder is at the command line.
pub const OWNER: &str = "ada";

/// Has the owner of the folder be a person of the desk, unless somebody else is named already.
pub fn name_owner(config: &mut Config) {
    if config.people.is_empty() {
        let uid = nix::unistd::getuid().to_string();
        config.people.insert(uid, OWNER.to_owned());
    }
}

/// A mode, as it is typed.
pub const fn word(approvals: Approvals) -> &'static str {
    match approvals {
        Approvals::One => "one",
        Approvals::Two => "two",
    }
}

/// What somebody is there for. Where one person decides, the owner of the folder does so at the command line:
/// then it is there for risk as well.
fn roles(person: &str, roles: &[Role], approvals: Approvals) -> Vec<String> {
    let more = (person == OWNER && approvals == Approvals::One).then_some(Role::Risk);
    roles.iter().copied().chain(more).map(|role| role.word().to_owned()).collect()
}

/// Names the people, the first time, and makes their links; the links as they are at `console` now.
pub fn seat(dir: &Path, console: &str, approvals: Approvals) -> Result<Value, Failure> {
    let mine =
        Common { data_dir: Some(dir.to_owned()), json: true, url: None, die_with_parent: false };
    let ask = |request: Request| ask(&mine, &request, PATIENCE);
    let failed = |error: &dyn std::fmt::Display| super::failed(&error.to_string());
    let file = dir.join("people.json");
    let known = ask(Request::Status {})?.get("has_admin").and_then(Value::as_bool);
    if known != Some(true) {
        let mut people = Vec::new();
        for (person, held) in PEOPLE {
            let (person, roles) = (person.to_owned(), roles(person, held, approvals));
            let made = ask(Request::PersonInvite { person: person.clone() })?;
            let link = made.get("link").and_then(Value::as_str).unwrap_or_default();
            let path = link.split_once("/console/").map_or("", |(_, path)| path);
            people.push(json!({"person": person, "roles": roles, "link": path}));
            let owns = if person == "tom" { vec![YOU.to_owned()] } else { Vec::new() };
            let text = Value::Array(people.clone()).to_string();
            write_private(&file, text.as_bytes()).map_err(|e| failed(&e))?;
            ask(Request::PersonSet(PersonSpec { person, roles, owns, reads: Vec::new() }))?;
        }
    }
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let mut people: Value = serde_json::from_str(&text).unwrap_or_default();
    // A link that was used, or has lapsed, leads nowhere.
    let told = ask(Request::People {})?;
    let told: Vec<PersonStatus> = read(&told, "people")?;
    let open = |name: &str| told.iter().any(|it| it.person == name && it.link_until_ms.is_some());
    for person in people.as_array_mut().into_iter().flatten() {
        let is_open = person.get("person").and_then(Value::as_str).is_some_and(open);
        if let Some(link) = person.get_mut("link") {
            *link = match is_open {
                true => format!("{console}{}", link.as_str().unwrap_or_default()).into(),
                false => Value::Null,
            };
        }
    }
    Ok(people)
}

/// What to open.
pub fn welcome(ready: &Value) -> String {
    let text = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut out = format!(
        "\n# The console, in a browser that trusts the same file: {}\n# Each enrols by a link of its own, once\n",
        text(ready, "console")
    );
    if text(ready, "approvals") == "two" {
        out.push_str(
            "# What loosens takes two: ray asks to lift a halt under Halts, and pia approves it\n",
        );
    }
    for person in ready.get("people").and_then(Value::as_array).into_iter().flatten() {
        let roles = person.get("roles").and_then(Value::as_array);
        let roles: Vec<&str> = roles.into_iter().flatten().filter_map(Value::as_str).collect();
        let _ = writeln!(
            out,
            "{} ({}): {}",
            text(person, "person"),
            roles.join(", "),
            match person.get("link").and_then(Value::as_str) {
                Some(link) => link.to_owned(),
                None => format!(
                    "no link is open: enrolled, or it lapsed; `tidegate person invite {} --data-dir {}` makes one",
                    text(person, "person"),
                    text(ready, "data_dir")
                ),
            }
        );
    }
    out
}
