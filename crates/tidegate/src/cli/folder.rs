//! Commands that make and fill a data folder: `init` and `venue-key import`.

use super::args::{Approvals, Common, FirstBreakers, Init, VenueKey};
use super::manage::pending;
use super::output::{Failure, print, say};
use super::reach::{ask, data_dir, is_running};
use super::run::runtime;
use super::vault;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use serde_json::json;
use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;
use std::time::Duration;
use tidegate_server::admin::protocol::Request;
use tidegate_server::config::{self, Config, Listen};
use tidegate_server::folder::DataFolder;
use tidegate_server::people::{self, FirstAdmin, link_at};
use tidegate_server::setup::{self, InitOptions, InitUnlock, SetupError};
use tidegate_types::ids::{AccountName, PersonName, VenueName};
use tidegate_types::secret::Secret;

/// How long a gateway may take to read a key again and ask the venue about it.
const RELOAD: Duration = Duration::from_secs(45);

/// The longest key file or passphrase.
const MAX_SECRET: u64 = 64 * 1024;

/// `tidegate init`
pub fn init(common: &Common, args: &Init) -> Result<(), Failure> {
    let dir = data_dir(common)?;
    keep_private();
    let unlock =
        if args.key_file { InitUnlock::KeyFile } else { InitUnlock::Passphrase(new_passphrase()?) };
    let approvals = match args.approvals {
        Approvals::One => config::Approvals::One,
        Approvals::Two => config::Approvals::Two,
    };
    let breakers = match args.breakers {
        FirstBreakers::Standard => config::FirstBreakers::Standard,
        FirstBreakers::Untimed => config::FirstBreakers::Untimed,
        FirstBreakers::None => config::FirstBreakers::None,
    };
    let (desk, listen, admin) = (args.desk.clone(), listen(args), first_admin(args)?);
    // At the command line the owner of the folder is that person as well.
    let people = [(nix::unistd::getuid().to_string(), admin.to_string())].into();
    let config = Config { desk, listen, approvals, breakers, people, ..Config::default() };
    let wrong = |error: people::Error| failed(SetupError(error.to_string()));
    let (first, secret) = FirstAdmin::invite(admin.clone()).map_err(wrong)?;
    let link = link_at(&config.origin(config.listen.address.port()), &secret);
    let options = InitOptions { config, unlock, first_admin: Some(first) };
    let opened = setup::init(&dir, options).map_err(failed)?;
    let folder = &opened.folder;
    let object = json!({"data_dir": dir, "config": folder.config(), "ca": folder.ca(),
        "admin": {"person": admin.as_str(), "link": link}});
    let text = format!(
        "made {}\nname the venues in {}\nlet callers trust {}\n\n\
         {admin} becomes the first administrator by this link, once and within a week, while `tidegate serve` \
         runs:\n{link}\n\
         Until then the owner of the folder sets the desk up alone; from then on the roles hold for \
         everybody.",
        dir.display(),
        folder.config().display(),
        folder.ca().display()
    );
    print(common.json, &object, &text);
    Ok(())
}

/// Who becomes the first administrator: who is named, or whoever runs this.
fn first_admin(args: &Init) -> Result<PersonName, Failure> {
    let named = |text: &str| PersonName::new(text).ok().filter(|name| !name.is_reserved());
    let hint = "use letters, digits, - and _, and no name that records use for others";
    match &args.admin {
        Some(text) => {
            named(text).ok_or_else(|| Failure::usage(format!("{text:?} is not a name"), hint))
        }
        None => {
            let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten();
            user.and_then(|user| named(&user.name))
                .or_else(|| named("admin"))
                .ok_or_else(|| Failure::usage("nobody is named", "give --admin NAME"))
        }
    }
}

/// Where callers connect, and every name and address by which they do.
fn listen(args: &Init) -> Listen {
    let mut listen = Listen { names: args.names.clone(), ..Listen::default() };
    if let Some(address) = args.listen {
        listen.address = address;
        let (ip, named) = (address.ip(), address.ip().to_string());
        // Loopback addresses are always in; nobody connects to the unspecified one.
        if !ip.is_loopback() && !ip.is_unspecified() && !listen.names.contains(&named) {
            listen.names.push(named);
        }
    }
    listen
}

