//! The leanest client there is: one TLS 1.3 connection, one signed order out, one answer in. What
//! the client costs is taken from the two cores that everything shares.

use aws_lc_rs::hmac;
use rustls::pki_types::ServerName;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

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
    /// Numbers the orders.
    pub count: AtomicU64,
}

/// What the target said.
#[derive(Debug)]
pub struct Answer {
    /// It took the order.
    pub ok: bool,
    /// Its words, when it did not.
    pub text: String,
}

/// One kept-alive connection.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
    request: String,
}

impl Connection {
    /// Connects and shakes hands.
    pub async fn open(target: &Target) -> io::Result<Connection> {
        let tcp = TcpStream::connect(target.address).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::clone(&target.tls)).connect(name, tcp).await?;
        Ok(Connection { stream, buffer: Vec::with_capacity(4096), request: String::new() })
    }

    /// Sends one order and waits for its answer.
    pub async fn exchange(&mut self, target: &Target) -> io::Result<Answer> {
        self.word(target);
        self.stream.write_all(self.request.as_bytes()).await?;
        self.buffer.clear();
        loop {
            if let Some(answer) = read_answer(&self.buffer) {
                return Ok(answer);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Writes an immediate-or-cancel order that cannot trade: accepted, answered, gone.
    fn word(&mut self, target: &Target) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        let count = target.count.fetch_add(1, Ordering::Relaxed);
        let mut body = format!(
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.01&price={}\
             &newOrderRespType=RESULT&newClientOrderId=bench-{count}&recvWindow=5000&timestamp={now}",
            target.price
        );
        let tag = hmac::sign(&target.signer, body.as_bytes());
        body.push_str("&signature=");
        for byte in tag.as_ref() {
            let _ = write!(body, "{byte:02x}");
        }
        self.request.clear();
        let _ = write!(
            self.request,
            "POST {}/fapi/v1/order HTTP/1.1\r\nhost: localhost\r\nx-mbx-apikey: {}\r\n\
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
    let text = if ok { String::new() } else { String::from_utf8_lossy(body).into_owned() };
    Some(Answer { ok, text })
}
