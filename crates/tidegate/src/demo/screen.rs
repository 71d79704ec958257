//! What the demo shows a person.

use crate::cli::args::Common;
use crate::cli::output::say;
use crate::cli::reach::ask;
use crate::cli::status;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use tidegate_journal::Reader;
use tidegate_server::admin::protocol::Request;
use tidegate_types::record::Body;

/// How far back the screen looks for refusals.
const LOOK_BACK: u64 = 2_000;
const SHOWN: usize = 4;

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
    let dir = text("/data_dir");
    let _ = write!(
        out,
        "
# From another terminal
tidegate status --data-dir {dir}
tidegate halt all --reason 'trying it' --data-dir {dir}
tidegate resume all --reason 'tried' --data-dir {dir}
tidegate verify --data-dir {dir}

Stop with Ctrl-C; the next `tidegate demo` goes on from here.
"
    );
    out
}

/// Shows the status and the newest refusals.
pub fn show(data_dir: &Path) {
    let mine = Common {
        data_dir: Some(data_dir.to_owned()),
        json: false,
        url: None,
        die_with_parent: false,
    };
    let Ok(value) = ask(&mine, &Request::Status {}, Duration::from_secs(2)) else {
        return say("the gateway does not answer");
    };
    let Ok(text) = status::text(&value) else { return };
    say(&format!("\n── {}", text.replace('\n', "\n   ")));
    for line in refusals(data_dir) {
        say(&format!("   refused   {line}"));
    }
}

fn refusals(data_dir: &Path) -> Vec<String> {
    let dir = data_dir.join(crate::cli::offline::JOURNAL);
    let mut found = Vec::new();
    let Ok(mut reader) = Reader::open_last(&dir, LOOK_BACK) else { return found };
    while let Ok(Some((_, record))) = reader.next_record() {
        if let Body::Refused { caller, reject, .. } = record.body {
            let who = caller.map_or_else(|| "somebody".to_owned(), |caller| caller.to_string());
            found.push(format!("{who}: {reject}"));
        }
    }
    found.split_off(found.len().saturating_sub(SHOWN))
}
