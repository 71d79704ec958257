//! Putting the parts together: journal and core, signer, callers, venues, administration.

use super::keys::{Restart, keyring};
use super::saved;
use super::upkeep::upkeep;
use super::{GatewayConfig, GatewayError, descriptors, place, stops};
use crate::admin::{Administration, Parts};
use crate::clock;
use crate::config::Config;
use crate::desk::{Desk, Links};
use crate::disk::DiskWatch;
use crate::edge::tls::Certificate;
use crate::edge::{Connections, Limits};
use crate::folder::DataFolder;
use crate::front::{Callers, Gate};
use crate::oplog;
use crate::people::{Attested, Breached, People, Provider};
use crate::upstream::{egress, follow_account, follow_books, follow_clock, follow_marks};
use crate::web::api::Api;
use crate::web::{Pages, Web, oauth};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tidegate_core::event::Event;
use tidegate_core::{Core, CoreSettings};
use tidegate_identity::ledger::Fact;
use tidegate_identity::{Ledger, ReplayGuard};
use tidegate_journal::{Appender, CheckpointKey, FlushEvent, Journal, Options, checkpoint};
use tidegate_types::ids::{AccountName, Seq, VenueName};
use tidegate_types::time::Time;
use tidegate_vault::client::UnlockSource;
use tidegate_vault::store::VenueKeyInfo;
use tidegate_vault::{CallerSecrets, SignerClient};
use tidegate_venues::registry;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

/// Every part, ready to begin.
pub(super) struct Assembled {
    pub(super) desk: Arc<Desk>,
    pub(super) gate: Arc<Gate>,
    pub(super) admin: Arc<Administration>,
    pub(super) oauth: Arc<oauth::Handle>,
    pub(super) people: Arc<People>,
    pub(super) links: Arc<Links>,
    pub(super) signer: SignerClient,
    pub(super) connections: Arc<Connections>,
    /// Unless the listeners speak plain HTTP.
    pub(super) certificate: Option<Arc<Certificate>>,
    pub(super) config: Config,
    pub(super) folder: DataFolder,
    pub(super) disk: Arc<DiskWatch>,
    pub(super) journal: Journal,
    /// What became void by then, if the folder is a copy of the one that the journal was written in.
    pub(super) restored: Option<Fact>,
    /// What is stamped before this is refused, since the gateway before this one may have acted on it.
    pub(super) taken_from: Time,
    /// When the newest record was made that the journal had.
    pub(super) last_record: Option<Time>,
    keys: watch::Receiver<Vec<VenueKeyInfo>>,
}

/// A core that has replayed its journal.
struct Replayed {
    core: Core,
    /// Who is calling, as the same records tell.
    ledger: Ledger,
    journal: Journal,
    appender: Appender,
    last_record: Option<Time>,
    settings: CoreSettings,
    /// Where the replay began.
    from: Seq,
    /// What the journal's threads tell.
    news: mpsc::UnboundedReceiver<FlushEvent>,
}

