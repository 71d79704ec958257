use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PATIENT: Timeouts = Timeouts {
    handshake: Duration::from_secs(5),
    head: Duration::from_secs(5),
    body: Duration::from_secs(5),
    idle: Duration::from_secs(5),
    write: Duration::from_secs(5),
    slowest: 0,
    unused: Duration::from_secs(5),
};

#[tokio::test]
async fn what_follows_an_upgrade_is_not_read_as_http() {
    let upgrade = "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    // What came before the answer, and whether there may be one.
    for (early, goes_on) in [("", true), ("early\n", false)] {
        let (mut caller, socket) = tokio::io::duplex(1024);
        let phase = Phase::new();
        let mut guarded = Guarded::new(socket, phase.clone(), PATIENT);
        caller.write_all(format!("{upgrade}{early}").as_bytes()).await.unwrap();
        let mut heard = vec![0; 1024];
        let n = guarded.read(&mut heard).await.unwrap();
        assert_eq!(n, upgrade.len() + early.len());
        phase.busy();
        assert_eq!(phase.upgrade(), goes_on, "{early:?}");
        caller.write_all(b"\x81\n\n\nfram").await.unwrap();
        let n = guarded.read(&mut heard).await.unwrap();
        assert_eq!(&heard[..n], b"\x81\n\n\nfram", "bytes of a WebSocket are left alone");
    }
}

/// Whether a reader that takes a byte every 20 ms may go on for several windows of a second.
async fn may_trickle(slowest: u32) -> bool {
    let (mut caller, socket) = tokio::io::duplex(16);
    let timeouts = Timeouts { write: Duration::from_secs(1), slowest, ..PATIENT };
    let mut guarded = Guarded::new(socket, Phase::new(), timeouts);
    let trickle = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if caller.read_u8().await.is_err() {
                return;
            }
        }
    });
    let written = tokio::time::timeout(Duration::from_secs(4), guarded.write_all(&[0; 10_000]));
    let went_on = match written.await {
        Ok(written) => {
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
            false
        }
        Err(_) => true,
    };
    trickle.abort();
    went_on
}

#[tokio::test]
async fn a_reader_below_the_floor_is_cut_off() {
    assert!(!may_trickle(10_000).await, "10,000 bytes in a window");
    assert!(may_trickle(0).await, "a byte in a window");
}

#[tokio::test]
async fn a_body_that_stops_on_its_way_is_given_up_before_its_time_is_over() {
    let (mut caller, socket) = tokio::io::duplex(1024);
    let timeouts = Timeouts { head: Duration::from_secs(60), slowest: 256, ..PATIENT };
    let phase = Phase::new();
    let mut guarded = Guarded::new(socket, phase.clone(), timeouts);
    phase.body();
    caller.write_all(b"some").await.unwrap();
    let mut heard = [0; 1024];
    assert_eq!(guarded.read(&mut heard).await.unwrap(), 4);
    let began = Instant::now();
    let error = guarded.read(&mut heard).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(began.elapsed() >= Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_a_refused_caller_still_sends_is_thrown_away_until_it_ends() {
    let (caller, socket) = tokio::io::duplex(64);
    let phase = Phase::new();
    let mut guarded = Guarded::new(socket, phase.clone(), PATIENT);
    phase.busy();
    phase.refuse();
    let (mut from, mut to) = tokio::io::split(caller);
    let sent = tokio::spawn(async move { to.write_all(&[0; 10_000]).await });
    guarded.write_all(b"no").await.unwrap();
    guarded.shutdown().await.unwrap();
    assert!(sent.await.unwrap().is_ok(), "all of it is taken");
    drop(guarded);
    let mut heard = Vec::new();
    from.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"no");
}
