//! The simulator's clock is wrong, or jumps: what is signed for it follows.

use super::books::{control, simulator};
use super::*;
use crate::upstream::{Pool, Roots, follow_clock, follow_marks};
use aws_lc_rs::hmac;
use tidegate_sim::config::{KeySecret, SimConfig};
use tidegate_sim::{SimReady, engine};
use tidegate_venues::upstream::KeySigner;

/// The simulator's own key of the account, and what signs by it as the signer process does.
struct Key {
    id: String,
    secret: String,
}

struct KeyedSigner(Key, mpsc::UnboundedSender<SignerNews>);

impl KeySigner for Key {
    fn key_id(&self) -> &str {
        &self.id
    }

    fn hmac_sha256(&self, message: &[u8]) -> Option<[u8; 32]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        hmac::sign(&key, message).as_ref().try_into().ok()
    }

    fn ed25519(&self, _: &[u8]) -> Option<[u8; 64]> {
        None
    }

    fn nonce(&self) -> String {
        "nonce".to_owned()
    }
}

impl KeyedSigner {
    fn signed(&self, call: &Call, at: Time) -> Signed {
        let request = registry::find(&name(VENUE)).unwrap().build(call, &self.0, at).unwrap();
        Signed::vouch(call.id, call.body.class(), request)
    }
}

impl Signer for KeyedSigner {
    fn sign(&self, call: Call, _: Warrant, by: SignAs) {
        let _ = self.1.send(SignerNews::Signed(self.signed(&call, by.at)));
    }

    fn sign_unrecorded(
        &self,
        account: AccountName,
        body: CallBody,
        by: SignAs,
    ) -> BoxFuture<'_, Result<Signed, Reject>> {
        let signed = self.signed(&Call { id: CallId(1 << 63), account, body }, by.at);
        Box::pin(async move { Ok(signed) })
    }
}

/// A desk at the simulator.
pub(super) struct AtSimulator {
    pub(super) desk: Arc<Desk>,
    pub(super) link: Arc<Link>,
    pub(super) sim: SimReady,
    _folder: tempfile::TempDir,
    _journal: Arc<Journal>,
}

/// One whose account was not read yet, at a venue whose clock is so many milliseconds ahead.
pub(super) async fn at_simulator(ahead_ms: i64) -> AtSimulator {
    let folder = tempfile::tempdir().unwrap();
    let sim = simulator(&folder.path().join("sim")).await;
    let config = SimConfig::standard(
        folder.path().to_owned(),
        "127.0.0.1:0".parse().unwrap(),
        7,
        &[engine::Venue::Binance],
    );
    let key = &config.accounts[0].keys[0];
    let KeySecret::Hmac(secret) = &key.secret else { panic!("an HMAC key comes first") };
    let key = Key { id: key.id.clone(), secret: secret.clone() };
    let disk = Arc::new(Disk::create(&folder.path().join("journal")).unwrap());
    let checkpoints = CheckpointKey::new("test", &[7; 32]).unwrap();
    let (tell, journal_news) = mpsc::unbounded_channel();
    let notify = Box::new(move |event| drop(tell.send(event)));
    let options = Options::new(Durability::Disk, checkpoints);
    let (journal, appender, _) = Journal::open_in(disk, options, &mut |_, _| {}, notify).unwrap();
    let pool = Pool::new(&sim.venues[0].rest, &sim.venues[0].ws, &Roots::System).unwrap();
    let links =
        Arc::new(Links::new([Link::new(registry::find(&name(VENUE)).unwrap(), Box::new(pool))]));
    let link = Arc::clone(links.get(&name(VENUE)).unwrap());
    let (signed, signer_news) = mpsc::unbounded_channel();
    let key_id = key.id.clone();
    let signer = Arc::new(KeyedSigner(key, signed));
    let core = Core::new(CoreSettings::default());
    let desk = Desk::new(core, appender, signer, links, Handle::current());
    let (keys, _) = tokio::sync::watch::channel(Vec::new());
    tokio::spawn(Arc::clone(&desk).hear_journal(journal_news));
    tokio::spawn(Arc::clone(&desk).keep_time());
    tokio::spawn(Arc::clone(&desk).keep_committing());
    tokio::spawn(Arc::clone(&desk).hear_signer(signer_news, Arc::new(keys)));
    control(&sim, "POST", "/sim/clock", &format!("{{\"ahead_ms\":{ahead_ms}}}")).await;
    name_things(&desk, key_id).await;
    desk.read_instruments(&link).await.unwrap();
    tokio::spawn(follow_marks(desk.clone(), Arc::clone(&link)));
    desk.event(Event::StreamUp { account: name("main") });
    let at = AtSimulator { desk, link, sim, _folder: folder, _journal: Arc::new(journal) };
    at.until("a mark", |state| state.marks().contains_key(&terms().id)).await;
    at
}

