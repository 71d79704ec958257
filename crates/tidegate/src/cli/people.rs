//! People, and what they approve of each other.

use super::args::{Approvals, ApprovalsCommand, Approve, ApproveBy, Common, Person};
use super::manage::done;
use super::output::{Failure, asks_yes, print, say};
use super::reach::ask;
use super::status::now_ms;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::Duration;
use tidegate_server::admin::protocol::{
    ApprovalStatus, Invitation, LinkedStatus, NoticeStatus, PasskeyStatus, PersonSpec,
    PersonStatus, Request, SessionStatus,
};

/// How long a gateway may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// A key that was approved is asked after at the exchange.
const CARRYING_OUT: Duration = Duration::from_secs(60);
/// Most requests shown that ended.
const ENDED: usize = 10;

/// `tidegate person …`
pub fn person(common: &Common, command: Person) -> Result<(), Failure> {
    match command {
        Person::Set { person, roles, owns, reads } => {
            let text = format!("set person {person}");
            done(common, &Request::PersonSet(PersonSpec { person, roles, owns, reads }), &text)
        }
        Person::Remove { person } => {
            let text = format!("removed person {person}");
            done(common, &Request::PersonRemove { person }, &text)
        }
        Person::RemovePasskey { person, passkey } => {
            let text = format!("removed passkey {passkey} of {person}, and ended every session");
            done(common, &Request::PasskeyRemove { person, passkey }, &text)
        }
        Person::Me => me(common),
        Person::Invite { person } => link(common, &Request::PersonInvite { person }, ""),
        Person::Reset { person } => {
            let text =
                format!("{person} is logged out everywhere, and gets in by this link alone:\n");
            link(common, &Request::PersonReset { person }, &text)
        }
        Person::Sessions { person } => sessions(common, person),
        Person::Linked { person } => linked(common, person),
        Person::Unlink { person, issuer } => {
            let text = format!("unlinked {person}'s outside logins");
            done(common, &Request::Unlink { person, issuer }, &text)
        }
        Person::Logout { person, session } => {
            let text = match session {
                Some(number) => format!("ended session {number} of {person}"),
                None => format!("ended every session of {person}"),
            };
            done(common, &Request::SessionsEnd { person, number: session }, &text)
        }
        Person::List => {
            let value = ask(common, &Request::People {}, PATIENCE)?;
            let people: Vec<PersonStatus> = read(&value, "people")?;
            let line = |person: &PersonStatus| {
                let mut line = format!("{}  {}", person.person, person.roles.join(", "));
                for (what, callers) in [("owns", &person.owns), ("reads", &person.reads)] {
                    if !callers.is_empty() {
                        let _ = write!(line, "; {what} {}", callers.join(", "));
                    }
                }
                line.push_str(match (person.enrolled_ms, person.link_until_ms) {
                    (_, Some(_)) => "; a link is open",
                    (Some(_), None) => "",
                    (None, None) => "; not enrolled",
                });
                line
            };
            let lines: Vec<String> = people.iter().map(line).collect();
            let text = if lines.is_empty() {
                "nobody yet: who owns the data folder acts alone".to_owned()
            } else {
                lines.join("\n")
            };
            print(common.json, &value, &text);
            Ok(())
        }
    }
}

fn me(common: &Common) -> Result<(), Failure> {
    let value = ask(common, &Request::Me {}, PATIENCE)?;
    let list = |name: &str| read::<Vec<String>>(&value, name);
    let mut text: String = read(&value, "person")?;
    for (what, words) in
        [("", list("roles")?), ("owns ", list("owns")?), ("reads ", list("reads")?)]
    {
        if !words.is_empty() {
            let _ = write!(text, "; {what}{}", words.join(", "));
        }
    }
    if read(&value, "sets_up")? {
        text.push_str("; owner of the data folder, who acts alone until there is an administrator");
    }
    for action in list("may")? {
        let _ = write!(text, "\n  may {action}");
    }
    print(common.json, &value, &text);
    Ok(())
}

/// Asks for a link and shows it, which happens this once.
fn link(common: &Common, request: &Request, before: &str) -> Result<(), Failure> {
    let value = ask(common, request, PATIENCE)?;
    let made: Invitation = parse(value.clone())?;
    let hours = made.until_ms.saturating_sub(now_ms()) / 3_600_000 + 1;
    let text = format!(
        "{before}{}\nThe link is shown this once, and good once within {hours} hours.",
        made.link
    );
    let Some(id) = made.pending else {
        print(common.json, &value, &text);
        return Ok(());
    };
    if !common.json {
        print(false, &value, &text);
    }
    Err(Failure::pending(id, value))
}

