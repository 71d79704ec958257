//! An account's private stream, with a socket.

use super::{Pause, open, read, say, until};
use crate::clock;
use crate::desk::{Errand, Link, OwnSocket, Sink};
use crate::oplog;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use tidegate_core::event::Event;
use tidegate_types::call::CallBody;
use tidegate_types::ids::AccountName;
use tidegate_venues::upstream::{AccountStream, StreamNews, StreamStep};

/// Follows an account's private stream for ever: what it tells goes to the core and to the callers'
/// sessions. The core hears when it is up, and when it breaks.
pub async fn follow_account(sink: Arc<dyn Sink>, link: Arc<Link>, account: AccountName) {
    let (mut pause, mut broken) = (Pause::default(), oplog::Repeated::default());
    loop {
        let began = Instant::now();
        let mut follower = Follower {
            sink: sink.as_ref(),
            link: &link,
            account: &account,
            stream: link.venue().account_stream(),
            socket: None,
        };
        let why = follower.run().await;
        if broken.is_news(&why) {
            oplog::warn("stream-down", &[("account", &account), ("why", &why)]);
        }
        sink.event(Event::StreamDown { account: account.clone(), why });
        pause.wait(began.elapsed()).await;
    }
}

struct Follower<'a> {
    sink: &'a dyn Sink,
    link: &'a Link,
    account: &'a AccountName,
    stream: Box<dyn AccountStream>,
    socket: Option<OwnSocket>,
}

impl Follower<'_> {
    /// Runs until something breaks; says what.
    async fn run(&mut self) -> String {
        match self.follow().await {
            Ok(never) => match never {},
            Err(why) => why,
        }
    }

    async fn follow(&mut self) -> Result<std::convert::Infallible, String> {
        let steps = self.stream.start(clock::now());
        self.take(steps).await?;
        loop {
            let timer = self.stream.timer();
            let steps = tokio::select! {
                text = next(self.link, &mut self.socket) => self.hear(&text?),
                () = until(timer) => self.stream.on_timer(clock::now()),
            };
            self.take(steps).await?;
        }
    }

    fn hear(&mut self, text: &str) -> Vec<StreamStep> {
        let instruments = self.sink.instruments(&self.link.venue().name());
        let (news, steps) = self.stream.on_text(text, &instruments, clock::now());
        for news in news {
            let account = self.account.clone();
            match news {
                StreamNews::Event(event) => self.sink.event(Event::Streamed { account, event }),
                StreamNews::Frame(frame) => self.sink.frame(&account, &frame),
            }
        }
        steps
    }

    /// Takes steps, and those that come of them, in order.
    async fn take(&mut self, steps: Vec<StreamStep>) -> Result<(), String> {
        let mut left = VecDeque::from(steps);
        while let Some(step) = left.pop_front() {
            match step {
                StreamStep::Call(body) => {
                    let request = self.signed(body).await?.into_request();
                    let errand = Errand::Upkeep(Some(self.account));
                    let reply = self.link.fetch(errand, request).await;
                    let reply = reply.map_err(|e| e.to_string())?;
                    left.extend(self.stream.on_reply(&reply, clock::now()));
                }
                StreamStep::Connect(target) => {
                    self.socket = Some(open(self.link, Some(self.account), &target).await?);
                    left.extend(self.stream.on_open(clock::now()));
                }
                StreamStep::SendCall(body) => {
                    let request = self.signed(body).await?.into_request();
                    self.say(request.body).await?;
                }
                StreamStep::SendText(text) => self.say(text).await?,
                StreamStep::Up => {
                    oplog::info("stream-up", &[("account", self.account)]);
                    self.sink.event(Event::StreamUp { account: self.account.clone() });
                }
                StreamStep::Restart(why) => return Err(why),
            }
        }
        Ok(())
    }

    async fn signed(&mut self, body: CallBody) -> Result<tidegate_core::send::Sendable, String> {
        self.sink.sign(self.account, body).await.map_err(|reject| reject.to_string())
    }

    async fn say(&mut self, text: String) -> Result<(), String> {
        match &mut self.socket {
            Some(socket) => say(self.link, socket, text).await,
            None => Err("there is no socket to send on".to_owned()),
        }
    }
}

/// The next text, if there is a socket; never without one.
async fn next(link: &Link, socket: &mut Option<OwnSocket>) -> Result<String, String> {
    match socket {
        Some(socket) => read(link, socket).await,
        None => std::future::pending().await,
    }
}
