use super::*;

#[test]
fn what_sessions_and_the_venue_say_is_taken_apart() {
    let join = r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","!bookTicker"],"id":"a"}"#;
    let streams = vec!["btcusdt@trade".to_owned(), "!bookTicker".to_owned()];
    assert_eq!(said(join), Some(Said::Join { id: "a".into(), streams: streams.clone() }));
    let leave = r#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade","!bookTicker"],"id":null}"#;
    let left = Said::Leave { id: Value::Null, streams: Some(streams.clone()) };
    assert_eq!(said(leave), Some(left));
    assert_eq!(said(r#"{"method":"LIST_SUBSCRIPTIONS","id":3}"#), None, "sessions answer it");
    let news = r#"{"stream":"btcusdt@trade","data":{"id":7,"p":"1.50"}}"#;
    assert_eq!(told(news), Told::News { stream: "btcusdt@trade".to_owned() });
    assert_eq!(told(r#"{"result":null,"id":7}"#), Told::Answer { id: 7, taken: Taken::All });
    let error = r#"{"error":{"code":2,"msg":"Invalid request"},"id":7}"#;
    assert_eq!(told(error), Told::Answer { id: 7, taken: Taken::None });
    for text in ["", "[]", "{", r#"{"result":null,"id":null}"#, r#"{"e":"trade"}"#] {
        assert_eq!(told(text), Told::Nothing, "{text}");
    }
    assert_eq!(
        denied(&Value::from(9), error),
        r#"{"error":{"code":2,"msg":"Invalid request"},"id":9}"#
    );
    assert_eq!(
        begin(1, &streams),
        r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","!bookTicker"],"id":1}"#
    );
    assert_eq!(
        end(2, &streams[..1]),
        r#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":2}"#
    );
}