pub(super) async fn assemble(
    config: GatewayConfig,
    stop: watch::Sender<bool>,
) -> Result<Assembled, GatewayError> {
    let GatewayConfig { folder, config, signer: signer_config } = config;
    let started = clock::now();
    let mut replayed = replay(&folder, &config)?;
    let is_copy = place::is_copy(&folder, replayed.core.next_seq().0 == 0)?;
    let unattended = matches!(signer_config.unlock, UnlockSource::KeyFile(_));
    let (signer, opened, news) = SignerClient::start(signer_config, replayed.core.next_seq())
        .await
        .map_err(|e| GatewayError::of("the signer")(&e))?;
    let mut secrets = CallerSecrets::open(&folder.callers(), opened.callers_key())
        .map_err(|e| GatewayError::of("the store of callers' secrets")(&e))?;
    let restored = is_copy.then(|| place::restored(&replayed.core, &secrets, started));
    restored.iter().for_each(|fact| replayed.ledger.apply(fact));
    let oauth_start =
        oauth_start(&mut secrets, &mut replayed, &folder, (started, is_copy), &config)?;
    let (held, keys) = watch::channel(opened.keys.clone());
    let (held, lacks) = (Arc::new(held), opened.limits.missing());
    lacks.iter().for_each(|what| oplog::warn("signer-lacks", &[("what", what)]));
    drop(opened);

    let replays = ReplayGuard::new(started, replayed.last_record);
    let taken_from = replays.not_before();
    let callers = callers(&replayed, &secrets, replays, &config)?;
    let links = links(&config, &folder, replayed.last_record)?;
    let Replayed {
        core,
        ledger,
        journal,
        appender,
        last_record,
        news: journal_news,
        settings,
        from,
    } = replayed;
    let runtime = tokio::runtime::Handle::current();
    let desk = Desk::new(core, appender, Arc::new(signer.clone()), Arc::clone(&links), runtime);
    keep_going(&desk, journal_news, &folder);
    let certificate = certificate(&folder, &config)?;
    let upkeep = upkeep(certificate.clone(), config.listen.names.clone());
    let disk = DiskWatch::start(&folder, upkeep).map_err(|e| GatewayError::of("a thread")(&e))?;
    tokio::spawn(saved::keep(Arc::clone(&desk), folder.clone(), settings, from));
    desk.set_signer_lacks(lacks);
    tokio::spawn(Arc::clone(&desk).hear_signer(news, Arc::clone(&held)));

    let connections = connections(&config)?;
    let pid = signer.clone();
    let oauth_keys = oauth_start.keys.clone();
    let oauth = oauth::Handle::new(Arc::clone(&desk), oauth_start);
    let secrets = Arc::new(Mutex::new(secrets));
    let people = people(&desk, ledger, &secrets, &config)?;
    let parts = Parts {
        desk: Arc::clone(&desk),
        oauth: Arc::clone(&oauth),
        callers: Arc::clone(&callers),
        links: Arc::clone(&links),
        people: Arc::clone(&people),
        connections: Arc::clone(&connections),
        config: config.clone(),
        folder: folder.clone(),
        disk: Arc::clone(&disk),
        owner_uid: owner_of(&folder)?,
        signer_pid: Box::new(move || pid.pid()),
        reload: Box::new(Restart { signer: signer.clone(), held, unattended }),
        stop: stop.clone(),
    };
    let admin = Administration::new(parts, secrets);
    tokio::spawn(oauth::keep_keys(Arc::clone(&oauth), Arc::clone(&admin), oauth_keys));
    let web = served((&desk, &callers), &people, &admin, &oauth, folder.journal());
    let (to, by) = (Arc::clone(&links), Arc::clone(&admin));
    let logins = config.logins.clone();
    let gate = Gate::new(Arc::clone(&desk), callers, to, by, web, logins, stop.subscribe());
    Ok(Assembled {
        desk,
        gate,
        admin,
        oauth,
        people,
        links,
        signer,
        connections,
        certificate,
        config,
        folder,
        disk,
        journal,
        restored,
        taken_from,
        last_record,
        keys,
    })
}

/// The callers' keys in force, last used as the journal tells.
fn callers(
    replayed: &Replayed,
    secrets: &CallerSecrets,
    replays: ReplayGuard,
    config: &Config,
) -> Result<Arc<Callers>, GatewayError> {
    let rate = (config.requests.per_second, config.requests.burst);
    let used = replayed.ledger.keys_used.clone();
    let keyring = keyring(&replayed.core, secrets, config.keys.rsa())?;
    let limits = Limits::from(&config.requests);
    Ok(Arc::new(Callers::new(keyring, replays, rate, limits, used)))
}

/// What the desk does by itself: hearing of its journal, keeping time, committing.
fn keep_going(
    desk: &Arc<Desk>,
    journal_news: mpsc::UnboundedReceiver<FlushEvent>,
    folder: &DataFolder,
) {
    tokio::spawn(Arc::clone(desk).hear_journal(journal_news));
    tokio::spawn(Arc::clone(desk).keep_time());
    tokio::spawn(Arc::clone(desk).keep_committing());
    tokio::spawn(Arc::clone(desk).watch_journal(folder.journal().display().to_string()));
}

/// What the authorization server starts from.
fn oauth_start(
    secrets: &mut CallerSecrets,
    replayed: &mut Replayed,
    folder: &DataFolder,
    (started, is_copy): (Time, bool),
    config: &Config,
) -> Result<oauth::Start, GatewayError> {
    let keys = oauth::take_up(secrets, started)
        .map_err(|e| GatewayError::of("the keys of the authorization server")(&e))?;
    let next = replayed.core.next_seq();
    let assertions = oauth::Seen::load(folder, (next, is_copy), started, replayed.last_record);
    let state = std::mem::take(&mut replayed.ledger.oauth);
    let mutual_tls = config.listen.asks_for_certificates();
    Ok(oauth::Start { state, keys, assertions, mutual_tls, rsa: config.keys.rsa() })
}

