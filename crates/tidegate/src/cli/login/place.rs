//! What is kept of a gateway: below `$XDG_CONFIG_HOME/tidegate` or `~/.config/tidegate`, a folder for each, which
//! nobody else may read.

use crate::cli::output::Failure;
use crate::oauth::Keys;
use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use tidegate_identity::oauth::jose::SigningKey;
use tidegate_identity::oauth::metadata::check_issuer;
use tidegate_server::clock;
use tidegate_types::secret::Secret;
use tidegate_vault::{read_private, write_private};

/// Bytes of a key's seed.
const SEED: usize = 32;
/// The name of the folder that was logged in at last.
const LAST: &str = "last";

/// Where what is known of one gateway is kept.
pub struct Place {
    folder: PathBuf,
}

/// What is known of a gateway. It holds tokens: not to be shown as it is.
#[derive(Serialize, Deserialize)]
pub struct Known {
    /// Its address, which is its name as well.
    pub gateway: String,
    /// The app that this machine is there.
    pub app: String,
    /// What is asked for.
    pub details: Value,
    /// What was granted, while logged in.
    pub granted: Option<Granted>,
}

/// Tokens, and what they are for.
#[derive(Serialize, Deserialize)]
pub struct Granted {
    pub access: String,
    /// When the access token ends, in ms since 1970.
    pub until_ms: u64,
    pub refresh: Option<String>,
    pub details: Value,
}

impl Known {
    /// Whether more than reading is asked for.
    pub fn trades(&self) -> bool {
        let reads = |item: &Value| item.get("read_only").and_then(Value::as_bool) == Some(true);
        !self.details.as_array().is_some_and(|items| items.iter().all(reads))
    }
}

impl Granted {
    /// What a token endpoint gave; a refresh token stays good if it gave no other.
    pub fn read(said: &Value, refresh: Option<String>) -> Option<Granted> {
        let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
        let seconds = said.get("expires_in").and_then(Value::as_u64)?;
        Some(Granted {
            access: text("access_token")?,
            until_ms: clock::now().millis() + seconds * 1000,
            refresh: text("refresh_token").or(refresh),
            details: said.get("authorization_details").cloned().unwrap_or_default(),
        })
    }
}

impl Place {
    /// The place of the gateway at `url`, whether or not anything is there.
    pub fn of(url: &str) -> Result<Place, Failure> {
        let url = url.trim_end_matches('/');
        check_issuer(url).map_err(|_| {
            let hint = "give it as https://gate.example:8443";
            Failure::usage(format!("{url} is no gateway's address"), hint)
        })?;
        let plain = |c: char| if c.is_ascii_alphanumeric() || ".-".contains(c) { c } else { '_' };
        let name: String = url.trim_start_matches("https://").chars().map(plain).collect();
        Ok(Place { folder: root()?.join(name) })
    }

    /// That of the last login.
    pub fn last() -> Result<Place, Failure> {
        let root = root()?;
        let name = fs::read_to_string(root.join(LAST)).map_err(|_| not_logged_in(None))?;
        Ok(Place { folder: root.join(name.trim()) })
    }

    /// That of `url`; without one that of the last login.
    pub fn named(url: Option<&str>) -> Result<Place, Failure> {
        url.map_or_else(Place::last, Place::of)
    }

    /// Those of every gateway that something is known of.
    pub fn all() -> Result<Vec<Place>, Failure> {
        let found = fs::read_dir(root()?).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = found.map(|entry| entry.path()).collect();
        folders.retain(|folder| folder.join("login.json").exists());
        folders.sort();
        Ok(folders.into_iter().map(|folder| Place { folder }).collect())
    }

    /// What is known of the gateway.
    pub fn known(&self) -> Result<Known, Failure> {
        let path = self.folder.join("login.json");
        if !path.exists() {
            return Err(not_logged_in(None));
        }
        let bytes = read_private(&path).map_err(|error| unkept(&error))?;
        serde_json::from_slice(bytes.expose()).map_err(|error| unkept(&error))
    }

    /// Keeps what is known.
    pub fn keep(&self, known: &Known) -> Result<(), Failure> {
        self.make()?;
        let bytes = serde_json::to_vec(known).map_err(|error| unkept(&error))?;
        let bytes = Secret::new(bytes);
        write_private(&self.folder.join("login.json"), bytes.expose()).map_err(|e| unkept(&e))
    }

    /// This gateway is meant where none is named.
    pub fn make_last(&self) -> Result<(), Failure> {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        write_private(&root()?.join(LAST), name.as_bytes()).map_err(|error| unkept(&error))
    }

    /// The certificate authority that vouches for it, where one was named.
    pub fn ca(&self) -> Option<PathBuf> {
        Some(self.folder.join("ca.pem")).filter(|path| path.exists())
    }

    /// Keeps a certificate authority for later.
    pub fn keep_ca(&self, path: &Path) -> Result<(), Failure> {
        self.make()?;
        let bytes = fs::read(path).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            Failure::usage(message, "name the gateway's ca.pem with --ca")
        })?;
        write_private(&self.folder.join("ca.pem"), &bytes).map_err(|error| unkept(&error))
    }

    /// This machine's keys there: made the first time, and from then on the same.
    pub fn keys(&self) -> Result<Keys, Failure> {
        let path = self.folder.join("keys");
        if !path.exists() {
            self.make()?;
            let mut seeds = vec![0; 2 * SEED];
            rand::fill(&mut seeds).map_err(|error| unkept(&error))?;
            let seeds = Secret::new(seeds);
            write_private(&path, seeds.expose()).map_err(|error| unkept(&error))?;
        }
        let seeds = read_private(&path).map_err(|error| unkept(&error))?;
        let (own, bound) = seeds.expose().split_at_checked(SEED).unwrap_or_default();
        let key = |seed: &[u8]| {
            SigningKey::from_seed(&Secret::new(seed.to_vec())).map_err(|error| unkept(&error))
        };
        Ok(Keys { own: key(own)?, bound: key(bound)? })
    }

    /// Writes the public key by which `app` is registered to a file that may be handed on; where, and what is in it.
    pub fn publish_key(&self, app: &str) -> Result<(PathBuf, Value), Failure> {
        let jwks = json!({ "keys": [self.keys()?.own.public().to_json()] });
        let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' };
        let name: String = app.chars().map(plain).collect();
        let path = self.folder.join(format!("{name}.jwks.json"));
        fs::write(&path, format!("{jwks}\n")).map_err(|error| unkept(&error))?;
        Ok((path, jwks))
    }

    fn make(&self) -> Result<(), Failure> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|error| unkept(&error))
    }
}

/// Nobody is logged in at `gateway`, or anywhere.
pub fn not_logged_in(gateway: Option<&str>) -> Failure {
    let (place, url) = match gateway {
        Some(gateway) => (format!(" at {gateway}"), gateway),
        None => (String::new(), "URL"),
    };
    let hint = format!("log in with `tidegate login {url}`");
    Failure::new("not-logged-in", format!("this machine is not logged in{place}"), hint)
}

fn root() -> Result<PathBuf, Failure> {
    let home = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = home("XDG_CONFIG_HOME").or_else(|| home("HOME").map(|home| home.join(".config")));
    let missing = || Failure::usage("there is no home folder", "set HOME or XDG_CONFIG_HOME");
    Ok(base.ok_or_else(missing)?.join("tidegate"))
}

fn unkept(error: &dyn std::fmt::Display) -> Failure {
    let hint = "look at `tidegate` in the configuration folder of this user";
    Failure::new("not-kept", format!("what is kept of the login: {error}"), hint)
}
