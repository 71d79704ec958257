use super::*;
use crate::upstream::scripted::link;
use std::time::Instant as Wall;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

fn stranger() -> Payer {
    Payer::Peer([10, 0, 0, 1].into())
}

#[tokio::test]
async fn subscriptions_are_held_until_the_venue_s_rate_limit_allows_for_them() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let mut venue = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
    let mut relay = Relay::open(link("deribit", vec![ours]), "/ws".to_owned(), stranger()).unwrap();
    let text = |n: usize| format!(r#"{{"id":{n},"method":"public/subscribe"}}"#);
    for n in 0..5 {
        assert!(relay.send(text(n)));
    }
    let mut came = Vec::new();
    let began = Wall::now();
    for n in 0..5 {
        let heard = venue.next().await.unwrap().unwrap();
        assert_eq!(heard.to_text().unwrap(), text(n), "none is lost, and all are in order");
        came.push(began.elapsed());
        // What the venue says meanwhile is not held up.
        venue.send(Message::text("news")).await.unwrap();
        assert_eq!(relay.heard.recv().await.as_deref(), Some("news"));
    }
    assert!(came[4] - came[0] > Duration::from_millis(500), "{came:?}");
    assert!(came[4] < Duration::from_secs(5), "{came:?}");
}

#[tokio::test]
async fn a_socket_s_place_is_free_again_when_it_closes() {
    let link = link("deribit", Vec::new());
    let open = |_| Relay::open(Arc::clone(&link), "/ws".to_owned(), stranger()).ok();
    let relays: Vec<_> = (0..100).map_while(open).collect();
    assert!(!relays.is_empty() && relays.len() < 32, "{}", relays.len());
    // Nobody listens: each pump ends, and its place is free.
    for mut relay in relays {
        assert_eq!(relay.heard.recv().await, None);
    }
    assert!(open(0).is_some());
}
