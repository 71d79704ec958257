//! `tidegate api`: one request to the unified API of the gateway that this machine is logged in at.

use super::args::{Api, Common};
use super::login::{Place, Session, trouble};
use super::output::{Failure, print, say};
use super::run::runtime;
use crate::oauth::challenges;
use hyper::http::response::Parts;
use serde_json::{Value, json};
use std::io::Read as _;

/// The longest body that is read from a file or standard input.
const MAX_BODY: u64 = 1024 * 1024;

/// A request, as it is sent.
struct Request {
    method: String,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// `tidegate api`
pub fn api(common: &Common, args: &Api) -> Result<(), Failure> {
    let request = read(args)?;
    let place = Place::named(common.url.as_deref())?;
    let mut known = place.known()?;
    let sent = async {
        let mut session = Session::open(&place, &known)?;
        let token = session.token(&place, &mut known).await?;
        let to = (request.method.as_str(), request.target.as_str());
        let lost = |error| trouble(&known.gateway, &error);
        let answer =
            session.app.send(&token, to, &request.headers, &request.body).await.map_err(lost)?;
        if error_of(&answer.0).as_deref() != Some("invalid_token") {
            return Ok(answer);
        }
        // It was taken back, maybe alone; nothing was done.
        let token = session.renewed(&place, &mut known).await?;
        let gateway = known.gateway.clone();
        let answer = session.app.send(&token, to, &request.headers, &request.body).await;
        answer.map_err(|error| trouble(&gateway, &error))
    };
    let (head, body) = runtime()?.block_on(sent)?;
    if !head.status.is_success() {
        return Err(refused(&head, &body, &known.gateway));
    }
    if head.status == 202 {
        say("what became of it is not known yet: look at the order again, and do not send it anew");
    }
    let said: Value = serde_json::from_str(&body).unwrap_or_default();
    print(common.json, &said, &serde_json::to_string_pretty(&said).unwrap_or_default());
    Ok(())
}

fn read(args: &Api) -> Result<Request, Failure> {
    let usual = if args.data.is_some() { "POST" } else { "GET" };
    let (method, path) = match args.request.as_slice() {
        [method, path] => (method.as_str(), path.as_str()),
        [path] => (usual, path.as_str()),
        _ => (usual, ""),
    };
    let hint = "write it as `tidegate api GET /v1/orders`";
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(Failure::usage(format!("{method} is no method"), hint));
    }
    let target = match path.strip_prefix('/') {
        None => format!("/v1/{path}"),
        Some(below) if below.starts_with("v1/") => path.to_owned(),
        Some(_) => return Err(Failure::usage(format!("{path} is not below /v1"), hint)),
    };
    if path.contains('#') || target.parse::<hyper::Uri>().is_err() {
        return Err(Failure::usage(format!("{path} is no path"), hint));
    }
    let body = args.data.as_deref().map(body).transpose()?.unwrap_or_default();
    let mut headers = Vec::new();
    if !body.is_empty() {
        headers.push(("content-type", "application/json".to_owned()));
    }
    headers.extend(args.idempotency_key.clone().map(|key| ("idempotency-key", key)));
    Ok(Request { method: method.to_ascii_uppercase(), target, headers, body })
}

/// What is sent: the text, or what is in the file or on standard input. It has to be JSON.
fn body(data: &str) -> Result<String, Failure> {
    let text = match data.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file),
        None if data == "-" => {
            let mut text = String::new();
            std::io::stdin().lock().take(MAX_BODY).read_to_string(&mut text).map(|_| text)
        }
        None => Ok(data.to_owned()),
    };
    let hint = "give JSON, `@FILE` or `-`";
    let text = text.map_err(|error| Failure::usage(format!("{data}: {error}"), hint))?;
    match serde_json::from_str::<Value>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::usage(format!("the data is not JSON: {error}"), hint)),
    }
}