async fn name_things(desk: &Desk, key: String) {
    desk.event(Event::Started {
        epoch: "abcdefgh".to_owned(),
        version: "0".to_owned(),
        durability: Durability::Disk,
    });
    let account: AccountName = name("main");
    let limits = AccountLimits { collar_bps: 5_000, ..limits() };
    for change in [
        Change::DeskSet { desk: name("desk"), approvals: Approvals::One },
        Change::AccountAdded { venue: name(VENUE), account: account.clone() },
        Change::VenueKeyImported { account, key, rights: vec![] },
        Change::CallerAdded { caller: name("ann") },
        Change::KeyAdded { key: virtual_key(), replaces: None },
        Change::GrantSet { grant: grant() },
        Change::LimitsSet { limits },
    ] {
        let answer = desk.administer(name("owner"), change).await;
        assert!(matches!(answer, Answer::Done), "{answer:?}");
    }
}

impl AtSimulator {
    /// Waits until the state looks so; for how long, other load decides.
    pub(super) async fn until(&self, what: &str, so: impl Fn(&State) -> bool) {
        for _ in 0..3_000 {
            if self.desk.look(&so) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{what} does not come");
    }

    /// An order to buy a little, well below the mark.
    pub(super) async fn place(&self) -> Answer {
        let mark = self.desk.look(|state| state.marks()[&terms().id].mark.0.raw());
        let whole = mark / 100_000_000 * 95 / 100;
        self.desk.submit(ann(), None, buy("0.01", &whole.to_string())).await
    }

    /// The venue's answer to a signed read.
    async fn read(&self) -> (u16, String) {
        let body = CallBody::Snapshot { part: 0 };
        let request = self.desk.sign_read(&name("main"), body).await.unwrap();
        let reply = self.link.fetch(Errand::Upkeep(None), request.into_request()).await.unwrap();
        (reply.status, String::from_utf8(reply.body).unwrap())
    }

    fn is_open(&self) -> bool {
        self.desk.look(|state| state.accounts()[&name::<AccountName>("main")].open)
    }

    async fn set_clock(&self, ahead_ms: i64) {
        control(&self.sim, "POST", "/sim/clock", &format!("{{\"ahead_ms\":{ahead_ms}}}")).await;
    }
}

fn accepted_by_venue(answer: &Answer) -> bool {
    matches!(answer, Answer::Venue { reply, .. } if reply.status == 200)
}

#[tokio::test]
async fn what_is_signed_follows_a_clock_that_is_ahead_or_behind() {
    // What is stamped up to five seconds ago is in the venue's window.
    for ahead_ms in [6_000, -3_000] {
        let at = at_simulator(ahead_ms).await;
        let (status, said) = at.read().await;
        assert_eq!((status, said.contains("-1021")), (400, true), "{ahead_ms}: {said}");
        assert!(!at.is_open(), "{ahead_ms}");
        tokio::spawn(follow_clock(at.desk.clone(), Arc::clone(&at.link)));
        at.until("an open account", |state| state.accounts()[&name::<AccountName>("main")].open)
            .await;
        let reading = at.link.clock().reading().unwrap();
        let off = reading.offset.ahead.abs_diff(ahead_ms * 1000);
        assert!(reading.used && off <= reading.offset.give.micros() + 1000, "{reading:?}");
        let placed = at.place().await;
        assert!(accepted_by_venue(&placed), "{ahead_ms}: {placed:?}");
    }
}

#[tokio::test]
async fn a_clock_that_jumps_is_measured_anew_once_a_time_stamp_was_refused() {
    let at = at_simulator(0).await;
    tokio::spawn(follow_clock(at.desk.clone(), Arc::clone(&at.link)));
    at.until("an open account", |state| state.accounts()[&name::<AccountName>("main")].open).await;
    // From here on it asks every 15 s by itself.
    tokio::time::sleep(Duration::from_secs(9)).await;
    let placed = at.place().await;
    assert!(accepted_by_venue(&placed), "{placed:?}");
    at.set_clock(-3_000).await;
    let refused = at.place().await;
    let Answer::Venue { reply, .. } = &refused else { panic!("{refused:?}") };
    assert!(String::from_utf8_lossy(&reply.body).contains("-1021"), "{refused:?}");
    let began = Instant::now();
    while !accepted_by_venue(&at.place().await) {
        assert!(began.elapsed() < Duration::from_secs(4), "it is not measured anew");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
