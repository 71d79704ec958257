//! Who comes later to a book that is followed is told where it stands, and the venue is asked once.

use super::*;
use crate::upstream::scripted::answering;
use tidegate_types::call::WireRequest;
use tidegate_types::limits::PUBLIC_AGE;
use tidegate_types::request::Reply;

const STREAM: &str = "btcusdt@depth@100ms";

fn change(before: u64, to: u64) -> String {
    let (bids, asks) = (json!([["99.9", to.to_string()]]), json!([]));
    json!({"stream": STREAM, "data": {"e": "depthUpdate", "E": to, "T": to, "s": "BTCUSDT",
        "U": before + 1, "u": to, "pu": before, "b": bids, "a": asks}})
    .to_string()
}

fn snapshot(at: u64) -> Reply {
    let body = json!({"lastUpdateId": at, "E": at, "T": at, "bids": [["99.9", "1"]], "asks": [["100", "1"]]});
    Reply { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
}

async fn ask(link: &Arc<Link>) -> Result<Value, Reject> {
    let request = WireRequest {
        method: "GET".to_owned(),
        target: "/fapi/v1/depth?symbol=BTCUSDT&limit=1000".to_owned(),
        headers: Vec::new(),
        body: String::new(),
    };
    let reply = link.fetch_public([10, 0, 0, 1].into(), request).await?;
    Ok(serde_json::from_slice(&reply.body).unwrap())
}

#[tokio::test]
async fn fifty_who_follow_a_book_cost_one_snapshot() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let link = answering("binance", vec![ours], vec![snapshot(15)]);
    let mut venue = venue(theirs).await;
    let mut members = Vec::new();
    for n in 0..50 {
        let mut member = link.follow("/stream", stranger()).unwrap();
        assert!(member.say(join(7, &[STREAM])));
        if n == 0 {
            let subscription = asked(&mut venue).await;
            say(&mut venue, done(subscription["id"].as_u64().unwrap())).await;
        }
        assert_eq!(heard(&mut member).await, Some(done(7)));
        members.push(member);
    }
    say(&mut venue, change(10, 20)).await;
    assert_eq!(heard(&mut members[0]).await, Some(change(10, 20)));
    assert_eq!(ask(&link).await.unwrap()["lastUpdateId"], 15, "the venue's own");
    let later: Vec<_> = (0..49)
        .map(|_| {
            let link = Arc::clone(&link);
            tokio::spawn(async move { ask(&link).await })
        })
        .collect();
    let mut at = 20;
    for one in later {
        // Whichever change comes next, those who followed before they asked have it, too.
        say(&mut venue, change(at, at + 10)).await;
        at += 10;
        let told = one.await.unwrap().unwrap();
        let number = told["lastUpdateId"].as_u64().unwrap();
        assert!((20..=at).contains(&number) && number % 10 == 0, "{told}");
        assert_eq!(told["bids"], json!([["99.9", number.to_string()]]), "as it stood then");
    }
    // Where nothing changes it is told all the same; where the stream is gone, nobody knows.
    assert_eq!(ask(&link).await.unwrap()["lastUpdateId"], at);
    drop(venue);
    for member in &mut members {
        while heard(member).await.is_some() {}
    }
    // What the venue answered the first is too old by now.
    tokio::time::sleep(2 * Duration::from_micros(PUBLIC_AGE.micros())).await;
    assert!(ask(&link).await.is_err(), "the venue is asked");
}
