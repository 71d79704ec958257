//! The signer as a process of its own: this program starts itself as the signer, the way `tidegate`
//! does. Tests run in order, in one thread; the first that fails ends the run.

// Clippy takes a program without the test harness for one that is shipped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tidegate_types::call::{Call, CallBody, CallClass, OrderRef, Warrant};
use tidegate_types::ids::{
    AccountName, CallId, ClientId, InstrumentId, InstrumentName, KeyId, Seq, VenueName,
};
use tidegate_types::reject::Code;
use tidegate_types::secret::Secret;
use tidegate_types::time::Time;
use tidegate_vault::client::{SignerConfig, SignerError, SignerNews, UnlockSource};
use tidegate_vault::import::Material;
use tidegate_vault::signer::protocol::{Ready, SelfTest, SignAs};
use tidegate_vault::{CallerSecrets, SignerClient, Unlock, VenueKeys, new_key_file, signer};
use tokio::sync::mpsc::UnboundedReceiver;

const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(signer::ARGUMENT) {
        return signer::main();
    }
    let filter = std::env::args().nth(1).filter(|argument| !argument.starts_with('-'));
    for (name, test) in TESTS {
        if filter.as_ref().is_none_or(|filter| name.contains(filter.as_str())) {
            print!("test {name} ... ");
            let _ = std::io::stdout().flush();
            test();
            println!("ok");
        }
    }
    ExitCode::SUCCESS
}

const TESTS: &[(&str, fn())] = &[
    ("signs_what_it_may_and_refuses_the_rest", signs_what_it_may_and_refuses_the_rest),
    ("gives_up_every_right", gives_up_every_right),
    ("cannot_open_a_file", cannot_open_a_file),
    ("dies_when_it_makes_a_socket", || dies_of(SelfTest::MakeSocket)),
    ("dies_when_it_runs_a_program", || dies_of(SelfTest::RunProgram)),
    ("refuses_bytes_it_cannot_read", refuses_bytes_it_cannot_read),
    ("opens_only_what_it_should", opens_only_what_it_should),
    ("takes_a_passphrase_by_descriptor", takes_a_passphrase_by_descriptor),
    ("is_started_anew_and_remembers_numbers", is_started_anew_and_remembers_numbers),
    ("ends_with_the_gateway", ends_with_the_gateway),
    ("shows_no_secret", shows_no_secret),
    ("reads_the_vault_again_when_restarted", reads_the_vault_again_when_restarted),
    ("hands_the_gateway_the_key_of_virtual_secrets", hands_the_gateway_the_key_of_virtual_secrets),
    ("bench_round_trip_and_batches", bench_round_trip_and_batches),
];

struct Vault {
    folder: TempDir,
}

type Started = (SignerClient, Ready, UnboundedReceiver<SignerNews>);

impl Vault {
    /// A vault with a key for `main` at Binance, opened by a key file.
    fn new() -> Vault {
        let vault = Vault { folder: tempfile::tempdir().unwrap() };
        let unlock = new_key_file(&vault.key_file()).unwrap();
        let mut store = VenueKeys::create(&vault.file(), &unlock).unwrap();
        store.import(&account(), &venue(), "venue-key-id", hmac()).unwrap();
        store.set_rights(&account(), &agreed().key, vec!["enableFutures".to_owned()]).unwrap();
        vault
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("vault.key")
    }

    fn config(&self) -> SignerConfig {
        let unlock = UnlockSource::KeyFile(self.key_file());
        SignerConfig::this_program(self.file(), unlock).unwrap()
    }

    async fn start(&self) -> Started {
        SignerClient::start(self.config(), Seq(10)).await.unwrap()
    }

    fn unlock(&self) -> Unlock {
        Unlock::key_file(&tidegate_vault::read_private(&self.key_file()).unwrap()).unwrap()
    }
}

fn account() -> AccountName {
    AccountName::new("main").unwrap()
}

fn venue() -> VenueName {
    VenueName::new("binance").unwrap()
}

fn hmac() -> Material {
    Material::Hmac(Secret::new(SECRET.as_bytes().to_vec()))
}

fn cancel(id: u64) -> Call {
    let order = OrderRef {
        instrument: InstrumentId { venue: venue(), name: InstrumentName::new("BTCUSDT").unwrap() },
        client_id: Some(ClientId::new(&format!("tgtest-{id}")).unwrap()),
        venue_id: None,
        conditional: false,
    };
    Call { id: CallId(id), account: account(), body: CallBody::Cancel { order } }
}