fn sessions(common: &Common, person: String) -> Result<(), Failure> {
    let value = ask(common, &Request::Sessions { person }, PATIENCE)?;
    let sessions: Vec<SessionStatus> = read(&value, "sessions")?;
    let line = |session: &SessionStatus| {
        let idle = now_ms().saturating_sub(session.last_seen_ms) / 60_000;
        format!("{}  {}, used {idle} min ago", session.number, session.origin)
    };
    let lines: Vec<String> = sessions.iter().map(line).collect();
    let mut text = if lines.is_empty() { "not logged in".to_owned() } else { lines.join("\n") };
    for passkey in read::<Vec<PasskeyStatus>>(&value, "passkeys")? {
        let name = passkey.name.map(|name| format!(" {name:?}")).unwrap_or_default();
        let idle = now_ms().saturating_sub(passkey.last_used_ms) / 60_000;
        let _ = write!(text, "\npasskey {}{name}, used {idle} min ago", passkey.passkey);
    }
    for notice in read::<Vec<NoticeStatus>>(&value, "notices")? {
        let _ = write!(
            text,
            "\n{} min ago: {}",
            now_ms().saturating_sub(notice.at_ms) / 60_000,
            notice.what
        );
    }
    print(common.json, &value, &text);
    Ok(())
}

fn linked(common: &Common, person: String) -> Result<(), Failure> {
    let value = ask(common, &Request::Linked { person }, PATIENCE)?;
    let linked: Vec<LinkedStatus> = read(&value, "linked")?;
    let line = |linked: &LinkedStatus| {
        let days = |ms: u64| now_ms().saturating_sub(ms) / 86_400_000;
        let used = linked.last_used_ms.map(|ms| format!("used {} days ago", days(ms)));
        let used = used.unwrap_or_else(|| "never used".to_owned());
        let LinkedStatus { issuer, subject, since_ms, .. } = linked;
        format!("{issuer}  {subject}, linked {} days ago, {used}", days(*since_ms))
    };
    let lines: Vec<String> = linked.iter().map(line).collect();
    let text = if lines.is_empty() { "none is linked".to_owned() } else { lines.join("\n") };
    print(common.json, &value, &text);
    Ok(())
}

/// `tidegate approvals`
pub fn approvals(common: &Common, command: Option<ApprovalsCommand>) -> Result<(), Failure> {
    match command {
        None => list_approvals(common),
        Some(ApprovalsCommand::Show { id }) => show_approval(common, id),
        Some(ApprovalsCommand::Set { approvals }) => {
            let (approvals, text) = match approvals {
                Approvals::One => ("one", "from now on one person loosens alone"),
                Approvals::Two => ("two", "from now on it takes two people to loosen"),
            };
            done(common, &Request::ApprovalsSet { approvals: approvals.to_owned() }, text)
        }
        Some(ApprovalsCommand::By { approve_by }) => {
            let (approve_by, text) = match approve_by {
                ApproveBy::Any => ("any", "from now on no passkey is asked for"),
                ApproveBy::Passkey => {
                    ("passkey", "from now on approving, and asking, takes a passkey")
                }
            };
            done(common, &Request::ApproveBySet { approve_by: approve_by.to_owned() }, text)
        }
    }
}

fn show_approval(common: &Common, id: u64) -> Result<(), Failure> {
    let value = ask(common, &Request::Approvals {}, PATIENCE)?;
    let rows: Vec<Value> = read(&value, "requests")?;
    let row = rows.into_iter().find(|row| row.get("id").and_then(Value::as_u64) == Some(id));
    let row = row.ok_or_else(|| no_such(id))?;
    let request: ApprovalStatus = parse(row.clone())?;
    let text = match request.stage.as_str() {
        "waiting" => waits(&request),
        _ => ended(&request),
    };
    print(common.json, &row, &text);
    Ok(())
}

fn no_such(id: u64) -> Failure {
    let message = format!("there is no request {id} for approval");
    Failure::new("no_such_approval", message, "`tidegate approvals` lists those there are")
}