/// `tidegate venue-key import`
pub fn venue_key(common: &Common, command: VenueKey) -> Result<(), Failure> {
    let (account, venue, file, allow_withdraw_key, passphrase_file) = match command {
        VenueKey::Import { account, venue, file, allow_withdraw_key, passphrase_file } => {
            (account, venue, file, allow_withdraw_key, passphrase_file)
        }
        VenueKey::Reload { account } => return reload(common, account),
        VenueKey::List { passphrase_file } => {
            return vault::list(common, passphrase_file.as_deref());
        }
        VenueKey::Remove { account, key, passphrase_file } => {
            return vault::remove(common, &account, &key, passphrase_file.as_deref());
        }
    };
    let opened = setup::open(&data_dir(common)?).map_err(failed)?;
    keep_private();
    let name = |what: &str| {
        Failure::usage(format!("{what} is not a name"), "use letters, digits, - and _")
    };
    let account = AccountName::new(&account).map_err(|_| name(&account))?;
    let venue = VenueName::new(&venue).map_err(|_| name(&venue))?;
    let folder = &opened.folder;
    let asks = passphrase_file.is_none() && !folder.vault_key().exists();
    if asks && file.is_none() && !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "standard input holds the key, so the vault's passphrase cannot come from there",
            "name a file that holds it with --passphrase-file",
        ));
    }
    let text = key_text(file.as_deref())?;
    let unlock = vault::unlock(folder, passphrase_file.as_deref())?;
    let import = setup::import_venue_key(
        folder,
        &opened.config,
        &account,
        &venue,
        &text,
        &unlock,
        allow_withdraw_key,
    );
    let imported = runtime()?.block_on(import).map_err(failed)?;
    let mut waits = None;
    let taken_up = match is_running(folder.path()) {
        true => {
            let reload = Request::VenueKeyReload { account: account.to_string() };
            let told = ask(common, &reload, RELOAD).map_err(|failure| Failure {
                message: format!("the key is sealed but not in use: {}", failure.message),
                ..failure
            })?;
            waits = pending(&told);
            told.get("rights").is_some_and(|rights| !rights.is_null())
        }
        false => false,
    };
    let next = match taken_up {
        true => "the gateway uses it from now on",
        false => "it is used once the gateway runs and knows the account (`tidegate account add`)",
    };
    let mut object = json!({
        "account": account.as_str(), "key": imported.key_id, "rights": imported.rights,
        "opens_sessions": imported.opens_sessions, "in_use": taken_up,
    });
    let text = format!(
        "sealed the key of {account}; the venue says it may: {}\n{next}\nnow delete the file it came from",
        imported.rights.join(", ")
    );
    let Some(id) = waits else {
        print(common.json, &object, &text);
        return Ok(());
    };
    if let Some(fields) = object.as_object_mut() {
        fields.insert("pending".to_owned(), id.into());
    }
    Err(Failure::pending(id, object))
}

fn reload(common: &Common, account: String) -> Result<(), Failure> {
    let told = ask(common, &Request::VenueKeyReload { account: account.clone() }, RELOAD)?;
    if let Some(id) = pending(&told) {
        return Err(Failure::pending(id, told));
    }
    let rights = told.get("rights").and_then(serde_json::Value::as_array);
    let rights: Vec<&str> =
        rights.into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    print(common.json, &told, &format!("{account}: the key may {}", rights.join(", ")));
    Ok(())
}

/// Asks for the vault's passphrase on the terminal, without showing it, or reads it as one line.
pub fn ask_passphrase(prompt: &str) -> Result<Secret, Failure> {
    let mut line = String::new();
    let read = unseen(prompt, || io::stdin().lock().take(MAX_SECRET).read_line(&mut line));
    read.map_err(|error| Failure::new("passphrase", error.to_string(), ""))?;
    let secret = Secret::new(line.trim_end_matches(['\r', '\n']).as_bytes().to_vec());
    zeroize::Zeroize::zeroize(&mut line);
    if secret.expose().is_empty() {
        return Err(Failure::usage(
            "there is no passphrase",
            "give it as one line on standard input",
        ));
    }
    Ok(secret)
}

/// Has something read from standard input; on a terminal after a prompt, and without showing it.
fn unseen<T>(prompt: &str, read: impl FnOnce() -> T) -> T {
    let stdin = io::stdin();
    let before = stdin.is_terminal().then(|| tcgetattr(&stdin).ok()).flatten();
    if let Some(before) = &before {
        say(prompt);
        let mut quiet = before.clone();
        quiet.local_flags.remove(LocalFlags::ECHO);
        let _ = tcsetattr(&stdin, SetArg::TCSANOW, &quiet);
    }
    let read = read();
    if let Some(before) = &before {
        let _ = tcsetattr(&stdin, SetArg::TCSANOW, before);
    }
    read
}

/// Keeps what this process is about to read out of core dumps and debuggers. A system that refuses
/// keeps nobody from his work.
pub fn keep_private() {
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let _ = nix::sys::prctl::set_dumpable(false);
}

pub fn new_passphrase() -> Result<Secret, Failure> {
    let first = ask_passphrase("a passphrase for the vault; it cannot be recovered: ")?;
    if io::stdin().is_terminal() {
        let again = ask_passphrase("the same again: ")?;
        if again.expose() != first.expose() {
            return Err(Failure::usage("the two are not the same", "start over"));
        }
    }
    Ok(first)
}

fn key_text(file: Option<&Path>) -> Result<Secret, Failure> {
    let mut bytes = Vec::new();
    let read = match file {
        Some(path) => {
            std::fs::File::open(path).and_then(|f| f.take(MAX_SECRET).read_to_end(&mut bytes))
        }
        None => {
            let prompt = "the key as docs/going-live.md shows it, then Ctrl-D: ";
            unseen(prompt, || io::stdin().lock().take(MAX_SECRET).read_to_end(&mut bytes))
        }
    };
    read.map_err(|error| {
        Failure::new("unreadable", format!("the key: {error}"), "check the path")
    })?;
    Ok(Secret::new(bytes))
}

pub fn first_line(path: &Path) -> Result<Secret, Failure> {
    let Ok(bytes) = std::fs::read(path) else {
        let what = format!("{} cannot be read", path.display());
        return Err(Failure::new("unreadable", what, "check the path"));
    };
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
    Ok(Secret::new(line))
}

pub fn failed(error: SetupError) -> Failure {
    Failure::new("setup", error.0, "")
}

/// The data folder of a command that needs one.
pub fn open(common: &Common) -> Result<(DataFolder, Config), Failure> {
    let opened = setup::open(&data_dir(common)?).map_err(failed)?;
    Ok((opened.folder, opened.config))
}