fn run<F: Future<Output = ()>>(test: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE * 3, test).await.unwrap() });
}

async fn news(from: &mut UnboundedReceiver<SignerNews>) -> SignerNews {
    tokio::time::timeout(PATIENCE, from.recv()).await.unwrap().unwrap()
}

/// The id of the key that the desk agreed to.
fn agreed() -> SignAs {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    SignAs { key: "venue-key-id".to_owned(), at: Time::from_micros(now.as_micros() as u64) }
}

fn recorded(seq: u64) -> Warrant {
    Warrant::Journalled { seq: Seq(seq) }
}

fn signs_what_it_may_and_refuses_the_rest() {
    run(async {
        let vault = Vault::new();
        let (client, ready, mut from) = vault.start().await;
        assert_eq!(ready.keys[0].key_id, "venue-key-id");
        client.sign(cancel(1), recorded(10), agreed());
        client.sign(cancel(2), recorded(10), agreed());
        client.sign(cancel(3), Warrant::Emergency, agreed());
        client.sign(cancel(4), Warrant::Unrecorded, agreed());
        let SignerNews::Signed(proof) = news(&mut from).await else { panic!() };
        assert_eq!((proof.call(), proof.class()), (CallId(1), CallClass::Cancel));
        let request = proof.into_request();
        assert_eq!(request.method, "DELETE");
        assert!(request.target.contains("signature=") || request.body.contains("signature="));
        for (id, signed) in [(2, false), (3, true), (4, false)] {
            match news(&mut from).await {
                SignerNews::Signed(proof) => assert_eq!((proof.call(), signed), (CallId(id), true)),
                SignerNews::Refused { call, reject } => {
                    assert_eq!((call, signed), (CallId(id), false));
                    assert_eq!(reject.code, Code::SignerRefused);
                }
                other => panic!("{other:?}"),
            }
        }
        let step = CallBody::Session { step: 0 };
        client.sign_unrecorded(account(), step, agreed()).await.unwrap();
        let withdraw = CallBody::Read {
            route: "/sapi/v1/capital/withdraw/apply".to_owned(),
            params: Vec::new(),
        };
        let refused = client.sign_unrecorded(account(), withdraw, agreed()).await.unwrap_err();
        assert_eq!(refused.code, Code::SignerRefused);
        let elsewhere = AccountName::new("elsewhere").unwrap();
        let snapshot = CallBody::Snapshot { part: 0 };
        assert!(client.sign_unrecorded(elsewhere, snapshot, agreed()).await.is_err());
    });
}

fn gives_up_every_right() {
    run(async {
        let (client, ready, _from) = Vault::new().start().await;
        let limits = &ready.limits;
        assert!(limits.not_dumpable && limits.no_core && limits.dies_with_parent, "{limits:?}");
        assert!(limits.no_new_privileges && limits.seccomp, "{limits:?}");
        // What the machine cannot give is said, never passed over.
        assert_eq!(
            limits.landlock == "enforced" && limits.memory_locked,
            limits.missing().is_empty()
        );
        println!("({:?}) ", limits.missing());
        let status = |field: &str| {
            let text = std::fs::read_to_string(format!("/proc/{}/status", ready.pid)).unwrap();
            let line = text.lines().find(|line| line.starts_with(field)).unwrap().to_owned();
            line.split_whitespace().nth(1).unwrap().to_owned()
        };
        assert_eq!(status("NoNewPrivs:"), "1");
        assert_eq!(status("Seccomp:"), "2");
        if limits.memory_locked {
            assert_ne!(status("VmLck:"), "0");
        }
        let arguments = std::fs::read(format!("/proc/{}/cmdline", ready.pid)).unwrap();
        assert!(arguments.ends_with(b"\0signer\0"));
        drop(client);
    });
}

fn cannot_open_a_file() {
    run(async {
        let (client, _ready, mut from) = Vault::new().start().await;
        let refusal = client.self_test(SelfTest::OpenFile).await.unwrap();
        assert!(refusal.contains("not permitted") || refusal.contains("denied"), "{refusal}");
        // It lives on.
        client.sign(cancel(1), recorded(10), agreed());
        assert!(matches!(news(&mut from).await, SignerNews::Signed(_)));
    });
}

