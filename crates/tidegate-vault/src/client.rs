//! The gateway's end of the signer: starts it, asks it in batches, and starts it anew when it dies.
//!
//! The only file that calls `Signed::vouch`.

mod process;

use crate::signer::protocol::{
    FromSigner, Ready, SelfTest, SignAnswer, SignAs, SignRequest, ToSigner, next_frame, put_frame,
};
use process::Connection;
pub use process::{SignerConfig, SignerError, UnlockSource};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tidegate_types::call::{Call, CallBody, CallClass, Warrant};
use tidegate_types::ids::{AccountName, CallId, Seq};
use tidegate_types::limits::MAX_IN_FLIGHT;
use tidegate_types::proof::Signed;
use tidegate_types::reject::{Code, Reject};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};

/// The numbers of calls that the client makes itself begin here; the core's stay below.
const OWN_CALLS: u64 = 1 << 63;
/// Most intents in one frame.
const MAX_BATCH: usize = 256;
/// How long to wait before a dead signer is started anew, at first and at most.
const RESTART_AFTER: Duration = Duration::from_millis(50);
const RESTART_AFTER_AT_MOST: Duration = Duration::from_secs(5);

/// What the signer did, for the gateway's loop.
#[derive(Debug)]
pub enum SignerNews {
    /// It was started anew and the vault is open.
    Up(Ready),
    /// It signed a call of `SignerClient::sign`.
    Signed(Signed),
    /// It did not sign a call of `SignerClient::sign`.
    Refused {
        /// Which.
        call: CallId,
        /// Why.
        reject: Reject,
    },
    /// It died; everything it was asked is refused. It is started anew by itself unless `gone`.
    Down {
        /// Why.
        why: String,
        /// It stays down: only a person can unlock the vault again.
        gone: bool,
    },
}

/// Asks the signer. Cheap to clone; the signer ends with the last one.
#[derive(Clone, Debug)]
pub struct SignerClient {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
}

#[derive(Debug)]
enum Command {
    Sign(SignRequest),
    SelfTest(SelfTest),
    Restart,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    news: mpsc::UnboundedSender<SignerNews>,
}

#[derive(Debug)]
struct State {
    up: bool,
    pid: u32,
    next_seq: Seq,
    next_own: u64,
    waiting: HashMap<CallId, Waiting>,
    self_tests: Vec<oneshot::Sender<Option<String>>>,
}

#[derive(Debug)]
struct Waiting {
    class: CallClass,
    answer: Option<oneshot::Sender<Result<Signed, Reject>>>,
}

