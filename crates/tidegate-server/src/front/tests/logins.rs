use super::*;

const KEY: &str = "/fapi/v1/listenKey";

async fn strict() -> Desk {
    let strict = Logins { bare_listen_keys: false, secrets_in_address: false };
    desk_that_takes(office().await, strict).await
}

fn bare(desk: &Desk, method: Method, query: &str) -> RawRequest {
    RawRequest { query: query.to_owned(), ..desk.request(method, KEY, "", 0) }
}

fn said(answer: &Value) -> &str {
    answer["msg"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn stock_clients_get_a_listen_key_for_a_key_id() {
    let desk = desk().await;
    let (status, answer) = desk.answer(bare(&desk, Method::Post, "")).await;
    assert_eq!(status, 200, "{answer}");
    // Who signs all the same is checked all the same.
    let mut forged = desk.request(Method::Post, KEY, "recvWindow=5000", 0);
    forged.query = forged.query.replace("recvWindow=5000", "recvWindow=6000");
    let (status, answer) = desk.answer(forged).await;
    assert_eq!((status, &answer["code"]), (400, &json!(-1022)), "{answer}");
}

#[tokio::test]
async fn a_desk_may_want_listen_keys_signed_for_and_in_no_address() {
    let desk = strict().await;
    for method in [Method::Post, Method::Put, Method::Delete] {
        let (status, answer) = desk.answer(bare(&desk, method, "")).await;
        assert_eq!((status, &answer["code"]), (401, &json!(-2015)), "{answer}");
        assert!(said(&answer).starts_with("TG111") && said(&answer).contains("sign"), "{answer}");
    }
    let (status, made) = desk.answer(desk.request(Method::Post, KEY, "recvWindow=5000", 0)).await;
    assert_eq!(status, 200, "{made}");
    let key = made["listenKey"].as_str().unwrap().to_owned();
    let signed = desk.request(Method::Put, KEY, &format!("listenKey={key}"), 0);
    let (status, answer) = desk.answer(signed).await;
    assert_eq!(status, 401, "{answer}");
    assert!(said(&answer).contains("SUBSCRIBE"), "{answer}");

    let at = desk.listen().await;
    for path in [format!("/ws/{key}"), format!("/private/stream?streams={key}")] {
        let stream = TcpStream::connect(at.address).await.unwrap();
        let url = format!("ws://{}/{VENUE}{path}", at.address);
        let refused = tokio_tungstenite::client_async(url, stream).await.unwrap_err();
        assert!(refused.to_string().contains("401"), "{path}: {refused}");
    }
    let mut socket = open(at.address, "/private/ws").await;
    let ask = json!({"method": "SUBSCRIBE", "params": [key], "id": 1}).to_string();
    socket.send(Message::text(ask)).await.unwrap();
    let heard = hear(&mut socket).await.into_text().unwrap().to_string();
    assert_eq!(heard, r#"{"result":null,"id":1}"#);

    let mut socket = open(at.address, "/ws-fapi/v1").await;
    let ask = json!({"id": 2, "method": "userDataStream.start", "params": {"apiKey": desk.key}});
    socket.send(Message::text(ask.to_string())).await.unwrap();
    let heard = hear(&mut socket).await.into_text().unwrap().to_string();
    assert!(heard.contains("TG111"), "{heard}");
}

#[tokio::test]
async fn secrets_in_addresses_are_taken_where_a_desk_says_so_alone() {
    let deribit = registry::find(&name("deribit")).unwrap();
    let get = |path: &str, query: &str| RawRequest {
        method: Method::Get,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        peer: [127, 0, 0, 1].into(),
        certificate: None,
    };
    let login = "grant_type=client_credentials&client_id=nobody&client_secret=hush";
    let positions = "/api/v2/private/get_positions";
    let asked = [
        get("/api/v2/public/auth", login),
        get("/api/v2/public/auth", &login.replace("client_secret", "client%5Fsecret")),
        get("/api/v2/public/auth", "grant_type=refresh_token&refresh_token=hush"),
        get(positions, "currency=BTC&access_token=hush"),
    ];
    let open = Logins { secrets_in_address: true, ..Logins::default() };
    let (shut, open) = (desk().await, desk_that_takes(office().await, open).await);
    for request in asked {
        let answer = |reply: Reply| String::from_utf8(reply.body).unwrap();
        let refused = answer(shut.gate.serve(deribit, request.clone()).await);
        assert!(refused.contains("TG111") && refused.contains("body of a POST"), "{refused}");
        assert!(!refused.contains("hush"), "{refused}");
        // Taken, and found to be nobody's.
        let taken = answer(open.gate.serve(deribit, request).await);
        assert!(taken.contains("TG102") || taken.contains("TG107"), "{taken}");
    }
    let socket = deribit.weakness(&get("/ws/api/v2", "access_token=hush"));
    assert_eq!(socket, Some(Weakness::SecretInAddress));
    let signed = "grant_type=client_signature&client_id=a&signature=b&timestamp=1&nonce=c";
    assert_eq!(deribit.weakness(&get("/api/v2/public/auth", signed)), None);
}
