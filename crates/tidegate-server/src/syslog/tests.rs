use super::*;
use crate::oplog;
use crate::setup::{make_authority, make_certificate};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use tidegate_types::codec::{Octets, to_bytes};
use tidegate_types::ids::{CallerName, KeyId};
use tidegate_types::reject::{Code, Reject};

/// A collector's machine: its listener, and the files that vouch for it.
struct Machine {
    folder: DataFolder,
    listener: TcpListener,
    _dir: tempfile::TempDir,
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

const PACE: Pace = Pace {
    waiting: 4,
    patience: Duration::from_secs(5),
    first_wait: Duration::from_millis(5),
    most_wait: Duration::from_millis(5),
    look: Duration::from_millis(20),
};

fn machine() -> Machine {
    let dir = tempfile::tempdir().unwrap();
    let folder = DataFolder::new(dir.path());
    make_authority(&folder, &[]).unwrap();
    make_certificate(&folder, &[]).unwrap();
    Machine { folder, listener: TcpListener::bind("127.0.0.1:0").unwrap(), _dir: dir }
}

impl Machine {
    fn target(&self) -> Target {
        let settings = Log {
            syslog: format!("tls://{}", self.listener.local_addr().unwrap()),
            syslog_ca: Some(self.folder.ca()),
        };
        Target::configured(&settings).unwrap()
    }

    fn accept(&self) -> Tls {
        let chain = CertificateDer::from_pem_file(self.folder.chain()).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.folder.tls_key()).unwrap();
        let provider = Arc::new(crate::edge::tls::provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![chain], key)
            .unwrap();
        let (tcp, _) = self.listener.accept().unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), tcp)
    }
}

/// The next message, by its length.
fn read(tls: &mut Tls) -> String {
    let mut length = String::new();
    loop {
        let mut byte = [0];
        tls.read_exact(&mut byte).unwrap();
        match byte[0] {
            b' ' => break,
            digit => length.push(char::from(digit)),
        }
    }
    let mut message = vec![0; length.parse().unwrap()];
    tls.read_exact(&mut message).unwrap();
    String::from_utf8(message).unwrap()
}

fn event(text: &str) -> Event {
    let at = Time::from_millis(1_700_000_000_123);
    Event { at, level: Level::Alarm, what: "signer-gone".to_owned(), text: text.to_owned() }
}

