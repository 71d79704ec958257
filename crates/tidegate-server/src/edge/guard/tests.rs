use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PATIENT: Timeouts = Timeouts {
    handshake: Duration::from_secs(5),
    head: Duration::from_secs(5),
    body: Duration::from_secs(5),
    idle: Duration::from_secs(5),
    write: Duration::from_secs(5),
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
