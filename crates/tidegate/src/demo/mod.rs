//! `tidegate demo`: the whole thing with nothing set up. It makes the data folder the way an
//! operator would (the same commands), runs simulator, gateway and bots as processes of their own,
//! restarts what dies, and shows what happens.

mod desk;
mod people;
mod screen;

use crate::bots::Desk;
use crate::cli::args::{Approvals, Common, Demo};
use crate::cli::output::{Exit, Failure, print, say};
use crate::cli::reach::{ask, data_dir};
use crate::cli::run::{ready_object, runtime};
use crate::cli::sim::{SEED, stopped};
use crate::process::{Recipe, Running, own};
use desk::{ACCOUNTS, DeskAccount, Keys, SEATS, YOU};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tidegate_journal::Reader;
use tidegate_server::admin::protocol::{Request, Status, TermsSpec};
use tidegate_server::folder::DataFolder;
use tidegate_server::gateway;
use tidegate_types::record::{Body, Record};

const PATIENCE: Duration = Duration::from_secs(30);
/// How many of the newest records are looked at for marks.
const NEWEST: u64 = 500;
const STOP: Duration = Duration::from_secs(2);
const BOTS: &[(&str, &str)] =
    &[("maker", "binance-bots"), ("trend", "binance-bots"), ("hedger", "deribit-bots")];

/// Runs the demo until it is stopped.
pub fn run(common: &Common, args: &Demo) -> Result<(), Failure> {
    let dir = match &common.data_dir {
        Some(dir) => dir.clone(),
        None => data_dir(common)?.with_file_name("tidegate-demo"),
    };
    crate::cli::sim::venues(&args.venues)?;
    let demo = Stage { dir, json: common.json, venues: args.venues.clone() };
    runtime()?.block_on(demo.play(args))
}

struct Stage {
    dir: PathBuf,
    json: bool,
    venues: Vec<String>,
}

impl Stage {
    async fn play(&self, args: &Demo) -> Result<(), Failure> {
        private_folder(&self.dir).map_err(|e| failed(&format!("{}: {e}", self.dir.display())))?;
        self.alone().await?;
        let mut stop = Box::pin(stopped());
        let running = tokio::select! {
            running = self.start(args) => running?,
            () = &mut stop => return Ok(()),
        };
        let Cast { mut processes, ready } = running;
        print(self.json, &ready, &screen::welcome(&ready));
        let mut clock = tokio::time::interval(Duration::from_secs(1));
        let mut screen = screen::Screen::default();
        for second in 0_u64.. {
            tokio::select! {
                _ = clock.tick() => {}
                () = &mut stop => break,
            }
            let restarted = tokio::select! {
                restarted = restart_ended(&mut processes) => restarted,
                () = &mut stop => break,
            };
            if restarted {
                screen.interrupted();
            }
            if !self.json && screen.is_due(second) {
                screen.show(&self.dir);
            }
        }
        for process in processes.into_iter().rev() {
            process.stop(STOP).await;
        }
        Ok(())
    }

