//! The gateway's own doors with nothing behind them but an echo: for what tests of HTTP and WebSocket ask, and
//! for programs of others that do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tidegate_server::edge::{
    CallerSocket, Connections, Door, FAREWELL, Heard, Listening, Messages, Mount, Names, Opening,
    Serve, Site, Timeouts, Wire, listen, plain_refusal,
};
use tidegate_types::key::Origin;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{RawRequest, Reply};
use tidegate_venues::Venue;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;

/// Where a WebSocket is served that says what it is told.
pub const ECHO_PATH: &str = "/echo";

/// An open door; it closes when dropped.
#[derive(Debug)]
pub struct Open {
    /// Where it is.
    pub address: SocketAddr,
    _listening: Listening,
    _stop: watch::Sender<bool>,
}

/// Opens a door for whoever says that it is for `h` or this machine.
pub async fn open(address: SocketAddr, patience: Duration) -> std::io::Result<Open> {
    let timeouts = Timeouts {
        handshake: patience,
        head: patience,
        body: patience,
        idle: patience,
        write: Duration::from_secs(30),
        slowest: 0,
        unused: patience,
    };
    let door = Door {
        site: Arc::new(Echo),
        mount: Mount::Prefixes(Vec::new()),
        names: Names::new(["h".to_owned()], None),
        tls: None,
        timeouts,
        rate: (1_000_000, 1_000_000),
        connections: Connections::new(4096, 4096),
    };
    let (stop, stopped) = watch::channel(false);
    let listening = listen(address, door, stopped).await?;
    Ok(Open { address: listening.address, _listening: listening, _stop: stop })
}

/// Answers every request with its path, and every text with itself.
struct Echo;

impl Site for Echo {
    async fn reply(&self, _: &'static dyn Venue, request: RawRequest) -> Reply {
        self.visit(request).await
    }

    fn refuse(&self, _: &'static dyn Venue, _: Option<&RawRequest>, reject: &Reject) -> Reply {
        plain_refusal(reject)
    }

    fn open(&self, _: &'static dyn Venue, _: &RawRequest) -> Result<Opening, Reply> {
        Err(plain_refusal(&Reject::new(Code::UnknownRoute, "no venue is here")))
    }

    async fn drive(
        &self,
        _: &'static dyn Venue,
        _: Opening,
        _: CallerSocket,
        _: Origin,
        _: Messages,
        _: Duration,
    ) {
    }

    async fn administer(&self, request: RawRequest) -> Reply {
        self.visit(request).await
    }

    async fn visit(&self, request: RawRequest) -> Reply {
        Reply { status: 200, headers: Vec::new(), body: request.path.into_bytes() }
    }

    fn upgrade(&self, request: &RawRequest) -> Option<Result<Serve, Reply>> {
        (request.path == ECHO_PATH).then(|| -> Result<Serve, Reply> {
            Ok(Box::new(|socket, _| Box::pin(say_it_again(Wire::new(socket)))))
        })
    }
}

async fn say_it_again(mut wire: Wire) {
    loop {
        match wire.next().await {
            Heard::Text(text) => wire.send(Message::text(text)),
            Heard::Other => {}
            Heard::Binary => {
                wire.close(1003, "text only");
                break;
            }
            Heard::End => break,
        }
        if wire.overflows() {
            break;
        }
    }
    let _ = tokio::time::timeout(FAREWELL, wire.finish()).await;
}
