//! `tidegate policy`: limits as files. What can be said of a file alone is said with no gateway running.

mod show;
mod trial;

use super::args::{Common, Policy as Command, PolicyRelease, PolicyShadow};
use super::manage::{PATIENCE, done};
use super::output::{Exit, Failure, print};
use super::reach::{ask, data_dir, is_running};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tidegate_policy::{Difference, Fault, Turn, Unreadable, canonical, diff, digest, warnings};
use tidegate_server::admin::protocol::{PolicyChecked, PolicyStatus, ReleaseSpec, Request};
use tidegate_types::policy::Policy;

/// What stands for the policy that the running gateway holds.
const IN_FORCE: &str = "in-force";
/// What asks for the report of a shadow.
const REPORT: &str = "report";

/// `tidegate policy …`
pub fn policy(common: &Common, command: Command) -> Result<(), Failure> {
    match command {
        Command::Check(args) => check(common, &args.file, args.canonical),
        Command::Test { file, cases } => trial::test(common, &file, &cases),
        Command::Diff { old, new } => compare(common, &old, &new),
        Command::Apply { file, reason } => apply(common, &file, reason),
        Command::Remove { reason } => {
            let text = "no policy is in force: the limits of accounts and grants hold alone";
            done(common, &Request::PolicyRemove { reason }, text)
        }
        Command::Show { file } => show::show(common, file),
        Command::Shadow(args) => shadow(common, &args),
        Command::Release(args) => release(common, args),
    }
}

fn release(common: &Common, args: PolicyRelease) -> Result<(), Failure> {
    let PolicyRelease { rule, caller, instrument, side, reason } = args;
    let side = side.word().to_owned();
    let text = format!("{caller} may {side} {instrument} again");
    let spec = ReleaseSpec { rule, caller, instrument, side, reason };
    done(common, &Request::ThrottleRelease(spec), &text)
}

/// What a running gateway tells of policies and overrides.
pub(super) fn told(common: &Common) -> Result<PolicyStatus, Failure> {
    parse(ask(common, &Request::Policy {}, PATIENCE)?)
}

/// A file and the policy in it.
struct Given {
    text: String,
    policy: Policy,
}

fn given(path: &Path) -> Result<Given, Failure> {
    let text = text_of(path)?;
    let policy = tidegate_policy::read(&path.display().to_string(), &text).map_err(unreadable)?;
    Ok(Given { text, policy })
}

fn text_of(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        Failure::new(
            "unreadable",
            format!("{}: {error}", path.display()),
            "name a file that is there",
        )
    })
}

/// All that is wrong with a file, a line each; as fields in JSON too.
fn unreadable(faults: Unreadable) -> Failure {
    let row = |fault: &Fault| {
        json!({
            "line": fault.place.line, "column": fault.place.column,
            "message": fault.message, "hint": fault.hint,
        })
    };
    let rows: Vec<Value> = faults.faults.iter().map(row).collect();
    let more = json!({ "file": faults.file, "faults": rows });
    let hint = "correct the file and ask again";
    let failure = Failure::new("bad-policy", faults.to_string(), hint);
    Failure { more: Some(Box::new(more)), ..failure }
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| {
        let hint = "use the gateway's own version of this command";
        Failure::new("version", format!("the answer cannot be read: {error}"), hint)
    })
}

/// Whether there is a gateway to ask.
fn reaches_one(common: &Common) -> bool {
    common.url.is_some() || data_dir(common).is_ok_and(|dir| is_running(&dir))
}

fn check(common: &Common, path: &Path, as_canonical: bool) -> Result<(), Failure> {
    let Given { text, policy } = given(path)?;
    let mut odd = warnings(&policy);
    let checked = asked_gateway(common, text)?;
    odd.extend(checked.iter().flat_map(|checked| checked.unknown.iter().cloned()));
    let (digest, rules) = (digest(&policy), policy.rules().len());
    let value = json!({
        "policy": policy.name().as_str(), "version": policy.version(), "digest": digest,
        "rules": rules, "warnings": odd, "canonical": canonical(&policy),
        "loosens": checked.as_ref().map(|checked| checked.loosens),
        "takes_two": checked.as_ref().map(|checked| checked.takes_two),
    });
    if as_canonical {
        print(common.json, &value, canonical(&policy).trim_end());
        return Ok(());
    }
    let mut lines = vec![format!("{}: {rules} rules, nothing is wrong", policy.stamp())];
    lines.push(format!("digest {digest}"));
    lines.extend(odd.iter().map(|line| format!("odd: {line}")));
    lines.extend(checked.map(|checked| effect(checked.loosens, Some(checked.takes_two))));
    print(common.json, &value, &lines.join("\n"));
    Ok(())
}