impl SignerClient {
    /// Starts the signer and waits until the vault is open. `next_seq` is the journal's next number.
    /// Call it on a thread that lives as long as the gateway: the signer dies with the thread that
    /// started it.
    ///
    /// # Errors
    /// When the program cannot be started or the vault not be opened.
    pub async fn start(
        config: SignerConfig,
        next_seq: Seq,
    ) -> Result<(SignerClient, Ready, mpsc::UnboundedReceiver<SignerNews>), SignerError> {
        let mut config = config;
        let (connection, ready) = process::start(&mut config, next_seq).await?;
        let (news, news_to_come) = mpsc::unbounded_channel();
        let (commands, commands_to_come) = mpsc::unbounded_channel();
        let state = State {
            up: true,
            pid: ready.pid,
            next_seq,
            next_own: OWN_CALLS,
            waiting: HashMap::new(),
            self_tests: Vec::new(),
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), news });
        tokio::spawn(supervise(config, connection, commands_to_come, shared.clone()));
        Ok((SignerClient { shared, commands }, ready, news_to_come))
    }

    /// Has a call signed by the key that is named and by no other; the answer comes as news.
    /// Numbers of calls are below 2^63.
    pub fn sign(&self, call: Call, warrant: Warrant, by: SignAs) {
        let id = call.id;
        if let Err(reject) = self.ask(SignRequest { warrant, by, call }, None) {
            let _ = self.shared.news.send(SignerNews::Refused { call: id, reject });
        }
    }

    /// Has a read or a session call signed by the key that is named and by no other, under a
    /// number of the client's own.
    ///
    /// # Errors
    /// Codes 701 and 702, or 403 when too many wait.
    pub async fn sign_unrecorded(
        &self,
        account: AccountName,
        body: CallBody,
        by: SignAs,
    ) -> Result<Signed, Reject> {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut state = self.shared.lock();
            state.next_own = state.next_own.checked_add(1).unwrap_or(OWN_CALLS);
            CallId(state.next_own)
        };
        let call = Call { id, account, body };
        self.ask(SignRequest { warrant: Warrant::Unrecorded, by, call }, Some(answer))?;
        answered.await.unwrap_or_else(|_| Err(unavailable("it ended")))
    }

    /// Starts the signer anew, so that it reads the vault again. `SignerNews::Up` tells when it has.
    pub fn restart(&self) {
        let _ = self.commands.send(Command::Restart);
    }

    /// Has the signer try what it must not be able to do; the system's refusal.
    ///
    /// # Errors
    /// When the signer died of it, or was possible after all.
    pub async fn self_test(&self, test: SelfTest) -> Result<String, String> {
        let (answer, answered) = oneshot::channel();
        self.shared.lock().self_tests.push(answer);
        let _ = self.commands.send(Command::SelfTest(test));
        match answered.await {
            Ok(Some(refusal)) => Ok(refusal),
            Ok(None) => Err("it was possible".to_owned()),
            Err(_) => Err("the signer died".to_owned()),
        }
    }

    /// The signer's process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        let state = self.shared.lock();
        state.up.then_some(state.pid)
    }

    fn ask(
        &self,
        request: SignRequest,
        answer: Option<oneshot::Sender<Result<Signed, Reject>>>,
    ) -> Result<(), Reject> {
        let mut state = self.shared.lock();
        let SignRequest { warrant, call, .. } = &request;
        let (id, class) = (call.id, call.body.class());
        if !state.up {
            return Err(unavailable("it is down"));
        }
        let most = if class == CallClass::Cancel { MAX_IN_FLIGHT * 2 } else { MAX_IN_FLIGHT };
        if state.waiting.len() >= most {
            return Err(Reject::new(Code::TooManyInFlight, "waiting for the signer"));
        }
        if let Warrant::Journalled { seq } = *warrant {
            state.next_seq = state.next_seq.max(seq.next());
        }
        state.waiting.insert(id, Waiting { class, answer });
        // Sent under the lock, so that a call is either refused with the others or asked.
        self.commands.send(Command::Sign(request)).map_err(|_| unavailable("it is down"))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes an answer on to whom it belongs.
    fn deliver(&self, answer: SignAnswer) {
        let id = match &answer {
            SignAnswer::Signed { call, .. } | SignAnswer::Refused { call, .. } => *call,
        };
        let Some(waiting) = self.lock().waiting.remove(&id) else { return };
        let result = match answer {
            SignAnswer::Signed { call, request } => Ok(Signed::vouch(call, waiting.class, request)),
            SignAnswer::Refused { why, .. } => Err(Reject::new(Code::SignerRefused, why)),
        };
        self.finish(id, waiting, result);
    }

    /// Refuses everything that waits. What is still queued is taken out, so that a call that was
    /// refused here is not signed by the next signer.
    fn fail_all(&self, commands: &mut mpsc::UnboundedReceiver<Command>, why: &str) {
        let waiting = {
            let mut state = self.lock();
            state.up = false;
            state.self_tests.clear();
            while commands.try_recv().is_ok() {}
            std::mem::take(&mut state.waiting)
        };
        for (id, waiting) in waiting {
            self.finish(id, waiting, Err(unavailable(why)));
        }
    }

    fn finish(&self, call: CallId, waiting: Waiting, result: Result<Signed, Reject>) {
        match (waiting.answer, result) {
            (Some(answer), result) => {
                let _ = answer.send(result);
            }
            (None, Ok(proof)) => {
                let _ = self.news.send(SignerNews::Signed(proof));
            }
            (None, Err(reject)) => {
                let _ = self.news.send(SignerNews::Refused { call, reject });
            }
        }
    }
}

/// Why a connection to a signer ended.
enum End {
    /// Nobody asks any more.
    Unwanted,
    /// It was asked for.
    Restart,
    /// It broke.
    Broken(String),
}