fn number(message: &str) -> u64 {
    message.split('"').nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_collector_hears_what_happened_in_order_and_to_the_last() {
    let machine = machine();
    let sender = worker::start(machine.target(), PACE).unwrap();
    sender.send(event("signer-gone why=\"two\nlines\""));
    let mut tls = machine.accept();
    let message = read(&mut tls);
    let (head, text) = message.split_once("] ").unwrap();
    let words: Vec<&str> = head.split(' ').collect();
    // Facility 13, severity 1, version 1.
    assert_eq!(words[..2], ["<105>1", "2023-11-14T22:13:20.123Z"], "{message}");
    assert_eq!((words[3], words[5]), ("tidegate", "signer-gone"), "{message}");
    assert_eq!(words[6..], ["[meta", "sequenceId=\"1\""], "{message}");
    assert_eq!(text, "signer-gone why=\"two lines\"");
    sender.send(event(&"é".repeat(9000)));
    let long = read(&mut tls);
    assert!(long.len() <= 8192 && long.ends_with('é'), "{}", long.len());
    let ending = std::thread::spawn(move || {
        sender.send(event("last"));
        sender.finish(Duration::from_secs(20));
    });
    assert!(read(&mut tls).ends_with("] last"));
    assert_eq!(tls.read(&mut [0]).unwrap(), 0, "and says that it was all");
    ending.join().unwrap();
}

#[test]
fn while_nobody_listens_nobody_waits_and_what_found_no_room_is_counted() {
    let machine = machine();
    let target = machine.target();
    let Machine { folder, listener, _dir } = machine;
    let address = listener.local_addr().unwrap();
    drop(listener);
    let sender = worker::start(target, PACE).unwrap();
    for count in 0..10 {
        sender.send(event(&format!("event {count}")));
    }
    // It is down: nobody waits for it.
    let began = Instant::now();
    sender.finish(Duration::from_secs(3600));
    assert!(began.elapsed() < Duration::from_secs(3600));
    let machine = Machine { folder, listener: TcpListener::bind(address).unwrap(), _dir };
    let mut tls = machine.accept();
    let mut texts = Vec::new();
    while texts.len() < 5 {
        let message = read(&mut tls);
        assert_eq!(number(&message), texts.len() as u64 + 1);
        texts.push(message.split_once("] ").unwrap().1.to_owned());
    }
    assert_eq!(texts[0], "syslog-lost count=6");
    assert_eq!(texts[1..], ["event 0", "event 1", "event 2", "event 3"]);
}

#[test]
fn a_collector_that_goes_away_or_stops_reading_is_left_and_found_again() {
    let machine = machine();
    let pace = Pace { waiting: 4096, patience: Duration::from_millis(300), ..PACE };
    let sender = worker::start(machine.target(), pace).unwrap();
    sender.send(event("first"));
    let mut tls = machine.accept();
    assert!(read(&mut tls).ends_with("] first"));
    drop(tls);
    sender.send(event("second"));
    let mut tls = machine.accept();
    assert!(read(&mut tls).ends_with("] second"));
    // It reads no more: its buffers fill, and it is left. What was under way comes again.
    let long = "x".repeat(7000);
    for count in 0..2000 {
        sender.send(event(&format!("{count} {long}")));
    }
    let mut again = machine.accept();
    drop(tls);
    let first = read(&mut again);
    assert!(number(&first) > 3 && number(&first) < 2003, "{}", number(&first));
    assert_eq!(number(&read(&mut again)), number(&first) + 1);
}

#[test]
fn nothing_is_told_to_who_cannot_prove_to_be_the_collector() {
    let (machine, other) = (machine(), machine());
    let settings = Log {
        syslog: format!("tls://{}", machine.listener.local_addr().unwrap()),
        syslog_ca: Some(other.folder.ca()),
    };
    let sender = worker::start(Target::configured(&settings).unwrap(), PACE).unwrap();
    sender.send(event("secret"));
    for _ in 0..2 {
        let told = machine.accept().read(&mut [0]);
        assert!(told.is_err(), "{told:?}");
    }
}

#[test]
fn records_of_who_is_calling_are_told_and_orders_are_not() {
    let caller = Some(CallerName::new("ann").unwrap());
    let reject = Reject::new(Code::BadSignature, "");
    let decision = tidegate_types::record::Decision::default();
    let refused = Body::Refused { caller, account: None, intent: None, reject, decision };
    let (level, what, text) = of_record(&refused).unwrap();
    assert_eq!((level, what), (Level::Warn, "refused"));
    assert!(text.starts_with("refused caller=ann account=- why=\"TG103 "), "{text}");
    let (caller, token) = (CallerName::new("ann").unwrap(), KeyId::new("token:t1").unwrap());
    let by = Body::RefusedByToken { caller, token, subject: "person:tom".to_owned() };
    let (_, what, text) = of_record(&by).unwrap();
    let said = "refused-by-token caller=ann token=token:t1 subject=person:tom";
    assert_eq!((what, text.as_str()), ("refused-by-token", said));
    let fact = Fact::KeyUsed { key: KeyId::new("abc").unwrap(), at: Time::from_millis(1) };
    let (_, _, text) = of_record(&Body::Identity { fact: Octets(to_bytes(&fact)) }).unwrap();
    assert!(text.starts_with("identity {") && text.contains("abc"), "{text}");
    assert_eq!(of_record(&Body::Sent { call: tidegate_types::ids::CallId(1) }), None);
    assert_eq!(of_checkpoint(b"no checkpoint"), None);
    let line = oplog::text("halted", &[("scope", &"all")]);
    assert_eq!(line, "halted scope=all");
}

#[test]
fn addresses_are_of_tls_alone() {
    for (text, good) in [
        ("tls://logs.example.com:6514", true),
        ("tls://logs.example.com", true),
        ("tls://[::1]:6514", true),
        ("tcp://logs.example.com:514", false),
        ("tls://", false),
        ("tls://me@logs.example.com", false),
        ("logs.example.com", false),
    ] {
        assert_eq!(is_address(text), good, "{text}");
    }
}
