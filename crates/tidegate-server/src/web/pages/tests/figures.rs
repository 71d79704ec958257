//! Asking for limits and grants by their forms.

use super::*;
use crate::desk::tests::name;
use tidegate_types::grant::{AccountLimits, Grant};

/// What is shown of the grant of another's caller, and of one that is not there.
const NO_GRANT: &str = "There is no such grant.";

/// A desk whose `who` has these roles and these callers and is logged in by passkey; `ada` administers.
async fn desk_of(who: &str, roles: &[&str], owns: &[&str]) -> (Office, Browser, Device) {
    let (office, mut links) = manned().await;
    let by = office.someone("ada");
    if who != "ada" {
        let set = json!({"op": "person-set", "person": who, "roles": roles, "owns": owns});
        office.ask_as(&by, set).await.unwrap();
        let invite = json!({"op": "person-invite", "person": who});
        let made = office.ask_as(&by, invite).await.unwrap();
        links.push(made["link"].as_str().unwrap().rsplit('#').next().unwrap().to_owned());
    }
    let link = links.pop().unwrap();
    let mut browser = Browser::at(&office);
    let mut device = browser.enrol(&link).await;
    browser.log_in(&mut device).await;
    (office, browser, device)
}

fn limits(office: &Office) -> AccountLimits {
    office.world.desk.look(|state| state.limits()[&name("main")].clone())
}

fn grant(office: &Office) -> Option<Grant> {
    office.world.desk.look(|state| state.grant(&name("ann"), &name("main")).cloned())
}