/// What a request was refused by: the problem (RFC 9457), and what to do about it.
fn refused(head: &Parts, body: &str, gateway: &str) -> Failure {
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |path: &str| problem.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let error = error_of(head);
    let code = match (error.as_deref(), text("/code")) {
        (Some(error), _) => error.to_owned(),
        (None, "") => text("/type").rsplit('/').next().unwrap_or_default().to_owned(),
        (None, code) => code.to_owned(),
    };
    let mut message = head.status.as_u16().to_string();
    for (before, part) in [(" ", text("/title")), (": ", text("/detail"))] {
        if !part.is_empty() {
            message.push_str(before);
            message.push_str(part);
        }
    }
    if let Some(own) = problem.get("code").and_then(Value::as_str) {
        message.push_str(&format!(" ({own})"));
    }
    if let Some(venue) = problem.pointer("/venue/code") {
        message.push_str(&format!("; the venue's code is {venue}"));
    }
    let hint = match (error.as_deref(), text("/retry")) {
        (Some("insufficient_user_authentication"), _) => log_in_better(head, gateway),
        (Some("invalid_token"), _) => format!("log in again with `tidegate login {gateway}`"),
        (Some("insufficient_scope"), _) => {
            format!("log in again with `tidegate login {gateway}`, asking for it")
        }
        (Some("invalid_dpop_proof"), _) => "check this machine's clock".to_owned(),
        (_, "later" | "sign_anew") => "nothing was done: try again later".to_owned(),
        (_, "ask") => "it may have been done: look before you try again".to_owned(),
        _ => String::new(),
    };
    let code: &'static str = if code.is_empty() { "refused" } else { code.leak() };
    let more = Some(Box::new(json!({ "status": head.status.as_u16(), "problem": problem })));
    Failure { more, ..Failure::new(code, message, hint) }
}

/// What OAuth calls a refusal (RFC 6750 §3.1, RFC 9449, RFC 9470).
fn error_of(head: &Parts) -> Option<String> {
    challenges(head).find_map(|challenge| parameter(challenge, "error"))
}

/// How to log in as a route wants it (RFC 9470 §3).
fn log_in_better(head: &Parts, gateway: &str) -> String {
    let mut command = format!("tidegate login {gateway}");
    for (name, option) in [("acr_values", "--acr"), ("max_age", "--max-age")] {
        let asked = challenges(head).find_map(|challenge| parameter(challenge, name));
        // Any of several levels will do.
        let asked = asked.and_then(|asked| asked.split(' ').next().map(str::to_owned));
        if let Some(asked) = asked {
            command.push_str(&format!(" {option} {asked}"));
        }
    }
    format!("the person who said yes has to log in better, or anew: `{command}`")
}

/// A parameter of a challenge.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, challenges: &[&str]) -> Parts {
        let mut response = hyper::Response::builder().status(status);
        for challenge in challenges {
            response = response.header("www-authenticate", *challenge);
        }
        response.body(()).unwrap().into_parts().0
    }

    fn request(words: &[&str], data: Option<&str>) -> Result<(String, String), Failure> {
        let args = Api {
            request: words.iter().map(|word| (*word).to_owned()).collect(),
            data: data.map(str::to_owned),
            idempotency_key: None,
        };
        read(&args).map(|request| (request.method, request.target))
    }

    #[test]
    fn what_is_typed_is_a_request_below_v1() {
        let ok = |words: &[&str], data| {
            let (method, target) = request(words, data).unwrap();
            format!("{method} {target}")
        };
        assert_eq!(ok(&["/v1/orders"], None), "GET /v1/orders");
        assert_eq!(ok(&["orders?state=open"], None), "GET /v1/orders?state=open");
        assert_eq!(ok(&["orders"], Some("{}")), "POST /v1/orders");
        assert_eq!(ok(&["delete", "/v1/orders/7"], None), "DELETE /v1/orders/7");
        for words in [&["/admin/v1"][..], &["GET", "/v1/a b"], &["G T", "orders"], &["o#x"]] {
            assert_eq!(request(words, None).unwrap_err().code, "usage", "{words:?}");
        }
        assert_eq!(request(&["orders"], Some("{")).unwrap_err().code, "usage");
    }

    #[test]
    fn a_step_up_says_how_to_log_in() {
        let challenge = "DPoP error=\"insufficient_user_authentication\", acr_values=\"phr\", \
                         max_age=\"300\", algs=\"EdDSA\"";
        let told = refused(&head(401, &[challenge]), "{}", "https://gate.example");
        assert_eq!(told.code, "insufficient_user_authentication");
        assert!(
            told.hint.contains("`tidegate login https://gate.example --acr phr --max-age 300`")
        );
    }

    #[test]
    fn a_problem_is_told_whole() {
        let problem = r#"{"type":"/v1/problems/TG502","title":"too large","status":422,"detail":"5 > 4",
            "code":"TG502","retry":"never","order":{"id":"7"}}"#;
        let told = refused(&head(422, &[]), problem, "https://gate.example");
        assert_eq!((told.code, told.message.as_str()), ("TG502", "422 too large: 5 > 4 (TG502)"));
        let more = told.more.unwrap();
        assert_eq!(more["problem"]["order"]["id"], "7");
        let told = refused(&head(502, &[]), "<html>", "https://gate.example");
        assert_eq!((told.code, told.message.as_str()), ("refused", "502"));
    }
}