/// The listeners' certificate, unless they speak plain HTTP.
fn certificate(
    folder: &DataFolder,
    config: &Config,
) -> Result<Option<Arc<Certificate>>, GatewayError> {
    if config.listen.plain_http {
        return Ok(None);
    }
    let read = Certificate::read(&folder.chain(), &folder.tls_key());
    read.map(|read| Some(Arc::new(read))).map_err(|e| GatewayError(e.to_string()))
}

/// Room for callers' connections.
fn connections(config: &Config) -> Result<Arc<Connections>, GatewayError> {
    let most = descriptors::connections(config.requests.connections)?;
    let limits = Limits::from(&config.requests);
    let unsent = config.requests.unsent_mib.saturating_mul(1024 * 1024);
    Ok(Connections::within(most, config.requests.connections_per_peer, limits.address, unsent))
}

/// The user whose folder it is.
fn owner_of(folder: &DataFolder) -> Result<u32, GatewayError> {
    let owner = std::fs::metadata(folder.path())
        .map_err(|e| GatewayError::of(&folder.path().display().to_string())(&e))?;
    Ok(owner.uid())
}

/// The people as the ledger tells of them.
fn people(
    desk: &Arc<Desk>,
    ledger: Ledger,
    secrets: &Arc<Mutex<CallerSecrets>>,
    config: &Config,
) -> Result<Arc<People>, GatewayError> {
    let people = People::new(Arc::clone(desk), ledger.people, Arc::clone(secrets))
        .map_err(|e| GatewayError::of("the people")(&e))?;
    let asked = Attested::configured(&config.passkeys);
    if let Some(attested) = asked.map_err(|e| GatewayError::of("passkeys")(&e))? {
        people.ask_for_models(attested);
    }
    if let Some(path) = &config.passwords.breached {
        if let Err(why) = Breached::open(path) {
            let hint = "nobody can set a password until it is there; everything else goes on";
            oplog::alarm("breached-passwords-unread", &[("why", &why), ("hint", &hint)]);
        }
        people.refuse_breached(path);
    }
    let mut secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
    let provider = Provider::configured(&config.oidc, &mut secrets);
    if let Some(provider) = provider.map_err(|e| GatewayError::of("oidc")(&e))? {
        oplog::info("outside-provider", &[("issuer", &provider.issuer())]);
        people.trust(provider);
    }
    Ok(people)
}

/// What the gateway serves of its own.
fn served(
    (desk, callers): (&Arc<Desk>, &Arc<Callers>),
    people: &Arc<People>,
    admin: &Arc<Administration>,
    oauth: &Arc<oauth::Handle>,
    records: PathBuf,
) -> Web {
    let parts = || (Arc::clone(desk), Arc::clone(people), Arc::clone(admin), Arc::clone(oauth));
    let (desk, people, admin, handle) = parts();
    let api = Api::new(desk, Arc::clone(callers), handle, people, admin, records);
    let (desk, people, admin, handle) = parts();
    Web::new(api, Arc::clone(oauth), Pages::new(desk, people, admin, handle))
}

fn replay(folder: &DataFolder, config: &Config) -> Result<Replayed, GatewayError> {
    let began = Instant::now();
    let wrong = GatewayError::of("the journal");
    let key = CheckpointKey::load_or_create(&folder.checkpoint_key(), || {
        checkpoint::new_origin(&config.desk)
    })
    .map_err(|e| wrong(&e))?;
    let settings = core_settings();
    let (mut core, mut ledger, from) = match saved::load(folder, &settings) {
        Some(saved) => (saved.core, saved.ledger, saved.next),
        None => (Core::new(settings.clone()), Ledger::default(), Seq(0)),
    };
    let mut last_record = None;
    let durability = config.journal.durability.recorded();
    let segment_bytes = config.journal.segment_kib * 1024;
    let (tell, news) = mpsc::unbounded_channel();
    let (journal, appender, recovered) = Journal::open(
        &folder.journal(),
        Options { replay_from: from, segment_bytes, ..Options::new(durability, key) },
        &mut |seq, record| {
            core.replay(seq, &record);
            ledger.replay(&record.body);
            last_record = Some(record.at);
        },
        Box::new(move |event| {
            // Nobody listens any more once the gateway has stopped.
            let _ = tell.send(event);
        }),
    )
    .map_err(|e| wrong(&e))?;
    let (next, checkpointed) = (recovered.next.0, recovered.checkpointed);
    let ms = began.elapsed().as_millis();
    let fields: [(&str, &dyn std::fmt::Display); 4] =
        [("records", &next), ("from", &from), ("checkpointed", &checkpointed), ("ms", &ms)];
    oplog::info("journal-replayed", &fields);
    if let Some(cut) = recovered.cut {
        let fields: [(&str, &dyn std::fmt::Display); 3] =
            [("file", &cut.file), ("offset", &cut.offset), ("bytes", &cut.bytes)];
        oplog::warn("journal-torn-tail-cut", &fields);
    }
    if ledger.unread() > 0 {
        let count = ledger.unread();
        return Err(wrong(&format!(
            "{count} records of logins, tokens or their revocation are not of this program's form: start the \
             version that wrote them"
        )));
    }
    Ok(Replayed { core, ledger, journal, appender, last_record, news, settings, from })
}