/// What a browser would send of the page's form, with this in place of what stands there.
fn sent(page: &str, changed: &[(&str, &str)]) -> String {
    let form = page.split("<form class=\"card\"").nth(1).unwrap().split("</form>").next().unwrap();
    let of = |tag: &str, name: &str| -> Option<String> {
        Some(tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.to_owned())
    };
    let mut fields: Vec<(String, String)> = Vec::new();
    for tag in form.split('<').filter(|tag| tag.starts_with("input ")) {
        let ticked = of(tag, "type").as_deref() != Some("checkbox") || tag.contains(" checked");
        if ticked && of(tag, "name").as_deref() != Some("csrf") {
            fields.push((of(tag, "name").unwrap(), of(tag, "value").unwrap()));
        }
    }
    for select in form.split("<select ").skip(1) {
        let options = select.split("</select>").next().unwrap();
        let chosen = options.split("<option ").find(|option| option.contains(" selected"));
        let chosen = chosen.or_else(|| options.split("<option ").nth(1)).unwrap_or_default();
        let value = of(&format!(" {chosen}"), "value").unwrap_or_default();
        fields.push((of(&format!(" {select}"), "name").unwrap(), value));
    }
    fields.retain(|(name, _)| changed.iter().all(|(other, _)| other != name));
    fields.extend(changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let all = percent_encoding::NON_ALPHANUMERIC;
    let encoded = |text: &str| percent_encoding::utf8_percent_encode(text, all).to_string();
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

const LIMITS: &str = "/console/limits/change";
const LIMITS_OF_MAIN: &str = "/console/limits/change?account=main";
const GRANT: &str = "/console/access/grant";
const GRANT_OF_ANN: &str = "/console/access/grant?caller=ann&account=main";

#[tokio::test]
async fn lower_limits_hold_at_once_and_higher_ones_wait_for_the_passkey() {
    let (office, rob, mut device) = desk_of("rob", &["risk"], &[]).await;
    let before = limits(&office);
    assert!(page(&rob.get("/console/limits").await).contains("Change the limits of main"));
    let form = page(&rob.get(LIMITS_OF_MAIN).await);
    // The form says what holds: sent as it is it changes nothing.
    assert_eq!(rob.post(LIMITS, &sent(&form, &[])).await.status, 303);
    assert_eq!(limits(&office), before);
    let lower = sent(&form, &[("max_order_notional", "7"), ("collar_bps", "1")]);
    let done = rob.post(LIMITS, &lower).await;
    assert_eq!(header(&done, "location"), Some("/console/limits"), "{}", page(&done));
    let now = limits(&office);
    assert_eq!((now.max_order_notional.to_string().as_str(), now.collar_bps), ("7", 1));
    // Higher ones are a request, and nothing until it is signed.
    let asked = rob.post(LIMITS, &sent(&form, &[("max_order_notional", "8")])).await;
    assert_eq!(header(&asked, "location"), Some("/console/approvals/0"), "{}", page(&asked));
    assert_eq!(limits(&office), now);
    let shown = page(&rob.get("/console/approvals/0").await);
    assert!(shown.contains("set the limits of main") && shown.contains("7 -&gt; 8"), "{shown}");
    let digest = stage(&office, 0).await.1;
    assert_eq!(rob.sign(&mut device, 0, &digest).await.0, 200);
    assert_eq!(limits(&office).max_order_notional.to_string(), "8");
}

#[tokio::test]
async fn higher_limits_take_a_second_person_where_the_desk_wants_two() {
    let (office, rob, mut device) = desk_of("rob", &["risk"], &[]).await;
    let two = json!({"op": "approvals-set", "approvals": "two"});
    office.ask_as(&office.someone("ada"), two).await.unwrap();
    let before = limits(&office);
    let form = page(&rob.get(LIMITS_OF_MAIN).await);
    let asked = rob.post(LIMITS, &sent(&form, &[("max_exposure", "20000000")])).await;
    assert_eq!(asked.status, 303, "{}", page(&asked));
    let digest = stage(&office, 0).await.1;
    assert_eq!(rob.sign(&mut device, 0, &digest).await.0, 200);
    assert_eq!(limits(&office), before, "one is not two");
    let approve = json!({"op": "approve", "id": 0, "digest": digest});
    office.ask_as(&office.someone("pia"), approve).await.unwrap();
    assert_eq!(limits(&office).max_exposure.to_string(), "20000000");
}

#[tokio::test]
async fn what_cannot_be_read_is_said_on_the_form_with_what_was_written() {
    let (office, rob, _) = desk_of("rob", &["risk"], &[]).await;
    let (before, held) = (limits(&office), grant(&office));
    let form = page(&rob.get(LIMITS_OF_MAIN).await);
    for (field, wrong, said) in [
        ("collar_bps", "many", "Price collar, basis points"),
        ("collar_bps", "-1", "Price collar, basis points"),
        ("collar_bps", "4294967296", "Price collar, basis points"),
        ("max_order_notional", "1,5", "max_order_notional"),
        ("max_order_notional", "-5", "max_order_notional"),
        ("max_order_qty", "BTC*", "Largest order by instrument"),
        ("on_repeat", "pray", "A repeat"),
        ("max_mark_age_ms", "", "Oldest mark"),
    ] {
        let reply = rob.post(LIMITS, &sent(&form, &[(field, wrong)])).await;
        let shown = page(&reply);
        assert!(reply.status == 409 && shown.contains(said), "{field} {wrong}: {shown}");
        let kept = field == "on_repeat" || shown.contains(&format!("value=\"{wrong}\""));
        assert!(kept, "{field} {wrong}: {shown}");
    }
    assert_eq!(rob.post(LIMITS, &sent(&form, &[("more", "1")])).await.status, 400);
    let twice = format!("{}&burst=1", sent(&form, &[]));
    assert_eq!(rob.post(LIMITS, &twice).await.status, 400);
    let form = page(&rob.get(GRANT_OF_ANN).await);
    for (field, wrong, said) in [
        ("until", "tomorrow", "Until, UTC"),
        ("sides", "up", "Sides"),
        ("hours", "25:00-26:00", "hours"),
        ("burst", "x", "Orders at once"),
    ] {
        let shown = page(&rob.post(GRANT, &sent(&form, &[(field, wrong)])).await);
        assert!(shown.contains(said), "{field} {wrong}: {shown}");
    }
    // No kind of order is not every kind.
    let none: String = sent(&form, &[]).replace("type_", "x_");
    let bare: Vec<&str> = none.split('&').filter(|pair| !pair.starts_with("x_")).collect();
    let shown = page(&rob.post(GRANT, &bare.join("&")).await);
    assert!(shown.contains("tick one kind of order"), "{shown}");
    assert_eq!((limits(&office), grant(&office)), (before, held));
}

#[tokio::test]
async fn a_grant_is_narrowed_widened_taken_back_and_given() {
    let (office, rob, mut device) = desk_of("rob", &["risk"], &[]).await;
    let before = grant(&office).unwrap();
    let form = page(&rob.get(GRANT_OF_ANN).await);
    assert_eq!(rob.post(GRANT, &sent(&form, &[])).await.status, 303);
    assert_eq!(grant(&office).unwrap(), before);
    let narrow = [("sides", "buy"), ("hours", "08:00-17:00"), ("until", "2099-01-31T17:00")];
    let done = rob.post(GRANT, &sent(&form, &narrow)).await;
    assert_eq!(header(&done, "location"), Some("/console/access"), "{}", page(&done));
    let now = grant(&office).unwrap();
    assert_eq!((now.sides.len(), now.window.hours.to_string().as_str()), (1, "08:00-17:00"));
    assert_eq!(now.until.map(|at| at.millis()), Some(4_073_562_000_000));
    // What holds now is what the form says, and all of it again is a request.
    let shown = page(&rob.get(GRANT_OF_ANN).await);
    assert!(shown.contains("value=\"2099-01-31T17:00\"") && shown.contains("08:00-17:00"));
    let asked = rob.post(GRANT, &sent(&form, &[])).await;
    assert_eq!(header(&asked, "location"), Some("/console/approvals/0"));
    assert_eq!(grant(&office).unwrap(), now);
    let digest = stage(&office, 0).await.1;
    assert_eq!(rob.sign(&mut device, 0, &digest).await.0, 200);
    assert_eq!(grant(&office).unwrap(), before);
    let removed = rob.post("/console/access/grant/remove", "caller=ann&account=main").await;
    assert_eq!((removed.status, grant(&office)), (303, None));
    // It is given anew, on an account that is chosen.
    let form = page(&rob.get("/console/access/grant?caller=ann").await);
    assert!(form.contains("<option value=\"main\""), "{form}");
    let figures = [
        ("instruments", "BTC*, ETHUSDT"),
        ("max_order_notional", "10"),
        ("max_open_notional", "20"),
        ("orders_per_second", "1"),
        ("burst", "1"),
    ];
    let asked = rob.post(GRANT, &sent(&form, &figures)).await;
    assert_eq!(header(&asked, "location"), Some("/console/approvals/1"), "{}", page(&asked));
    assert_eq!(grant(&office), None);
    let digest = stage(&office, 1).await.1;
    assert_eq!(rob.sign(&mut device, 1, &digest).await.0, 200);
    let given = grant(&office).unwrap();
    assert_eq!((given.trade, given.instruments.len(), given.order_types.len()), (false, 2, 7));
}

#[tokio::test]
async fn the_owner_of_a_caller_narrows_its_grant_and_asks_for_nothing_more() {
    let (office, tom, _) = desk_of("tom", &["trader"], &["ann"]).await;
    let other = json!({"op": "caller-add", "caller": "bob"});
    office.ask_as(&office.someone("ada"), other).await.unwrap();
    let before = (limits(&office), grant(&office).unwrap());
    assert!(!page(&tom.get("/console/limits").await).contains("Change"));
    assert_eq!(tom.get(LIMITS_OF_MAIN).await.status, 403);
    let shown = page(&tom.get("/console/access").await);
    assert!(
        shown.contains("Change the grant on main") && !shown.contains("a grant</a>"),
        "{shown}"
    );
    let form = page(&tom.get(GRANT_OF_ANN).await);
    assert!(form.contains("not yours to ask"), "{form}");
    let reply = tom.post(GRANT, &sent(&form, &[("max_order_notional", "999999999")])).await;
    assert_eq!(reply.status, 403, "{}", page(&reply));
    // What is another's is not there.
    for caller in ["bob", "nobody"] {
        let reply = tom.get(&format!("{GRANT}?caller={caller}")).await;
        assert!(reply.status == 404 && page(&reply).contains(NO_GRANT), "{caller}");
    }
    assert_eq!((limits(&office), grant(&office).unwrap()), before);
    assert_eq!(tom.post(GRANT, &sent(&form, &[("max_order_notional", "1")])).await.status, 303);
    assert_eq!(grant(&office).unwrap().max_order_notional.to_string(), "1");
    let sent = "account=main&max_order_notional=1&max_open_notional=1&max_position_notional=1\
        &max_exposure=1&collar_bps=1&option_collar_bps=1&max_mark_age_ms=1&orders_per_second=1\
        &burst=1&repeat_window_ms=1&on_repeat=refuse&dead_man_s=0";
    assert_eq!(tom.post(LIMITS, sent).await.status, 403);
    assert_eq!(limits(&office), before.0);
}

#[tokio::test]
async fn an_administrator_lowers_and_raises_nothing() {
    let (office, ada, _) = desk_of("ada", &["admin"], &[]).await;
    let form = page(&ada.get(LIMITS_OF_MAIN).await);
    let before = limits(&office);
    let reply = ada.post(LIMITS, &sent(&form, &[("max_exposure", "20000000")])).await;
    assert_eq!((reply.status, limits(&office)), (403, before), "{}", page(&reply));
    assert_eq!(ada.post(LIMITS, &sent(&form, &[("max_exposure", "1")])).await.status, 303);
    assert_eq!(limits(&office).max_exposure.to_string(), "1");
    let grants = page(&ada.get("/console/access").await);
    assert!(!grants.contains("Give ann a grant"), "{grants}");
    assert_eq!(ada.get("/console/access/grant?caller=ann").await.status, 403);
}
