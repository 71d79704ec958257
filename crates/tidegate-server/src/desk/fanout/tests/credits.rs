//! Subscriptions cost the venue's credits, for which everybody waits in one line.

use super::*;

fn subscribe(channel: &str) -> String {
    let params = json!({"channels": [channel]});
    json!({"jsonrpc": "2.0", "id": 1, "method": "public/subscribe", "params": params}).to_string()
}

async fn subscribed(venue: &mut VenueEnd) -> String {
    loop {
        let ask = asked(venue).await;
        let Some(channels) = ask["params"].get("channels") else { continue };
        let answer = json!({"jsonrpc": "2.0", "id": ask["id"], "result": channels});
        say(venue, answer.to_string()).await;
        return channels[0].as_str().unwrap().to_owned();
    }
}

#[tokio::test]
async fn strangers_do_not_take_the_credits_of_who_logged_in() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (ours_too, theirs_too) = tokio::io::duplex(1 << 16);
    let link = link("deribit", vec![ours, ours_too]);
    let mut venue_of_strangers = venue(theirs).await;
    let mut strangers = Vec::new();
    for n in 0..30_u8 {
        let member = link.follow("/ws", Follower::Peer([10, 0, 0, n].into())).unwrap();
        assert!(member.say(subscribe(&format!("trades.A{n}.100ms"))));
        strangers.push(member);
    }
    // What there was at once is used up, and the others wait for what comes back.
    for _ in 0..15 {
        subscribed(&mut venue_of_strangers).await;
    }
    let account = AccountName::new("main").unwrap();
    let ann = Follower::Caller(CallerName::new("ann").unwrap(), account);
    let member = link.follow("/other", ann).unwrap();
    assert!(member.say(subscribe("trades.B.100ms")));
    let mut venue_of_ann = venue(theirs_too).await;
    let served = subscribed(&mut venue_of_ann);
    let mut served = std::pin::pin!(timeout(SOON, served));
    let mut before = 0;
    loop {
        tokio::select! {
            channel = &mut served => {
                assert_eq!(channel.unwrap(), "trades.B.100ms");
                break;
            }
            _ = subscribed(&mut venue_of_strangers) => before += 1,
        }
    }
    assert!(before <= 4, "{before} strangers went before");
}

#[tokio::test]
async fn too_many_requests_on_a_shared_socket_stop_what_goes_from_there() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (link, mut venue) = (link("deribit", vec![ours]), venue(theirs).await);
    let mut member = link.follow("/ws", stranger()).unwrap();
    assert!(member.say(subscribe("trades.A.100ms")));
    let ask = loop {
        let ask = asked(&mut venue).await;
        if ask["params"].get("channels").is_some() {
            break ask;
        }
    };
    assert!(link.gauge().frozen.is_empty());
    let error = json!({"code": 10_028, "message": "too_many_requests"});
    say(&mut venue, json!({"jsonrpc": "2.0", "id": ask["id"], "error": error}).to_string()).await;
    let told: Value = serde_json::from_str(&heard(&mut member).await.unwrap()).unwrap();
    assert_eq!((&told["error"]["code"], &told["id"]), (&json!(10_028), &json!(1)));
    assert_eq!(link.gauge().frozen.len(), 1);
}
