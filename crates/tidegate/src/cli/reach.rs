//! Reaches a running gateway: through the local socket in its data folder, or at a URL with a token.

use super::args::Common;
use super::output::{Exit, Failure};
use crate::http::Client;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tidegate_server::admin::protocol::{self, Remains, Request, Response};
use tidegate_server::folder::DataFolder;

/// Most orders that are told one by one.
const SHOWN: usize = 10;

/// Where the data folder is: `--data-dir`, else `tidegate` in the user's data folder.
pub fn data_dir(common: &Common) -> Result<PathBuf, Failure> {
    if let Some(dir) = &common.data_dir {
        return Ok(dir.clone());
    }
    let home = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = home("XDG_DATA_HOME").or_else(|| home("HOME").map(|h| h.join(".local/share")));
    base.map(|base| base.join("tidegate"))
        .ok_or_else(|| Failure::usage("there is no home folder", "name a folder with --data-dir"))
}

/// Asks and waits for the answer, at most `patience` longer than the gateway itself may take.
pub fn ask(common: &Common, request: &Request, patience: Duration) -> Result<Value, Failure> {
    let answer = match &common.url {
        Some(url) => over_https(common, url, request),
        None => over_socket(&data_dir(common)?, request, patience),
    }?;
    match answer {
        Response::Ok(value) => Ok(value),
        Response::Error(failure) => Err(refused(failure)),
    }
}

/// Whether a gateway runs on the folder.
pub fn is_running(data_dir: &Path) -> bool {
    UnixStream::connect(DataFolder::new(data_dir).admin_socket()).is_ok()
}

fn over_socket(
    data_dir: &Path,
    request: &Request,
    patience: Duration,
) -> Result<Response, Failure> {
    let path = DataFolder::new(data_dir).admin_socket();
    let stream = UnixStream::connect(&path).map_err(|error| not_running(&path, &error))?;
    let exchange = || -> io::Result<Response> {
        stream.set_read_timeout(Some(patience))?;
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        (&stream).write_all(&line)?;
        let mut answer = String::new();
        BufReader::new(&stream).read_line(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    };
    exchange().map_err(|error| {
        Failure::new(
            "no-answer",
            format!("the gateway did not answer, and may or may not have taken it: {error}"),
            "look at `tidegate status` before trying again",
        )
    })
}

fn not_running(path: &Path, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return Failure::new(
            "not-allowed",
            format!("{} may not be opened by this user", path.display()),
            "run this as the owner of the data folder",
        );
    }
    Failure::new(
        "not-running",
        format!("no gateway runs on {}", path.parent().unwrap_or(path).display()),
        "start it with `tidegate serve`, or name its folder with --data-dir",
    )
}

fn over_https(common: &Common, url: &str, request: &Request) -> Result<Response, Failure> {
    let token = std::env::var("TIDEGATE_TOKEN").map_err(|_| {
        Failure::usage(
            "--url needs a token",
            "put it into TIDEGATE_TOKEN; it stands in `admin-token` in the data folder",
        )
    })?;
    let ca =
        data_dir(common).ok().map(|dir| DataFolder::new(dir).ca()).filter(|path| path.exists());
    let exchange = async {
        let mut client = Client::new(url, ca.as_deref())?;
        let headers = [
            ("authorization", format!("Bearer {}", token.trim())),
            ("content-type", "application/json".to_owned()),
        ];
        let body = serde_json::to_string(request)?;
        let target = if url.ends_with("/admin/v1") { "" } else { "/admin/v1" };
        let (_, answer) = client.send("POST", target, &headers, body).await?;
        serde_json::from_str(&answer).map_err(io::Error::other)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.and_then(|runtime| runtime.block_on(exchange)).map_err(|error: io::Error| {
        Failure::new("unreachable", format!("{url}: {error}"), "check the address and the token")
    })
}

fn refused(failure: protocol::Failure) -> Failure {
    let more = match serde_json::to_value(&failure.remains) {
        Ok(Value::Object(fields)) if !fields.is_empty() => Some(Box::new(Value::Object(fields))),
        _ => None,
    };
    let mut message = failure.message;
    for line in remains(&failure.remains, failure.remains.left.len()) {
        message.push_str("; ");
        message.push_str(&line);
    }
    // Codes are the gateway's; scripts read them from the JSON object.
    let code: &'static str = Box::leak(failure.code.into_boxed_str());
    Failure { code, message, hint: failure.hint, exit: Exit::Failed, more }
}

/// What a halt still waits for, in lines; of many orders (`count` in all) the first few.
pub fn remains(remains: &Remains, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for order in remains.left.iter().take(SHOWN) {
        let id = order.client_id.as_deref().or(order.venue_id.as_deref()).unwrap_or("?");
        let why = order.why.as_deref().unwrap_or("open");
        lines.push(format!(
            "left: order:{} {}:{} {id}: {why}",
            order.order, order.account, order.instrument
        ));
    }
    if count > SHOWN {
        lines.push(format!("and {} more orders", count - SHOWN));
    }
    let not_shown = remains.not_shown.iter();
    lines.extend(not_shown.map(|one| format!("not shown: {}: {}", one.account, one.why)));
    let held = remains.positions.iter();
    lines.extend(held.map(|held| {
        format!("held: {}:{} {}: {}", held.account, held.instrument, held.qty, held.why)
    }));
    let closed = remains.closed.iter();
    lines.extend(closed.map(|closed| format!("closed: {} {}", closed.instrument, closed.qty)));
    lines
}
