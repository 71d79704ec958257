//! A caller that is shared with somebody, who looks and does nothing.

use super::*;

/// `tom`, who owns `ann`; `udo` and `eve`, traders without callers; all logged in by passkey.
async fn three() -> (Office, [(Browser, Device); 3]) {
    let (office, _links) = manned().await;
    let by = office.someone("ada");
    let mut inside = Vec::new();
    for (who, owns) in [("tom", json!(["ann"])), ("udo", json!([])), ("eve", json!([]))] {
        let set = json!({"op": "person-set", "person": who, "roles": ["trader"], "owns": owns});
        office.ask_as(&by, set).await.unwrap();
        let invite = json!({"op": "person-invite", "person": who});
        let made = office.ask_as(&by, invite).await.unwrap();
        let link = made["link"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
        let mut browser = Browser::at(&office);
        let mut device = browser.enrol(&link).await;
        browser.log_in(&mut device).await;
        inside.push((browser, device));
    }
    (office, inside.try_into().ok().unwrap())
}

/// What of `ann` its pages and the status tell somebody.
async fn sees(office: &Office, browser: &Browser, who: &str) -> bool {
    let status = office.ask_as(&office.someone(who), json!({"op": "status"})).await.unwrap();
    let told = status["callers"].as_array().unwrap().iter().any(|row| row["caller"] == "ann");
    let access = page(&browser.get("/console/access").await).contains("Grant on main");
    let limits = page(&browser.get("/console/limits").await).contains("largest order, USD");
    assert!(told == access && told == limits, "{who}: {told} {access} {limits}");
    told
}

#[tokio::test]
async fn who_is_named_reads_a_caller_and_does_nothing_until_it_is_taken_back() {
    let (office, [(tom, mut device), (udo, _), (eve, mut other)]) = three().await;
    assert!(sees(&office, &tom, "tom").await);
    assert!(!sees(&office, &udo, "udo").await);
    // The owner's passkey signs it.
    let asked = tom.post("/console/access/share", "caller=ann&name=udo").await;
    assert_eq!(header(&asked, "location"), Some("/console/approvals/0"), "{}", page(&asked));
    assert!(!sees(&office, &udo, "udo").await);
    let shown = page(&tom.get("/console/approvals/0").await);
    assert!(shown.contains("let udo read all of caller ann"), "{shown}");
    let digest = stage(&office, 0).await.1;
    assert_eq!(eve.sign(&mut other, 0, &digest).await.0, 404, "it is not there for others");
    assert_eq!(tom.sign(&mut device, 0, &digest).await.0, 200);
    assert!(sees(&office, &udo, "udo").await);
    assert!(!sees(&office, &eve, "eve").await, "nobody else does");
    // The owner sees with whom; the reader does not, and finds nothing to press.
    assert!(page(&tom.get("/console/access").await).contains("Read by <strong>udo"));
    let shown = page(&udo.get("/console/access").await);
    for button in ["Read by", "Share ann", "Revoke", "Replace", "Change the grant"] {
        assert!(!shown.contains(button), "{button}: {shown}");
    }
    let (tom_is, udo_is) = (office.someone("tom"), office.someone("udo"));
    let told = office.ask_as(&tom_is, json!({"op": "status"})).await.unwrap();
    assert_eq!(told["callers"][0]["read_by"], json!(["udo"]));
    let told = office.ask_as(&udo_is, json!({"op": "status"})).await.unwrap();
    assert_eq!(told["callers"][0]["read_by"], Value::Null);
    // It reads; it halts, narrows, revokes, shares and takes back nothing.
    let before = office.world.desk.next_seq();
    for op in [
        json!({"op": "halt", "scope": "caller:ann", "reason": "x", "timeout_s": 0}),
        json!({"op": "grant-remove", "caller": "ann", "account": "main"}),
        json!({"op": "key-revoke", "id": "key"}),
        json!({"op": "key-rotate", "id": "key", "overlap_s": 1}),
        json!({"op": "caller-share", "caller": "ann", "person": "eve"}),
        json!({"op": "caller-unshare", "caller": "ann", "person": "udo"}),
        json!({"op": "resume", "scope": "caller:ann", "reason": "x"}),
    ] {
        let (code, why) = office.ask_as(&udo_is, op.clone()).await.unwrap_err();
        assert_eq!(code, "forbidden", "{op}: {why}");
    }
    for (path, fields) in [
        ("/console/access/revoke", "key=key"),
        ("/console/access/grant/remove", "caller=ann&account=main"),
        ("/console/access/share", "caller=ann&name=eve"),
        ("/console/access/unshare", "caller=ann&name=udo"),
    ] {
        assert_eq!(udo.post(path, fields).await.status, 403, "{path}");
    }
    // Nothing but what says that it was refused, once a second.
    assert!(office.world.desk.next_seq().0 - before.0 <= 60);
    assert!(
        office.world.desk.look(|state| state.halts().is_empty() && state.grants().count() == 1)
    );
    // For who does not see it there is no such caller.
    for op in ["caller-share", "caller-unshare"] {
        let ask = json!({"op": op, "caller": "ann", "person": "udo"});
        let (_, hidden) = office.ask_as(&office.someone("eve"), ask).await.unwrap_err();
        let ask = json!({"op": op, "caller": "none", "person": "udo"});
        let (_, absent) = office.ask_as(&office.someone("eve"), ask).await.unwrap_err();
        assert_eq!(hidden.replace("ann", "none"), absent);
    }
    assert_eq!(tom.post("/console/access/unshare", "caller=ann&name=udo").await.status, 303);
    assert!(!sees(&office, &udo, "udo").await, "it is taken back at once");
}

#[tokio::test]
async fn sharing_takes_a_second_person_where_the_desk_wants_two_and_never_the_reader() {
    let (office, _) = three().await;
    let (by, tom) = (office.someone("ada"), office.someone("tom"));
    office.ask_as(&by, json!({"op": "approvals-set", "approvals": "two"})).await.unwrap();
    let share = |person: &str| json!({"op": "caller-share", "caller": "ann", "person": person});
    let told = office.ask_as(&tom, share("udo")).await.unwrap();
    assert_eq!(told["pending"], 0);
    let approve = |id: usize, digest: &Value| json!({"op": "approve", "id": id, "digest": digest});
    let digest = stage(&office, 0).await.1;
    office.ask_as(&office.someone("pia"), approve(0, &digest)).await.unwrap();
    let reads = |who: &str| {
        let name: tidegate_types::ids::PersonName = who.parse().unwrap();
        let ann: tidegate_types::ids::CallerName = "ann".parse().unwrap();
        office.world.desk.look(|state| state.people()[&name].reads.contains(&ann))
    };
    assert!(reads("udo"));
    // Nobody approves that they read something themselves.
    office.ask_as(&tom, share("pia")).await.unwrap();
    let digest = stage(&office, 1).await.1;
    let (code, _) = office.ask_as(&office.someone("pia"), approve(1, &digest)).await.unwrap_err();
    assert_eq!((code.as_str(), reads("pia")), ("forbidden", false));
    // What makes no sense is said.
    for person in ["udo", "tom", "nobody"] {
        assert!(office.ask_as(&tom, share(person)).await.is_err(), "{person}");
    }
    // Nobody shares what is another's, an admin neither.
    let (code, _) = office.ask_as(&by, share("eve")).await.unwrap_err();
    assert_eq!(code, "forbidden");
    // Who has to do with risk takes it back, alone.
    let unshare = json!({"op": "caller-unshare", "caller": "ann", "person": "udo"});
    office.ask_as(&by, unshare.clone()).await.unwrap();
    assert!(!reads("udo"));
    assert!(office.ask_as(&by, unshare).await.is_err());
}
