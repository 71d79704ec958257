//! `tidegate serve`, and what the commands that stay in the foreground share.

use super::args::{Common, Serve};
use super::output::{Failure, print, say};
use serde_json::{Map, Value, json};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use tidegate_server::folder::DataFolder;
use tidegate_server::gateway::{GatewayConfig, Ready};
use tidegate_server::setup;

/// `tidegate serve`. Where the vault opens by a passphrase, it is the first line of standard input,
/// which only the signer reads.
pub fn serve(common: &Common, args: &Serve) -> Result<(), Failure> {
    // It opens the secrets of virtual keys and of people.
    super::folder::keep_private();
    let (folder, mut config) = super::folder::open(common)?;
    if let Some(listen) = args.listen {
        config.listen.address = listen;
    }
    let passphrase = if folder.vault_key().exists() {
        None
    } else {
        say("the passphrase, on one line: ");
        Some(io::stdin().as_fd().try_clone_to_owned().map_err(internal)?)
    };
    let signer = setup::signer_config(&folder, passphrase)
        .map_err(|error| Failure::new("signer", error.0, ""))?;
    let json = common.json;
    let place = folder.clone();
    let ready = move |told: &Ready| {
        let object = serve_object(told, &place);
        let url = object.get("gateway").and_then(Value::as_str).unwrap_or_default().to_owned();
        let text = format!("tidegate serves {url}; the console is at {}", told.console);
        print(json, &object, &text);
    };
    let gateway = GatewayConfig { folder, config, signer };
    runtime()?
        .block_on(tidegate_server::gateway::run(gateway, ready))
        .map_err(|error| Failure::new("gateway", error.to_string(), "run `tidegate doctor`"))
}

/// The ready line: the contract's keys, `null` for what does not exist.
pub fn ready_object(
    gateway: &str,
    ca: Option<&Path>,
    dir: &Path,
    pids: Value,
    venues: Value,
) -> Value {
    json!({
        "gateway": gateway, "ca": ca, "proxy": null, "console": null, "admin": null,
        "pids": pids, "data_dir": dir, "venues": venues,
    })
}

fn serve_object(told: &Ready, folder: &DataFolder) -> Value {
    let (web, socket) = if told.tls { ("https", "wss") } else { ("http", "ws") };
    let venues: Map<String, Value> = told
        .venues
        .iter()
        .map(|(name, address)| {
            let object = json!({
                "rest": format!("{web}://{address}"), "ws": format!("{socket}://{address}"),
                "key": null, "secret": null, "passphrase": null,
                "prefixed": format!("{web}://{}/{name}", told.address),
            });
            (name.clone(), object)
        })
        .collect();
    let url = format!("{web}://{}", told.address);
    let pids = json!({"gateway": std::process::id(), "signer": told.signer_pid, "sim": null});
    let ca = told.tls.then(|| folder.ca());
    let mut object = ready_object(&url, ca.as_deref(), folder.path(), pids, Value::Object(venues));
    if let Some(console) = object.get_mut("console") {
        *console = told.console.clone().into();
    }
    object
}

/// One thread serves everything; what blocks has threads of its own.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(internal)
}

fn internal(error: io::Error) -> Failure {
    Failure::new("system", error.to_string(), "free memory or file descriptors")
}
