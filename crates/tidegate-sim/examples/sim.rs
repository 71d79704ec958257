//! Starts a simulator: `cargo run -p tidegate-sim --example sim -- DIR ADDR:PORT [--plain]`.

use std::io::Write as _;
use tidegate_sim::config::Limits;
use tidegate_sim::engine::Venue;
use tidegate_sim::{SimConfig, run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, listen, rest @ ..] = args.as_slice() else {
        return Err("usage: sim DIR ADDR:PORT [--plain] [--venue-limits]".into());
    };
    let mut config = SimConfig::standard(folder.into(), listen.parse()?, 1, &Venue::ALL);
    config.tls = !rest.contains(&"--plain".to_owned());
    config.control = true;
    if rest.contains(&"--venue-limits".to_owned()) {
        config.limits = Limits::VENUE;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    runtime.block_on(run(
        config,
        |ready| {
            let venues: Vec<_> = ready
                .venues
                .iter()
                .map(|venue| {
                    let keys: Vec<_> = venue
                        .keys
                        .iter()
                        .map(|(name, key)| serde_json::json!([name, key.id, key.holder]))
                        .collect();
                    serde_json::json!({
                        "venue": venue.venue.name(), "rest": venue.rest, "ws": venue.ws,
                        "key": venue.key, "secret": venue.secret, "keys": keys,
                    })
                })
                .collect();
            let ca = ready.ca.map(|path| path.display().to_string());
            let line = serde_json::json!({"url": ready.url, "ca": ca, "venues": venues});
            let _ = writeln!(std::io::stdout(), "{line}");
        },
        stop,
    ))?;
    Ok(())
}
