//! What the demo shows a person.

use crate::cli::args::Common;
use crate::cli::output::{draw, say};
use crate::cli::reach::ask;
use crate::cli::status;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::Duration;
use tidegate_server::admin::protocol::Request;
use tidegate_types::text::visible;

/// What to paste.
pub fn welcome(ready: &Value) -> String {
    let text = |path: &str| ready.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let mut out = format!(
        "\nTidegate runs at {}; its data is in {}\nEvery client below trades for real against the simulated exchanges; trust {}\n",
        text("/gateway"),
        text("/data_dir"),
        text("/ca"),
    );
    if !text("/venues/binance/rest").is_empty() {
        let (rest, ws) = (text("/venues/binance/rest"), text("/venues/binance/ws"));
        let _ = write!(out, "
# Binance USDⓈ-M futures with ccxt
import ccxt, os
os.environ['REQUESTS_CA_BUNDLE'] = '{ca}'
ex = ccxt.binanceusdm({{'apiKey': '{key}', 'secret': '{secret}', 'requests_trust_env': True}})
ex.urls['api'] = {{k: v.replace('https://fapi.binance.com', '{rest}').replace('https://dapi.binance.com', '{rest}')
                  .replace('https://api.binance.com', '{rest}') if isinstance(v, str) else v for k, v in ex.urls['api'].items()}}
print(ex.create_order('BTC/USDT:USDT', 'market', 'buy', 0.01))
# WebSockets: {ws}
", ca = text("/ca"), key = text("/venues/binance/key"), secret = text("/venues/binance/secret"));
    }
    if !text("/venues/deribit/rest").is_empty() {
        let (rest, ws) = (text("/venues/deribit/rest"), text("/venues/deribit/ws"));
        let _ = write!(
            out,
            "
# Deribit with ccxt
import ccxt, os
os.environ['REQUESTS_CA_BUNDLE'] = '{ca}'
ex = ccxt.deribit({{'apiKey': '{key}', 'secret': '{secret}', 'requests_trust_env': True}})
ex.urls['api'] = {{'rest': '{rest}', 'ws': '{ws}/ws/api/v2'}}
print(ex.create_order('BTC/USD:BTC', 'market', 'buy', 100))
",
            ca = text("/ca"),
            key = text("/venues/deribit/key"),
            secret = text("/venues/deribit/secret")
        );
    }
    out.push_str(&super::people::welcome(ready));
    let dir = text("/data_dir");
    // Who is at the command line is the administrator, who lifts nothing where duties are kept apart.
    let resume = match text("/approvals") {
        "two" => String::new(),
        _ => format!("tidegate resume all --reason 'tried' --data-dir {dir}\n"),
    };
    let _ = write!(
        out,
        "
# From another terminal
tidegate status --data-dir {dir}
tidegate halt all --reason 'trying it' --data-dir {dir}
{resume}tidegate verify --data-dir {dir}

Stop with Ctrl-C; the next `tidegate demo` goes on from here.
"
    );
    out
}

/// Shows what happens now: in one place on a terminal, one below the other elsewhere.
#[derive(Default)]
pub struct Screen {
    /// How many lines of the last showing stand above the cursor.
    above: usize,
}

impl Screen {
    /// Whether it is due, `second` seconds after the start.
    pub fn is_due(&self, second: u64) -> bool {
        let every = if io::stderr().is_terminal() { 2 } else { 60 };
        second % every == every - 1
    }

    /// Something else was said meanwhile: what is above stays.
    pub fn interrupted(&mut self) {
        self.above = 0;
    }

    /// Shows the status.
    pub fn show(&mut self, data_dir: &Path) {
        let text = visible(&format!("\n{}\n{}", "─".repeat(100), now(data_dir)));
        if !io::stderr().is_terminal() {
            return say(&text);
        }
        let up = match self.above {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\r"),
        };
        // Without wrapping, so that a line stays one line.
        draw(&format!("{up}\x1b[J\x1b[?7l{text}\x1b[?7h"));
        self.above = text.lines().count();
    }
}

/// What happens now, as text; without a gateway, that.
fn now(data_dir: &Path) -> String {
    let mine = Common {
        data_dir: Some(data_dir.to_owned()),
        json: false,
        url: None,
        die_with_parent: false,
    };
    let answer = ask(&mine, &Request::Status {}, Duration::from_secs(2));
    match answer.and_then(|value| status::read(&value)) {
        Ok(status) => status::text(&status),
        Err(failure) => format!("the gateway does not answer: {}", failure.message),
    }
}