/// What a running gateway says of a policy; nothing where there is none, or who asks may not see that.
fn asked_gateway(common: &Common, policy: String) -> Result<Option<PolicyChecked>, Failure> {
    if !reaches_one(common) {
        return Ok(None);
    }
    match ask(common, &Request::PolicyCheck { policy }, PATIENCE) {
        Ok(value) => parse(value).map(Some),
        Err(failure) if failure.code == "not_yours" => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// What putting a policy in force takes.
fn effect(loosens: bool, takes_two: Option<bool>) -> String {
    match (loosens, takes_two) {
        (false, _) => "it tightens: one person puts it in force at once".to_owned(),
        (true, Some(true)) => "it loosens: a second person has to approve it".to_owned(),
        (true, Some(false)) => "it loosens: on this desk one person does that alone".to_owned(),
        (true, None) => {
            "it loosens: a second person has to approve it where the desk asks for two".to_owned()
        }
    }
}

/// The policy that a word or a path means; none where nothing is in force.
fn meant(common: &Common, word: &str) -> Result<Option<Policy>, Failure> {
    if word != IN_FORCE {
        return given(Path::new(word)).map(|given| Some(given.policy));
    }
    let Some(in_force) = told(common)?.in_force else { return Ok(None) };
    if in_force.file.is_empty() {
        let hint = "ask somebody with the role risk, approver, admin or auditor";
        return Err(Failure::new("not_yours", "the whole policy is not yours to see", hint));
    }
    tidegate_policy::read(IN_FORCE, &in_force.file).map(Some).map_err(unreadable)
}

fn compare(common: &Common, old: &str, new: &str) -> Result<(), Failure> {
    let (before, after) = (meant(common, old)?, meant(common, new)?);
    let after = after.ok_or_else(|| {
        Failure::new(
            "no-policy",
            "no policy is in force",
            "put one there with `tidegate policy apply`",
        )
    })?;
    let differences = diff(before.as_ref(), &after);
    // Limits come with a first policy, and none goes.
    let loosens = before.as_ref().is_some_and(|before| after.loosens(before));
    let takes_two = match old == IN_FORCE && new != IN_FORCE {
        true => {
            let request = Request::PolicyCheck { policy: canonical(&after) };
            let checked: PolicyChecked = parse(ask(common, &request, PATIENCE)?)?;
            Some(checked.takes_two)
        }
        false => None,
    };
    let rows: Vec<Value> = differences.iter().map(row).collect();
    let value = json!({
        "old": before.as_ref().map(digest), "new": digest(&after), "differences": rows,
        "loosens": loosens, "takes_two": takes_two,
    });
    let mut lines: Vec<String> = differences.iter().map(line).collect();
    if differences.is_empty() {
        lines.push("both say the same".to_owned());
    } else {
        lines.push(effect(loosens, takes_two));
    }
    print(common.json, &value, &lines.join("\n"));
    Ok(())
}

fn row(of: &Difference) -> Value {
    json!({
        "what": of.what, "how": of.word(), "turn": of.turn.word(), "before": of.before,
        "after": of.after,
    })
}

/// `+` what comes, `-` what goes, `<` what is tighter, `>` what is looser.
fn line(of: &Difference) -> String {
    let (before, after) = (of.before.as_deref().unwrap_or(""), of.after.as_deref().unwrap_or(""));
    let looser = if of.turn == Turn::Looser { " (looser)" } else { "" };
    match of.word() {
        "added" => format!("+ {}: {after}{looser}", of.what),
        "removed" => format!("- {}: {before}{looser}", of.what),
        word => {
            let sign = match of.turn {
                Turn::Tighter => '<',
                Turn::Looser => '>',
                Turn::Same => '=',
            };
            format!("{sign} {}: {word}: {before} -> {after}", of.what)
        }
    }
}

fn apply(common: &Common, path: &Path, reason: String) -> Result<(), Failure> {
    let Given { text, policy } = given(path)?;
    let text_of = format!("{} is in force\ndigest {}", policy.stamp(), digest(&policy));
    done(common, &Request::PolicySet { policy: text, reason }, &text_of)
}

fn shadow(common: &Common, args: &PolicyShadow) -> Result<(), Failure> {
    let reason = || {
        let missing = || Failure::usage("why is not said", "add --reason TEXT");
        args.reason.clone().ok_or_else(missing)
    };
    match args.file.as_deref() {
        None => {
            let request = Request::ShadowRemove { reason: reason()? };
            done(common, &request, "no policy runs beside any more")
        }
        Some(REPORT) => show::report(common),
        Some(file) => {
            let reason = reason()?;
            let Given { text, policy } = given(Path::new(file))?;
            let text_of = format!(
                "{} runs beside, without effect; `tidegate policy shadow report` tells what it would refuse",
                policy.stamp()
            );
            done(common, &Request::ShadowSet { policy: text, reason }, &text_of)
        }
    }
}

/// How a test of a policy ends that did not come out as expected.
fn came_out_otherwise(message: String, more: Value) -> Failure {
    let hint = "correct the policy or the cases";
    let failure = Failure::new("unexpected", message, hint);
    Failure { exit: Exit::Failed, more: Some(Box::new(more)), ..failure }
}