/// Serves one signer after the other.
async fn supervise(
    mut config: SignerConfig,
    mut connection: Connection,
    mut commands: mpsc::UnboundedReceiver<Command>,
    shared: Arc<Shared>,
) {
    loop {
        let Connection { child, stream } = connection;
        let (reader, writer) = stream.into_split();
        let end = tokio::select! {
            end = read_answers(reader, &shared) => end,
            end = write_requests(writer, &mut commands) => end,
        };
        let why = match end {
            End::Unwanted => return process::stop(child).await,
            End::Restart => "it is started anew".to_owned(),
            End::Broken(why) => why,
        };
        shared.fail_all(&mut commands, &why);
        process::stop(child).await;
        let gone = !config.unlock.lasts();
        let _ = shared.news.send(SignerNews::Down { why, gone });
        if gone {
            return;
        }
        let Some((next, ready)) = start_anew(&mut config, &shared, &commands).await else { return };
        connection = next;
        {
            let mut state = shared.lock();
            state.up = true;
            state.pid = ready.pid;
        }
        let _ = shared.news.send(SignerNews::Up(ready));
    }
}

async fn start_anew(
    config: &mut SignerConfig,
    shared: &Shared,
    commands: &mpsc::UnboundedReceiver<Command>,
) -> Option<(Connection, Ready)> {
    let mut pause = RESTART_AFTER;
    loop {
        tokio::time::sleep(pause).await;
        if commands.is_closed() {
            return None;
        }
        let next_seq = shared.lock().next_seq;
        match process::start(config, next_seq).await {
            Ok(started) => return Some(started),
            Err(error) => {
                let _ = shared.news.send(SignerNews::Down { why: error.to_string(), gone: false });
                pause = (pause * 2).min(RESTART_AFTER_AT_MOST);
            }
        }
    }
}

async fn read_answers(mut reader: OwnedReadHalf, shared: &Shared) -> End {
    let mut buffer = Vec::with_capacity(64 * 1024);
    loop {
        match reader.read_buf(&mut buffer).await {
            Ok(0) => return End::Broken("it ended".to_owned()),
            Ok(_) => {}
            Err(error) => return End::Broken(error.to_string()),
        }
        let mut used = 0;
        loop {
            match next_frame(buffer.get(used..).unwrap_or_default()) {
                Ok(Some((frame, length))) => {
                    let message = tidegate_types::codec::from_bytes(frame);
                    used += length;
                    match message {
                        Ok(FromSigner::Answers { answers }) => {
                            answers.into_iter().for_each(|answer| shared.deliver(answer));
                        }
                        Ok(FromSigner::SelfTested { outcome }) => {
                            if let Some(answer) = shared.lock().self_tests.pop() {
                                let _ = answer.send(outcome);
                            }
                        }
                        Ok(
                            FromSigner::Ready { .. }
                            | FromSigner::Failed { .. }
                            | FromSigner::Unreadable,
                        )
                        | Err(_) => return End::Broken("it answered out of turn".to_owned()),
                    }
                }
                Ok(None) => break,
                Err(error) => return End::Broken(error.to_string()),
            }
        }
        buffer.drain(..used);
    }
}

async fn write_requests(
    mut writer: OwnedWriteHalf,
    commands: &mut mpsc::UnboundedReceiver<Command>,
) -> End {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut out = Vec::new();
    loop {
        if commands.recv_many(&mut batch, MAX_BATCH).await == 0 {
            return End::Unwanted;
        }
        let mut requests = Vec::with_capacity(batch.len());
        for command in batch.drain(..) {
            match command {
                Command::Sign(request) => requests.push(request),
                Command::SelfTest(test) => put_frame(&ToSigner::SelfTest { test }, &mut out),
                Command::Restart => return End::Restart,
            }
        }
        if !requests.is_empty() {
            put_frame(&ToSigner::Sign { requests }, &mut out);
        }
        if let Err(error) = writer.write_all(&out).await {
            return End::Broken(error.to_string());
        }
        out.clear();
    }
}

fn unavailable(why: &str) -> Reject {
    Reject::new(Code::SignerUnavailable, why)
}