/// What the core is told of the venues, the same at every start.
pub(super) fn core_settings() -> CoreSettings {
    let repeating = registry::all().iter().filter(|venue| venue.repeats_order_ids());
    let label_venues: BTreeSet<VenueName> = repeating.map(|venue| venue.name()).collect();
    let timed = registry::all().iter().filter(|venue| venue.has_dead_man());
    let dead_man_venues = timed.map(|venue| venue.name()).collect();
    CoreSettings { label_venues, dead_man_venues, ..CoreSettings::default() }
}

/// The ways to the venues, which hold back what was forbidden to the gateway before this one.
fn links(
    config: &Config,
    folder: &DataFolder,
    before: Option<Time>,
) -> Result<Arc<Links>, GatewayError> {
    let shares = config.shaping.shares().map_err(|error| GatewayError(error.0))?;
    let mut links = Vec::new();
    for (name, venue) in &config.venues {
        let known = VenueName::new(name).ok().and_then(|name| registry::find(&name));
        let known = known.ok_or_else(|| GatewayError(format!("there is no venue {name}")))?;
        let link = egress::link(known, venue)
            .map_err(|e| GatewayError::of(&format!("venues.{name}"))(&e))?;
        links.push(link.shared(shares.clone(), before));
    }
    let links = Arc::new(Links::new(links));
    stops::take_up(&folder.stops(), &links);
    tokio::spawn(stops::keep(Arc::clone(&links), folder.stops()));
    Ok(links)
}

impl Assembled {
    /// Follows every venue's marks and books, and the private stream of every account that has a key.
    pub(super) fn follow_venues(&self) {
        for link in self.links.iter() {
            let venue = link.venue().name();
            self.desk.look(|state| {
                let accounts = state.accounts().iter();
                link.pin(accounts.filter(|(_, at)| at.venue == venue).map(|(name, _)| name));
            });
            tokio::spawn(follow_marks(self.desk.clone(), Arc::clone(link)));
            tokio::spawn(follow_books(self.desk.clone(), Arc::clone(link)));
            tokio::spawn(follow_clock(self.desk.clone(), Arc::clone(link)));
        }
        tokio::spawn(follow_accounts(
            Arc::clone(&self.desk),
            Arc::clone(&self.links),
            self.keys.clone(),
        ));
    }
}

/// Begins the private streams of accounts as their keys come, and anew by another key: the stream of the
/// one before tells nothing of it.
async fn follow_accounts(
    desk: Arc<Desk>,
    links: Arc<Links>,
    mut keys: watch::Receiver<Vec<VenueKeyInfo>>,
) {
    let mut followed: BTreeMap<AccountName, (String, AbortHandle)> = BTreeMap::new();
    loop {
        let held = keys.borrow_and_update().clone();
        for key in held {
            let used = desk.look(|state| state.accounts().get(&key.account)?.key.clone());
            let same = followed.get(&key.account).is_some_and(|(id, _)| *id == key.key_id);
            let Ok(link) = links.get(&key.venue) else { continue };
            if same || used.as_ref() != Some(&key.key_id) {
                continue;
            }
            if let Some((_, before)) = followed.remove(&key.account) {
                before.abort();
                let why = "the account uses another key".to_owned();
                desk.event(Event::StreamDown { account: key.account.clone(), why });
            }
            let following = follow_account(desk.clone(), Arc::clone(link), key.account.clone());
            let task = tokio::spawn(following).abort_handle();
            followed.insert(key.account, (key.key_id, task));
        }
        if keys.changed().await.is_err() {
            return;
        }
    }
}