    /// No other demo runs here; what a killed one left behind may take a moment to die.
    async fn alone(&self) -> Result<(), Failure> {
        let folder = DataFolder::new(&self.dir);
        let began = Instant::now();
        while let Some(why) = gateway::runs_on(&folder) {
            if began.elapsed() > STOP {
                let hint = "use that one, or another folder with --data-dir";
                return Err(Failure::new("demo", why, hint));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn start(&self, args: &Demo) -> Result<Cast, Failure> {
        let began = Instant::now();
        let talk = |text: &str| {
            if !self.json {
                say(text)
            }
        };
        talk("starting the simulated exchanges");
        let (sim, sim_told) = self.begin(self.sim_recipe(args)?).await?;
        let first = !DataFolder::new(&self.dir).config().exists();
        if first {
            talk("making the data folder, its certificate authority and its keys");
            self.init(&sim_told, args)?;
        }
        talk("starting the gateway and its signer");
        let listen = self.settle_addresses(args.listen)?;
        let (gateway, told) = self.begin(self.gateway_recipe(listen)).await?;
        let mut keys = Keys::load(&self.dir);
        self.seat(&mut keys)?;
        let console = told.get("console").and_then(Value::as_str).unwrap_or_default();
        let people = people::seat(&self.dir, console, self.approvals(args))?;
        let status = self.wait_open(began).await?;
        self.tell_what_stands_in_the_way(&status, &mut keys);
        self.wait_marks(began).await?;
        talk("starting the bots");
        let mut processes = vec![sim, gateway];
        let trades = |bot, account| self.serves(account) && keys.of(bot, account).is_some();
        for (bot, account) in BOTS.iter().filter(|(bot, account)| trades(bot, account)) {
            let recipe = self.bot_recipe(bot, account, &told, &keys)?;
            processes.push(self.begin(recipe).await?.0);
        }
        let pids = json!({
            "gateway": status.pids.gateway, "signer": status.pids.signer,
            "sim": processes.first().map(Running::pid),
        });
        let mut ready = self.ready(&told, pids, &keys, people);
        if let Some(ready) = ready.as_object_mut() {
            ready.insert("approvals".to_owned(), status.approvals.into());
        }
        Ok(Cast { processes, ready })
    }

    async fn begin(&self, recipe: Recipe) -> Result<(Running, Value), Failure> {
        let (name, log) = (recipe.name, recipe.log.clone());
        Running::start(recipe, PATIENCE).await.map_err(|error| {
            let other_seed = error.to_string().contains("seed");
            let failure = Failure::new(
                "demo",
                format!("{name} did not start: {error}"),
                format!("see {}", log.display()),
            );
            let exit = if other_seed { Exit::Usage } else { Exit::Failed };
            Failure { exit, ..failure }
        })
    }

    fn sim_recipe(&self, args: &Demo) -> Result<Recipe, Failure> {
        let address = self.kept("sim-port", None, free_address)?;
        let seed =
            self.kept("sim-seed", args.seed.map(|seed| seed.to_string()), || Ok(SEED.to_string()))?;
        let mut list = words(&["sim", "--json", "--plain-http", "--listen", &address]);
        list.extend(words(&["--seed", &seed, "--data-dir"]));
        list.push(self.dir.join("sim").into());
        if !self.venues.is_empty() {
            list.extend(words(&["--venues", &self.venues.join(",")]));
        }
        Ok(self.recipe("sim", list, None, true))
    }

    /// What is given now, or was chosen when the folder was made and holds from then on.
    fn kept(
        &self,
        name: &str,
        given: Option<String>,
        choose: impl FnOnce() -> std::io::Result<String>,
    ) -> Result<String, Failure> {
        let path = self.dir.join(name);
        let kept = std::fs::read_to_string(&path).ok().map(|text| text.trim().to_owned());
        let fresh = kept.is_none();
        let value = match given.or(kept) {
            Some(value) => value,
            None => choose().map_err(|e| failed(&e.to_string()))?,
        };
        if fresh {
            std::fs::write(&path, &value).map_err(|e| failed(&e.to_string()))?;
        }
        Ok(value)
    }

    /// Chooses the gateway's addresses, so that they stay the same when it is started again.
    fn settle_addresses(&self, wanted: SocketAddr) -> Result<SocketAddr, Failure> {
        let folder = DataFolder::new(&self.dir);
        let wrong = |error: &dyn std::fmt::Display| failed(&error.to_string());
        let free = |wanted: SocketAddr| -> std::io::Result<SocketAddr> {
            std::net::TcpListener::bind(wanted)?.local_addr()
        };
        let listen = free(wanted).map_err(|e| failed(&format!("{wanted}: {e}")))?;
        let mut config = tidegate_server::config::Config::load(&folder).map_err(|e| wrong(&e))?;
        people::name_owner(&mut config);
        for venue in config.venues.values_mut() {
            if let Some(own) = venue.listen {
                let any = (own.ip(), 0).into();
                venue.listen = Some(free(own).or_else(|_| free(any)).map_err(|e| wrong(&e))?);
            }
        }
        let text = config.to_toml().map_err(|e| wrong(&e))?;
        std::fs::write(folder.config(), text).map_err(|e| wrong(&e))?;
        Ok(listen)
    }

    fn gateway_recipe(&self, listen: SocketAddr) -> Recipe {
        let mut list = words(&["serve", "--json", "--listen", &listen.to_string(), "--data-dir"]);
        list.push(self.dir.clone().into());
        self.recipe("gateway", list, None, true)
    }

    fn bot_recipe(
        &self,
        bot: &'static str,
        account: &str,
        told: &Value,
        keys: &Keys,
    ) -> Result<Recipe, Failure> {
        let venue = venue_of(account);
        let (key, secret) =
            keys.of(bot, account).cloned().ok_or_else(|| failed("a bot has no key"))?;
        let text = |path: &str| told.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let url = text(&format!("/venues/{venue}/prefixed")).unwrap_or_default();
        let desk = Desk { url, ca: text("/ca").map(PathBuf::from), key, secret };
        let input = serde_json::to_string(&desk).map_err(|e| failed(&e.to_string()))? + "\n";
        Ok(self.recipe(bot, words(&["bot", bot]), Some(input), false))
    }

    fn recipe(
        &self,
        name: &'static str,
        args: Vec<OsString>,
        input: Option<String>,
        tells: bool,
    ) -> Recipe {
        Recipe { name, args, input, tells, log: self.dir.join("logs").join(format!("{name}.log")) }
    }

    /// How many decide: two where people watch, one where a script does.
    fn approvals(&self, args: &Demo) -> Approvals {
        args.approvals.unwrap_or(if self.json { Approvals::One } else { Approvals::Two })
    }

    /// What an operator does once: a folder, the venues' addresses, the exchange keys.
    fn init(&self, sim: &Value, args: &Demo) -> Result<(), Failure> {
        let work = self.dir.join("setup");
        let _ = std::fs::remove_dir_all(&work);
        let approvals = people::word(self.approvals(args));
        let named = ["init", "--desk", "demo", "--admin", people::OWNER, "--key-file"];
        // A busy machine must not stop the demo.
        let init: Vec<&str> = named.into_iter().chain(["--breakers", "untimed"]).collect();
        own(&[&init[..], &["--approvals", approvals]].concat(), &work, None)
            .map_err(|e| failed(&e))?;
        let mut config = tidegate_server::config::Config::load(&DataFolder::new(&work))
            .map_err(|e| failed(&e.to_string()))?;
        config.listen.address = args.listen;
        for (name, venue) in sim.get("venues").and_then(Value::as_object).into_iter().flatten() {
            let free = free_address().map_err(|e| failed(&e.to_string()))?;
            let port = free.parse::<std::net::SocketAddr>().map_or(0, |address| address.port());
            let url = venue.get("prefixed").and_then(Value::as_str).unwrap_or_default();
            config.venues.insert(
                name.clone(),
                tidegate_server::config::Venue {
                    rest: url.to_owned(),
                    ws: url.replacen("http", "ws", 1),
                    listen: Some((args.listen.ip(), port).into()),
                    ..tidegate_server::config::Venue::default()
                },
            );
        }
        let text = config.to_toml().map_err(|e| failed(&e.to_string()))?;
        std::fs::write(DataFolder::new(&work).config(), text)
            .map_err(|e| failed(&e.to_string()))?;
        for account in ACCOUNTS.iter().filter(|account| self.serves(account.account)) {
            let key = sim_key(sim, account)?;
            let list =
                ["venue-key", "import", "--account", account.account, "--venue", account.venue];
            own(&list, &work, Some(key)).map_err(|e| failed(&e))?;
        }
        // Only a folder that is complete gets its final place, so that a demo cut short here
        // starts over.
        for entry in std::fs::read_dir(&work).into_iter().flatten().flatten() {
            if entry.path() != DataFolder::new(&work).config() {
                move_up(&entry.path(), &self.dir)?;
            }
        }
        move_up(&DataFolder::new(&work).config(), &self.dir)?;
        let _ = std::fs::remove_dir_all(&work);
        Ok(())
    }

    /// Gives everybody a seat who has none yet: accounts, limits, callers, grants, virtual keys.
    fn seat(&self, keys: &mut Keys) -> Result<(), Failure> {
        let mine = Common {
            data_dir: Some(self.dir.clone()),
            json: true,
            url: None,
            die_with_parent: false,
        };
        let ask = |request: &Request| ask(&mine, request, PATIENCE);
        let known: Status = serde_json::from_value(ask(&Request::Status {})?)
            .map_err(|e| failed(&e.to_string()))?;
        for account in ACCOUNTS.iter().filter(|account| self.serves(account.account)) {
            let known = known.accounts.iter().find(|known| known.account == account.account);
            if known.is_none() {
                let self_trade = Some(account.self_trade.to_owned());
                let (venue, account) = (account.venue.to_owned(), account.account.to_owned());
                ask(&Request::AccountAdd { venue, account, self_trade })?;
            }
            // Limits that are there may be tighter than these, and are somebody's.
            if known.is_none_or(|known| known.max_open_notional.is_none()) {
                ask(&desk::limits(account))?;
            }
        }
        for seat in SEATS.iter().filter(|seat| self.serves(seat.account)) {
            if keys.of(seat.caller, seat.account).is_some() {
                continue;
            }
            let (caller, account) = (seat.caller.to_owned(), seat.account.to_owned());
            // A caller with seats on two accounts is there already the second time.
            let _ = ask(&Request::CallerAdd { caller: caller.clone() });
            ask(&desk::grant(seat))?;
            let made = ask(&Request::KeyAdd {
                caller,
                account,
                public: None,
                terms: TermsSpec::default(),
            })?;
            keys.keep(&self.dir, seat, &made)?;
        }
        Ok(())
    }

    /// What was halted or revoked before stays so over a restart of the demo.
    fn tell_what_stands_in_the_way(&self, status: &Status, keys: &mut Keys) {
        let dir = self.dir.display();
        let halt_file = DataFolder::new(&self.dir).halt_file();
        if halt_file.exists() {
            say(&format!("while there is a file {} everything is halted", halt_file.display()));
        }
        for halt in &status.halts {
            let (scope, why) = (&halt.scope, &halt.reason);
            say(&format!(
                "{scope} is halted: {why}; `tidegate resume {scope} --reason … --data-dir {dir}` goes on"
            ));
        }
        let good = status.callers.iter().flat_map(|caller| caller.keys.iter().cloned()).collect();
        for seat in keys.forget_revoked(&good) {
            say(&format!(
                "{seat} trades no more: its key or its grant was taken back; `tidegate caller key` and \
                 `tidegate grant set` give new ones"
            ));
        }
    }

    async fn wait_open(&self, began: Instant) -> Result<Status, Failure> {
        let mine = Common {
            data_dir: Some(self.dir.clone()),
            json: true,
            url: None,
            die_with_parent: false,
        };
        loop {
            let value = ask(&mine, &Request::Status {}, PATIENCE)?;
            let status: Status =
                serde_json::from_value(value).map_err(|e| failed(&e.to_string()))?;
            let closed = status.accounts.iter().find(|account| !account.open);
            match closed {
                None => return Ok(status),
                Some(account) if began.elapsed() > PATIENCE => {
                    let text =
                        format!("{} did not open within 30 s: {}", account.account, account.why);
                    return Err(failed(&text));
                }
                Some(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Waits until every venue's marks came twice since the gateway started: the first time it may
    /// be those of its first instrument alone. Without a mark an order is refused.
    async fn wait_marks(&self, began: Instant) -> Result<(), Failure> {
        let served = ACCOUNTS.iter().filter(|account| self.serves(account.account));
        let venues: BTreeSet<&str> = served.map(|account| account.venue).collect();
        loop {
            let mut came: BTreeMap<String, u32> = BTreeMap::new();
            for record in self.newest_records() {
                match record.body {
                    Body::Started { .. } => came.clear(),
                    Body::Marks { marks } => {
                        let of: BTreeSet<_> = marks.iter().map(|m| &m.instrument.venue).collect();
                        of.iter()
                            .for_each(|venue| *came.entry(venue.to_string()).or_default() += 1);
                    }
                    _ => {}
                }
            }
            if venues.iter().all(|venue| came.get(*venue).is_some_and(|count| *count > 1)) {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(failed("the simulated exchanges sent no marks within 30 s"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn newest_records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let journal = DataFolder::new(&self.dir).journal();
        if let Ok(mut reader) = Reader::open_last(&journal, NEWEST) {
            while let Ok(Some((_, record))) = reader.next_record() {
                records.push(record);
            }
        }
        records
    }

    fn ready(&self, told: &Value, pids: Value, keys: &Keys, people: Value) -> Value {
        let text = |path: &str| told.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let mut venues = Map::new();
        for account in ACCOUNTS.iter().filter(|a| self.serves(a.account)) {
            if !SEATS.iter().any(|seat| (seat.caller, seat.account) == (YOU, account.account)) {
                continue;
            }
            let (key, secret) = keys.of(YOU, account.account).cloned().unzip();
            let of = |name: &str| text(&format!("/venues/{}/{name}", account.venue));
            let object = json!({
                "rest": of("rest"), "ws": of("ws"), "prefixed": of("prefixed"),
                "key": key, "secret": secret, "passphrase": null,
            });
            venues.insert(account.venue.to_owned(), object);
        }
        let gateway = text("/gateway").unwrap_or_default();
        let ca = text("/ca").map(PathBuf::from);
        let mut ready =
            ready_object(&gateway, ca.as_deref(), &self.dir, pids, Value::Object(venues));
        let token = std::fs::read_to_string(DataFolder::new(&self.dir).admin_token()).ok();
        if let Some(object) = ready.as_object_mut() {
            object.insert("console".to_owned(), told.get("console").cloned().unwrap_or_default());
            object.insert("people".to_owned(), people);
        }
        if let (Some(token), Some(object)) = (token, ready.as_object_mut()) {
            let admin = json!({"url": format!("{gateway}/admin/v1"), "token": token.trim()});
            object.insert("admin".to_owned(), admin);
        }
        ready
    }

    fn serves(&self, account: &str) -> bool {
        self.venues.is_empty() || self.venues.iter().any(|venue| venue == venue_of(account))
    }
}

/// Everything that runs, and what to tell about it.
struct Cast {
    processes: Vec<Running>,
    ready: Value,
}

/// Starts what ended again; whether there was any.
async fn restart_ended(processes: &mut [Running]) -> bool {
    let mut any = false;
    for process in processes {
        if !process.has_ended() {
            continue;
        }
        any = true;
        let recipe = process.recipe().clone();
        say(&format!("{} ended; starting it again", recipe.name));
        match Running::start(recipe, PATIENCE).await {
            Ok((running, _)) => *process = running,
            Err(error) => say(&format!("it did not start: {error}")),
        }
    }
    any
}

/// An address of this machine that nobody listens on now.
fn free_address() -> std::io::Result<String> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.to_string())
}

fn sim_key(sim: &Value, account: &DeskAccount) -> Result<String, Failure> {
    let keys = sim.pointer(&format!("/venues/{}/keys", account.venue)).and_then(Value::as_array);
    let word = |key: &Value, name: &str| {
        key.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let found = keys.into_iter().flatten().find(|key| {
        word(key, "account") == account.behind
            && word(key, "scheme") == "hmac"
            && key.get("trade") == Some(&Value::Bool(true))
            && key.get("withdraw") == Some(&Value::Bool(false))
    });
    let key = found.ok_or_else(|| failed("the simulator has no such key"))?;
    Ok(json!({"key": word(key, "key"), "secret": word(key, "secret")}).to_string())
}

fn move_up(from: &Path, to: &Path) -> Result<(), Failure> {
    let name = from.file_name().unwrap_or_default();
    std::fs::rename(from, to.join(name)).map_err(|e| failed(&format!("{}: {e}", from.display())))
}

/// Makes the folder, for its owner alone.
fn private_folder(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(dir)?;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
}

fn venue_of(account: &str) -> &str {
    ACCOUNTS.iter().find(|known| known.account == account).map_or("", |known| known.venue)
}

fn words(list: &[&str]) -> Vec<OsString> {
    list.iter().map(OsString::from).collect()
}

fn failed(what: &str) -> Failure {
    Failure::new(
        "demo",
        what,
        "look into the folder `logs` beside the data, or start with a new --data-dir",
    )
}