fn dies_of(test: SelfTest) {
    run(async move {
        let vault = Vault::new();
        let (client, ready, mut from) = vault.start().await;
        assert_eq!(client.self_test(test).await.unwrap_err(), "the signer died");
        assert!(matches!(news(&mut from).await, SignerNews::Down { gone: false, .. }));
        let SignerNews::Up(again) = news(&mut from).await else { panic!() };
        assert_ne!(again.pid, ready.pid);
    });
}

/// Speaks to a signer without the client in between.
fn refuses_bytes_it_cannot_read() {
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use tidegate_types::codec::{from_bytes, to_bytes};
    use tidegate_vault::signer::protocol::*;
    let vault = Vault::new();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .arg(signer::ARGUMENT)
        .stdin(OwnedFd::from(theirs))
        .stdout(std::fs::File::open(vault.key_file()).unwrap())
        .spawn()
        .unwrap();
    let mut say = |bytes: &[u8]| -> FromSigner {
        ours.write_all(&u32::try_from(bytes.len()).unwrap().to_le_bytes()).unwrap();
        ours.write_all(bytes).unwrap();
        let mut length = [0; 4];
        ours.read_exact(&mut length).unwrap();
        let mut answer = vec![0; u32::from_le_bytes(length) as usize];
        ours.read_exact(&mut answer).unwrap();
        from_bytes(&answer).unwrap()
    };
    let vault_path = vault.file().to_string_lossy().into_owned();
    let hello = || {
        let vault = vault_path.clone();
        to_bytes(&ToSigner::Hello {
            hello: Hello { vault, unlock: UnlockKind::KeyFile, next_seq: Seq(10) },
        })
    };
    assert!(matches!(say(&hello()), FromSigner::Ready { .. }));
    let sign = |id, seq| {
        let request = SignRequest { warrant: recorded(seq), by: agreed(), call: cancel(id) };
        to_bytes(&ToSigner::Sign { requests: vec![request] })
    };
    // Bytes to be signed are no request: there is no message that carries any.
    assert!(matches!(say(b"GET /sapi/v1/capital/withdraw/apply?coin=BTC"), FromSigner::Unreadable));
    assert!(matches!(say(b""), FromSigner::Unreadable));
    assert!(matches!(say(&hello()), FromSigner::Unreadable));
    let good = sign(1, 10);
    for cut in 1..good.len() {
        assert!(matches!(say(&good[..cut]), FromSigner::Unreadable), "cut at {cut}");
    }
    let longer = [&good[..], b"x"].concat();
    assert!(matches!(say(&longer), FromSigner::Unreadable));
    let FromSigner::Answers { answers } = say(&good) else { panic!() };
    assert!(matches!(answers[..], [SignAnswer::Signed { .. }]));
    let FromSigner::Answers { answers } = say(&good) else { panic!() };
    assert!(matches!(answers[..], [SignAnswer::Refused { .. }]), "the same record twice");
    // A frame that is too long ends it.
    ours.write_all(&u32::MAX.to_le_bytes()).unwrap();
    assert!(!child.wait().unwrap().success());
}

fn opens_only_what_it_should() {
    use std::os::unix::fs::PermissionsExt;
    let chmod = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    run(async move {
        let refused = |config| async move {
            match SignerClient::start(config, Seq(0)).await {
                Err(error) => error,
                Ok(_) => panic!("it started"),
            }
        };
        let vault = Vault::new();
        chmod(&vault.file(), 0o644);
        let error = refused(vault.config()).await;
        assert!(matches!(&error, SignerError::Vault(why) if why.contains("chmod")), "{error}");
        chmod(&vault.file(), 0o600);
        chmod(&vault.key_file(), 0o644);
        let error = refused(vault.config()).await;
        assert!(matches!(&error, SignerError::Unlock(_)), "{error}");
        chmod(&vault.key_file(), 0o600);
        let other = vault.folder.path().join("other.key");
        new_key_file(&other).unwrap();
        let config = SignerConfig { unlock: UnlockSource::KeyFile(other), ..vault.config() };
        let error = refused(config).await;
        assert!(
            matches!(&error, SignerError::Vault(why) if why.contains("does not open")),
            "{error}"
        );
        let config = SignerConfig { vault: vault.folder.path().join("none"), ..vault.config() };
        assert!(matches!(refused(config).await, SignerError::Vault(_)));
        let mut bytes = std::fs::read(vault.file()).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        std::fs::write(vault.file(), bytes).unwrap();
        let error = refused(vault.config()).await;
        assert!(matches!(&error, SignerError::Vault(why) if why.contains("damaged")), "{error}");
    });
}

