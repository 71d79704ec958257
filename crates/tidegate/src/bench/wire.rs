//! The leanest client there is: one TLS 1.3 connection, one signed order out, one answer in. What
//! the client costs is taken from the two cores that everything shares.

use aws_lc_rs::hmac;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where orders go and with which key they are signed.
pub struct Target {
    /// The address.
    pub address: SocketAddr,
    /// Trusts the target's certificate authority.
    pub tls: Arc<rustls::ClientConfig>,
    /// What comes before the venue's own path.
    pub prefix: String,
    /// The API key.
    pub key: String,
    /// Signs with the secret.
    pub signer: hmac::Key,
    /// The price of the order: near enough to the mark to be let through, too far to trade.
    pub price: String,
    /// Where every fourth order goes when some are to trade: well above the mark.
    pub crossing: Option<String>,
    /// Numbers the orders.
    pub count: AtomicU64,
    /// Requests that are sent once each, in turn, instead of orders that are made as they leave.
    pub ready: Vec<String>,
}

impl Target {
    /// The same for another caller.
    pub fn with_key(&self, key: &str, secret: &str) -> Target {
        Target {
            key: key.to_owned(),
            signer: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            ..self.plain()
        }
    }

    /// The same, with orders that trade among the others; `above` is a price well above the mark.
    pub fn trading(&self, above: String) -> Target {
        Target { crossing: Some(above), ..self.plain() }
    }

    /// The same, with requests that were made beforehand.
    pub fn with_ready(&self, ready: Vec<String>) -> Target {
        Target { ready, ..self.plain() }
    }

    fn plain(&self) -> Target {
        Target {
            address: self.address,
            tls: Arc::clone(&self.tls),
            prefix: self.prefix.clone(),
            key: self.key.clone(),
            signer: self.signer.clone(),
            price: self.price.clone(),
            crossing: None,
            count: AtomicU64::new(0),
            ready: Vec::new(),
        }
    }
}

/// What the target said.
#[derive(Debug)]
pub struct Answer {
    /// It took the order.
    pub ok: bool,
    /// Its words.
    pub body: String,
}

/// One kept-alive connection, used by one thread: a thread that waits for its answer is woken by the
/// kernel at once, with no loop of the client's own in between.
pub struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    buffer: Vec<u8>,
    request: String,
}

impl Connection {
    /// Connects and shakes hands. Nothing afterwards takes longer than `patience`.
    pub fn open(target: &Target, patience: Duration) -> io::Result<Connection> {
        let tcp = TcpStream::connect_timeout(&target.address, patience)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(patience))?;
        tcp.set_write_timeout(Some(patience))?;
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let client =
            ClientConnection::new(Arc::clone(&target.tls), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(client, tcp);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Connection { stream, buffer: Vec::with_capacity(4096), request: String::new() })
    }

    /// Makes the next order, so that sending it takes no time of its own, or takes the next of those
    /// that are ready; `false` when there is none left.
    pub fn prepare(&mut self, target: &Target) -> bool {
        if target.ready.is_empty() {
            self.word(target);
            return true;
        }
        let turn = target.count.fetch_add(1, Ordering::Relaxed);
        let next = usize::try_from(turn).ok().and_then(|turn| target.ready.get(turn));
        self.request.clear();
        self.request.extend(next.map(String::as_str));
        next.is_some()
    }

    /// Sends the order that was prepared and waits for its answer.
    pub fn exchange(&mut self) -> io::Result<Answer> {
        self.stream.write_all(self.request.as_bytes())?;
        self.buffer.clear();
        let mut chunk = [0; 4096];
        loop {
            match self.stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => self.buffer.extend_from_slice(chunk.get(..n).unwrap_or_default()),
            }
            if let Some(answer) = read_answer(&self.buffer) {
                return Ok(answer);
            }
        }
    }

    /// Sends a request as it is; the body of its answer, whatever its status.
    pub fn ask(&mut self, request: &str) -> io::Result<String> {
        self.request = request.to_owned();
        Ok(self.exchange()?.body)
    }

    /// Turns the connection into a WebSocket (RFC 6455 §4.1).
    pub fn upgrade(&mut self, path: &str) -> io::Result<()> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes())?;
        let mut chunk = [0; 4096];
        let n = self.stream.read(&mut chunk)?;
        let said = String::from_utf8_lossy(chunk.get(..n).unwrap_or_default()).into_owned();
        if said.starts_with("HTTP/1.1 101") { Ok(()) } else { Err(io::Error::other(said)) }
    }

    /// Reads until the other side ends the connection or says that it does.
    pub fn drain(&mut self) -> io::Result<()> {
        /// The first byte of a frame that closes (RFC 6455 §5.5.1).
        const CLOSE: u8 = 0x88;
        let mut chunk = [0; 4096];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(_) if chunk.first() == Some(&CLOSE) => return Ok(()),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(e) => return Err(e),
            }
        }
    }

    /// Makes an order that rests, under this id.
    pub fn prepare_resting(&mut self, target: &Target, id: &str) {
        let params = format!(
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price={}\
             &newClientOrderId={id}",
            target.price
        );
        self.write(target, "POST", params);
    }

    /// Makes the cancel of the order with this id.
    pub fn prepare_cancel(&mut self, target: &Target, id: &str) {
        self.write(target, "DELETE", format!("symbol=BTCUSDT&origClientOrderId={id}"));
    }

    /// Writes an immediate-or-cancel order: accepted, answered, gone. It cannot trade, but when the
    /// target wants some that do, every other one buys or sells at once, in turn.
    fn word(&mut self, target: &Target) {
        let count = target.count.fetch_add(1, Ordering::Relaxed);
        let (side, price) = match (&target.crossing, count % 4) {
            (Some(above), 1) => ("BUY", above),
            (Some(_), 3) => ("SELL", &target.price),
            _ => ("BUY", &target.price),
        };
        let params = format!(
            "symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=IOC&quantity=0.01&price={price}\
             &newOrderRespType=RESULT&newClientOrderId=bench-{count}"
        );
        self.write(target, "POST", params);
    }

    fn write(&mut self, target: &Target, method: &str, mut body: String) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        let _ = write!(body, "&recvWindow=5000&timestamp={now}");
        let tag = hmac::sign(&target.signer, body.as_bytes());
        body.push_str("&signature=");
        for byte in tag.as_ref() {
            let _ = write!(body, "{byte:02x}");
        }
        self.request.clear();
        let _ = write!(
            self.request,
            "{method} {}/fapi/v1/order HTTP/1.1\r\nhost: localhost\r\nx-mbx-apikey: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            target.prefix,
            target.key,
            body.len()
        );
    }
}

/// The answer, once the whole of it is there.
fn read_answer(bytes: &[u8]) -> Option<Answer> {
    let head_end = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(bytes.get(..head_end)?).to_ascii_lowercase();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse().ok())?;
    let body = bytes.get(head_end..head_end.checked_add(length)?)?;
    let ok = head.starts_with("http/1.1 200");
    Some(Answer { ok, body: String::from_utf8_lossy(body).into_owned() })
}