/// What became of a request, and its whole statement.
fn ended(request: &ApprovalStatus) -> String {
    let mut text = format!("{} {}", request.id, request.stage);
    for (before, said) in
        [(" by ", &request.ended_by), (", shown by ", &request.factor), (": ", &request.why)]
    {
        if let Some(said) = said {
            let _ = write!(text, "{before}{said}");
        }
    }
    let _ = write!(text, "\n{}\n  digest {}", request.statement, request.digest);
    text
}

fn list_approvals(common: &Common) -> Result<(), Failure> {
    let value = ask(common, &Request::Approvals {}, PATIENCE)?;
    let requests: Vec<ApprovalStatus> = read(&value, "requests")?;
    let needed = value.get("approvals").and_then(Value::as_str).unwrap_or_default();
    let (waiting, ended): (Vec<_>, Vec<_>) =
        requests.iter().partition(|request| request.stage == "waiting");
    let mut text = format!("approvals: {needed}; {} waiting", waiting.len());
    for request in waiting {
        let _ = write!(text, "\n\n{}", waits(request));
    }
    for request in ended.iter().rev().take(ENDED) {
        let by = request.ended_by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let first = request.statement.lines().next().unwrap_or_default();
        let _ = write!(text, "\n\n{} {}{by}: {first}", request.id, request.stage);
    }
    print(common.json, &value, &text);
    Ok(())
}

/// `tidegate approve ID`: shows the request, asks, and approves the digest of what was shown. Where
/// nobody can be asked the digest has to be given.
pub fn approve(common: &Common, args: &Approve) -> Result<(), Failure> {
    let value = ask(common, &Request::Approvals {}, PATIENCE)?;
    let requests: Vec<ApprovalStatus> = read(&value, "requests")?;
    let found = requests.into_iter().find(|request| request.id == args.id);
    let digest = match (&args.digest, &found) {
        (Some(digest), _) => digest.clone(),
        (None, Some(request)) => agreed(common, request)?,
        (None, None) => return Err(no_such(args.id)),
    };
    let request = Request::Approve { id: args.id, digest: digest.clone() };
    let answer = ask(common, &request, CARRYING_OUT)?;
    let statement = found.map(|request| request.statement).unwrap_or_default();
    let object = serde_json::json!({
        "approved": args.id, "digest": digest, "statement": statement, "then": answer.get("then"),
    });
    let mut text = format!("approved {}\n{statement}", args.id);
    if let Some(next) = answer.pointer("/then/pending") {
        let _ = write!(text, "\nwhat follows from it waits in its turn: `tidegate approve {next}`");
    }
    if let Some(why) = answer.pointer("/then/error/message").and_then(Value::as_str) {
        let _ =
            write!(text, "\nit is carried out, but what follows from it is not done yet: {why}");
    }
    print(common.json, &object, &text);
    Ok(())
}

/// The digest of a request that a person was shown and said yes to.
fn agreed(common: &Common, request: &ApprovalStatus) -> Result<String, Failure> {
    if common.json || !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "nobody is there to be shown what is approved",
            "read `tidegate approvals`, and give the digest of what you read with --digest",
        ));
    }
    say(&waits(request));
    if request.stage == "waiting" && !asks_yes("Approve exactly this? Type yes: ") {
        return Err(Failure::new("not-approved", "nothing was approved", ""));
    }
    Ok(request.digest.clone())
}

/// `tidegate deny ID`
pub fn deny(common: &Common, id: u64) -> Result<(), Failure> {
    done(common, &Request::Deny { id }, &format!("denied {id}"))
}

fn waits(request: &ApprovalStatus) -> String {
    let left = request.until_ms.saturating_sub(now_ms()) / 60_000;
    let mut text = format!("{} ({left} min left) {}", request.id, request.statement);
    if request.to_confirm {
        text.push_str("\n  who asked has to confirm it by passkey, in the console");
    }
    if request.misses > 0 {
        let _ = write!(text, "\n  approved with a wrong digest: {}", request.misses);
    }
    let _ = write!(text, "\n  digest {}", request.digest);
    text
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(value: &Value, key: &str) -> Result<T, Failure> {
    parse(value.get(key).cloned().unwrap_or_default())
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| {
        let hint = "use the gateway's own version of this command";
        Failure::new("version", format!("the answer cannot be read: {error}"), hint)
    })
}
