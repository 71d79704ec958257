//! Credentials that were bad too often.

use super::*;

/// The code of the refusal of a signed read from an address, by a signature that is good or not.
async fn told(desk: &Desk, from: [u8; 4], good: bool, age: i64) -> String {
    let mut request = desk.request(Method::Get, "/fapi/v1/openOrders", "symbol=BTCUSDT", age);
    if !good {
        let other = if request.query.ends_with('0') { '1' } else { '0' };
        request.query.pop();
        request.query.push(other);
    }
    request.peer = from.into();
    let (_, answer) = desk.answer(request).await;
    let words = answer["msg"].as_str().unwrap_or_default().to_owned();
    words.split(' ').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_key_whose_signatures_are_bad_is_not_looked_at_for_a_while_from_there() {
    let desk = desk().await;
    let (here, there) = ([192, 0, 2, 9], [192, 0, 2, 1]);
    let burst = crate::edge::Limits::default().failures.1;
    let mut looked_at = 0;
    while told(&desk, here, false, 0).await != "TG411" {
        looked_at += 1;
        assert!(looked_at < 10 * burst, "there is an end");
    }
    assert!(looked_at >= burst, "{looked_at}");
    // One more is looked at each twentieth of a second: a good one right after a bad one that was not.
    let mut good = String::new();
    for n in 0..20 {
        while told(&desk, here, false, 0).await != "TG411" {}
        good = told(&desk, here, true, 10 + n).await;
        if good == "TG411" {
            break;
        }
    }
    assert_eq!(good, "TG411", "a good one neither");
    // Another address that shows the key is looked at, and so is another key of this one.
    assert!(!told(&desk, there, true, 2).await.starts_with("TG4"));
    let made = desk.office.ask(json!({"op": "key-add", "caller": "ann", "account": "main"})).await;
    let made = made.unwrap();
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    let other = Desk { key: text("id"), secret: text("secret"), ..desk };
    assert!(!told(&other, here, true, 3).await.starts_with("TG4"));
}
