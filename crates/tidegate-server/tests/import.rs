//! Importing venue keys, with the signer as a process of its own: this program starts itself as the
//! signer, the way `tidegate` does. Tests run in order; the first that fails ends the run.

// Clippy takes a program without the test harness for one that is shipped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;
use tidegate_server::config::{Config, Venue};
use tidegate_server::setup::{
    ImportedKey, InitOptions, InitUnlock, Opened, SetupError, import_venue_key, init, unlock,
};
use tidegate_types::ids::{AccountName, VenueName};
use tidegate_types::secret::Secret;
use tidegate_vault::{VenueKeys, signer};

const KEY: &[u8] =
    b"the-key-id\nNhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j\n";

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(signer::ARGUMENT) {
        return signer::main();
    }
    for (name, test) in TESTS {
        print!("test {name} ... ");
        let _ = std::io::stdout().flush();
        test();
        println!("ok");
    }
    ExitCode::SUCCESS
}

const TESTS: &[(&str, fn())] = &[
    ("stores_a_key_with_the_rights_that_the_venue_names", stores_rights),
    ("takes_a_key_that_may_withdraw_only_when_told", takes_withdraw_key_when_told),
    ("leaves_the_vault_as_it_was_when_it_fails", leaves_the_vault_as_it_was),
];

struct Desk {
    _folder: TempDir,
    opened: Opened,
}

impl Desk {
    fn new(venue: SocketAddr) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        let settings = Venue {
            rest: format!("http://{venue}"),
            ws: format!("ws://{venue}"),
            ..Venue::default()
        };
        config.venues.insert("binance".to_owned(), settings);
        let options = InitOptions { config, unlock: InitUnlock::KeyFile, first_admin: None };
        let opened = init(&folder.path().join("data"), options).unwrap();
        Desk { _folder: folder, opened }
    }

    fn import(&self, text: &[u8], allow_withdraw: bool) -> Result<ImportedKey, SetupError> {
        let Opened { folder, config } = &self.opened;
        let (account, venue) = (AccountName::new("main").unwrap(), venue());
        let unlock = unlock(folder, None).unwrap();
        let text = Secret::new(text.to_vec());
        let importing =
            import_venue_key(folder, config, &account, &venue, &text, &unlock, allow_withdraw);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(30), importing).await.unwrap()
        })
    }

    fn keys(&self) -> Vec<tidegate_vault::VenueKeyInfo> {
        let folder = &self.opened.folder;
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(!name.contains("trial"), "{name}");
        }
        VenueKeys::open(&folder.vault(), &unlock(folder, None).unwrap()).unwrap().list().unwrap()
    }
}

fn venue() -> VenueName {
    VenueName::new("binance").unwrap()
}

/// A venue that answers every request with the same; what it was asked comes out.
fn serve(status: &'static str, body: &'static str) -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, asks) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let head: Vec<String> = BufReader::new(&stream)
                .lines()
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            let _ = asked.send(head.join("\n"));
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}");
            let _ = write!(stream, "{head}\r\n\r\n{body}");
        }
    });
    (address, asks)
}

const TRADES: &str = r#"{"ipRestrict":true,"enableReading":true,"enableFutures":true,
    "enableWithdrawals":false,"permitsUniversalTransfer":false,"enableInternalTransfer":false}"#;
const WITHDRAWS: &str = r#"{"enableReading":true,"enableFutures":true,"enableWithdrawals":true}"#;

fn stores_rights() {
    let (address, asks) = serve("200 OK", TRADES);
    let desk = Desk::new(address);
    let imported = desk.import(KEY, false).unwrap();
    assert!(imported.opens_sessions && imported.rights.contains(&"enableFutures".to_owned()));
    // What is signed for a venue carries the venue's time, which is asked first.
    let next = || asks.recv_timeout(Duration::from_secs(5)).unwrap();
    let asked = std::iter::repeat_with(next).find(|asked| !asked.starts_with("GET /fapi/v1/time "));
    let asked = asked.unwrap();
    assert!(asked.starts_with("GET /sapi/v1/account/apiRestrictions?"), "{asked}");
    assert!(asked.contains("signature=") && asked.to_lowercase().contains("the-key-id"), "{asked}");
    assert!(!asked.contains("NhqPtmdS"), "{asked}");
    let [key] = &desk.keys()[..] else { panic!() };
    assert_eq!((key.key_id.as_str(), key.rights.as_ref()), ("the-key-id", Some(&imported.rights)));
}

fn takes_withdraw_key_when_told() {
    let (address, _asks) = serve("200 OK", WITHDRAWS);
    let desk = Desk::new(address);
    let refused = desk.import(KEY, false).unwrap_err().0;
    assert!(refused.contains("enableWithdrawals") && refused.contains("--allow-withdraw-key"));
    assert!(desk.keys().is_empty());
    let imported = desk.import(KEY, true).unwrap();
    assert!(!imported.opens_sessions);
    assert_eq!(desk.keys().len(), 1);
}

fn leaves_the_vault_as_it_was() {
    let (address, _asks) = serve("401 Unauthorized", r#"{"code":-2015,"msg":"Invalid API-key"}"#);
    let desk = Desk::new(address);
    for text in [KEY, b"not a key", b""] {
        let refused = desk.import(text, true).unwrap_err().0;
        assert!(!refused.contains("NhqPtmdS"), "{refused}");
        assert!(desk.keys().is_empty());
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let desk = Desk::new(nobody);
    let refused = desk.import(KEY, true).unwrap_err().0;
    assert!(refused.contains("cannot connect"), "{refused}");
    assert!(desk.keys().is_empty());
}