fn takes_a_passphrase_by_descriptor() {
    run(async {
        let vault = Vault::new();
        let path = vault.folder.path().join("by-passphrase");
        let passphrase = || Unlock::Passphrase(Secret::new(b"correct horse".to_vec()));
        let mut store = VenueKeys::create(&path, &passphrase()).unwrap();
        store.import(&account(), &venue(), "venue-key-id", hmac()).unwrap();
        drop(store);
        let start = |line: &'static [u8]| {
            let path = path.clone();
            async move {
                let (reader, mut writer) = std::io::pipe().unwrap();
                writer.write_all(line).unwrap();
                // The pipe stays open: the signer stops at the end of the line.
                let unlock = UnlockSource::Passphrase(Some(reader.into()));
                let config = SignerConfig::this_program(path, unlock).unwrap();
                let started = SignerClient::start(config, Seq(10)).await;
                drop(writer);
                started
            }
        };
        let (client, ready, mut from) = start(b"correct horse\n").await.unwrap();
        client.sign(cancel(1), recorded(10), agreed());
        assert!(matches!(news(&mut from).await, SignerNews::Signed(_)));
        // Only a person can unlock it again.
        kill(ready.pid);
        assert!(matches!(news(&mut from).await, SignerNews::Down { gone: true, .. }));
        client.sign(cancel(2), recorded(11), agreed());
        let SignerNews::Refused { reject, .. } = news(&mut from).await else { panic!() };
        assert_eq!(reject.code, Code::SignerUnavailable);
        match start(b"correct hors\n").await {
            Err(SignerError::Vault(why)) => assert!(why.contains("does not open"), "{why}"),
            _ => panic!("it started"),
        }
    });
}

