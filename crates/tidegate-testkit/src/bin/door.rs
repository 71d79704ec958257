//! A door with an echo behind it: `door ADDRESS`. Prints where it is, and stays until it is ended.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use tidegate_testkit::door;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let asked: Option<SocketAddr> = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let Some(address) = asked else {
        let _ = writeln!(std::io::stderr(), "usage: door ADDRESS");
        return ExitCode::from(64);
    };
    match door::open(address, Duration::from_secs(60)).await {
        Ok(open) => {
            let _ = writeln!(std::io::stdout(), "{}", open.address);
            std::future::pending().await
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{address}: {error}");
            ExitCode::FAILURE
        }
    }
}
