//! The demo desk's bots: small, real programs that hold virtual keys and trade through the
//! listener like anybody else's. Each is a process of its own (`tidegate bot NAME`), told where to
//! trade by one JSON line on its standard input, so that no secret is an argument.

mod binance;
mod deribit;
mod hedger;

mod maker;
mod trend;

use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Which bot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Bot {
    /// Quotes both sides of a perpetual, and now and then oversteps its limits.
    Maker,
    /// Follows moving averages of a perpetual.
    Trend,
    /// Buys options and hedges their delta with the perpetual.
    Hedger,
}

/// Where a bot trades and with which virtual key.
#[derive(Serialize, Deserialize)]
pub struct Desk {
    /// The venue's address on the gateway, without the API's own path.
    pub url: String,
    /// The certificate authority to trust, as a PEM file; none for plain HTTP on loopback.
    pub ca: Option<PathBuf>,
    /// The virtual key.
    pub key: String,
    /// Its secret.
    pub secret: String,
}

/// Runs a bot until its standard input closes or it is stopped.
pub async fn run(bot: Bot) -> io::Result<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let desk: Desk = serde_json::from_str(&line).map_err(io::Error::other)?;
    let client = crate::http::Client::new(&desk.url, desk.ca.as_deref())?;
    match bot {
        Bot::Maker => maker::run(binance::Api::new(client, &desk)).await,
        Bot::Trend => trend::run(binance::Api::new(client, &desk)).await,
        Bot::Hedger => hedger::run(deribit::Api::new(client, &desk)).await,
    }
}

/// Why a call did not do what was wanted.
#[derive(Debug)]
enum Trouble {
    /// The connection failed; try again later.
    Line(io::Error),
    /// Refused, with the venue's code and words.
    Refused(i64, String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Line(error)
    }
}

/// Says what went wrong on standard error and waits a little.
async fn tell(what: &str, trouble: &Trouble) {
    let text = match trouble {
        Trouble::Line(error) => format!("{what}: {error}"),
        Trouble::Refused(code, message) => format!("{what}: {code} {message}"),
    };
    crate::cli::output::say(&text);
    tokio::time::sleep(Duration::from_millis(500)).await;
}