fn is_started_anew_and_remembers_numbers() {
    run(async {
        let vault = Vault::new();
        let (client, ready, mut from) = vault.start().await;
        assert_eq!(client.pid(), Some(ready.pid));
        client.sign(cancel(1), recorded(50), agreed());
        assert!(matches!(news(&mut from).await, SignerNews::Signed(_)));
        kill(ready.pid);
        // Everything that waits is refused, whether the signer had it or not.
        loop {
            client.sign(cancel(2), recorded(51), agreed());
            match news(&mut from).await {
                SignerNews::Signed(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                SignerNews::Refused { call, reject } => {
                    assert_eq!((call, reject.code), (CallId(2), Code::SignerUnavailable));
                    break;
                }
                SignerNews::Down { .. } => {
                    assert!(matches!(news(&mut from).await, SignerNews::Refused { .. }));
                    break;
                }
                SignerNews::Up(_) => panic!(),
            }
        }
        loop {
            match news(&mut from).await {
                SignerNews::Up(again) => {
                    assert_ne!(again.pid, ready.pid);
                    break;
                }
                SignerNews::Down { gone, .. } => assert!(!gone),
                other => panic!("{other:?}"),
            }
        }
        client.sign(cancel(3), recorded(50), agreed());
        client.sign(cancel(4), recorded(52), agreed());
        assert!(matches!(news(&mut from).await, SignerNews::Refused { call: CallId(3), .. }));
        assert!(matches!(news(&mut from).await, SignerNews::Signed(_)));
    });
}

fn ends_with_the_gateway() {
    let pid = std::sync::Mutex::new(0);
    run(async {
        let (client, ready, _from) = Vault::new().start().await;
        *pid.lock().unwrap() = ready.pid;
        assert!(Path::new(&format!("/proc/{}", ready.pid)).exists());
        drop(client);
        tokio::time::sleep(Duration::from_millis(10)).await;
    });
    let path = format!("/proc/{}", pid.lock().unwrap());
    let until = Instant::now() + PATIENCE;
    while Path::new(&path).exists() {
        assert!(Instant::now() < until, "the signer lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn shows_no_secret() {
    run(async {
        let vault = Vault::new();
        let (client, ready, mut from) = vault.start().await;
        client.sign(cancel(1), recorded(10), agreed());
        client.sign(cancel(2), recorded(10), agreed());
        let news = [news(&mut from).await, news(&mut from).await];
        let key_text = std::fs::read_to_string(vault.key_file()).unwrap();
        let shown = format!("{client:?} {ready:?} {news:?} {:?}", vault.config());
        assert!(!shown.contains(SECRET) && !shown.contains(key_text.trim()), "{shown}");
        // Neither the arguments nor the environment of the signer hold a secret; its memory is closed
        // even to its own user.
        for file in ["cmdline", "environ"] {
            let path = format!("/proc/{}/{file}", ready.pid);
            if let Ok(bytes) = std::fs::read(path) {
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains(SECRET) && !text.contains(key_text.trim()));
            }
        }
        // The vault's folder holds it sealed only.
        for entry in std::fs::read_dir(vault.folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
        }
        // Nor does a request for it come back with it.
        let snapshot =
            client.sign_unrecorded(account(), CallBody::Snapshot { part: 0 }, agreed()).await;
        let request = snapshot.unwrap().into_request();
        assert!(
            !format!("{} {:?} {}", request.target, request.headers, request.body).contains(SECRET)
        );
    });
}

fn reads_the_vault_again_when_restarted() {
    run(async {
        let vault = Vault::new();
        let (client, _ready, mut from) = vault.start().await;
        let mut store = VenueKeys::open(&vault.file(), &vault.unlock()).unwrap();
        let second = AccountName::new("second").unwrap();
        store.import(&second, &venue(), "second-id", hmac()).unwrap();
        let snapshot = || CallBody::Snapshot { part: 0 };
        let id = || "second-id".to_owned();
        assert!(
            client
                .sign_unrecorded(second.clone(), snapshot(), SignAs { key: id(), ..agreed() })
                .await
                .is_err()
        );
        client.restart();
        loop {
            if let SignerNews::Up(ready) = news(&mut from).await {
                assert_eq!(ready.keys.len(), 2);
                break;
            }
        }
        let other = client.sign_unrecorded(second.clone(), snapshot(), agreed()).await.unwrap_err();
        assert!(other.detail.contains("does not hold key `venue-key-id`"), "{other}");
        client.sign_unrecorded(second, snapshot(), SignAs { key: id(), ..agreed() }).await.unwrap();
    });
}

fn hands_the_gateway_the_key_of_virtual_secrets() {
    run(async {
        let vault = Vault::new();
        let path = vault.folder.path().join("callers");
        let store = VenueKeys::open(&vault.file(), &vault.unlock()).unwrap();
        let mut callers = CallerSecrets::create(&path, store.callers_key().unwrap()).unwrap();
        let id = KeyId::new("virtual").unwrap();
        callers.put(&id, &Secret::new(b"virtual-secret".to_vec())).unwrap();
        drop(store);
        let (_client, ready, _from) = vault.start().await;
        let opened = CallerSecrets::open(&path, ready.callers_key()).unwrap();
        assert_eq!(opened.get(&id).unwrap().unwrap().expose(), b"virtual-secret");
    });
}

/// Small, so that it runs with the tests; `TIDEGATE_BENCH=n` multiplies the work.
fn bench_round_trip_and_batches() {
    let times: u64 = std::env::var("TIDEGATE_BENCH").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    run(async move {
        let (client, _ready, mut from) = Vault::new().start().await;
        let mut seq = 10;
        let mut spans = Vec::new();
        for _ in 0..500 * times {
            let began = Instant::now();
            client.sign(cancel(seq), recorded(seq), agreed());
            assert!(matches!(from.recv().await, Some(SignerNews::Signed(_))));
            spans.push(began.elapsed());
            seq += 1;
        }
        spans.sort();
        let at = |part: f64| spans[((spans.len() - 1) as f64 * part) as usize].as_micros();
        print!("(round trip p50 {} µs, p99 {} µs; ", at(0.5), at(0.99));
        let began = Instant::now();
        let batches = 40 * times;
        for _ in 0..batches {
            for _ in 0..100 {
                client.sign(cancel(seq), recorded(seq), agreed());
                seq += 1;
            }
            for _ in 0..100 {
                assert!(matches!(from.recv().await, Some(SignerNews::Signed(_))));
            }
        }
        let each = began.elapsed().as_secs_f64() / (batches * 100) as f64;
        print!("batches of 100: {:.1} µs each, {:.0}/s) ", each * 1e6, 1.0 / each);
    });
}

fn kill(pid: u32) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}
