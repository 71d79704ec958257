//! What an order's story tells, by each of its names, and that a journal is decided the same again: offline
//! and beside the gateway that writes it.

use crate::demo::Demo;
use crate::program::{Ended, eventually, run, run_json};
use serde_json::Value;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

fn why(demo: &Demo, args: &[&str]) -> Value {
    let ended = run_json(&demo.dir, &[&["why"], args].concat());
    assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
    ended.json
}

fn gate<'a>(story: &'a Value, name: &str) -> &'a Value {
    let gates = story["gates"].as_array().unwrap();
    gates.iter().find(|gate| gate["gate"] == name).unwrap_or_else(|| panic!("{name}: {story}"))
}

fn replay(demo: &Demo, args: &[&str]) -> Ended {
    run_json(&demo.dir, &[&["replay"], args].concat())
}

#[test]
fn an_order_is_told_by_each_of_its_names_and_decided_the_same_again() {
    let home = tempfile::tempdir().unwrap();
    let demo = Demo::start(&home.path().join("demo"), &["--seed", "7", "--venues", "binance"]);
    let venue_id = demo.place("story-1").to_string();
    // The answer is on record when the caller reads it; it is flushed with what comes next.
    let story = eventually("its record is written", PATIENCE, || {
        let ended = run_json(&demo.dir, &["why", &venue_id]);
        (ended.code == 0).then_some(ended.json)
    });
    let order = story["order"].to_string();
    let client_id = story["client_id"].as_str().unwrap();
    for names in [
        &[order.as_str()][..],
        &[&format!("order:{order}")],
        &[client_id],
        &[&venue_id],
        &["story-1", "--caller", story["caller"].as_str().unwrap()],
    ] {
        let told = why(&demo, names);
        assert_eq!((&told["order"], &told["record"]), (&story["order"], &story["record"]));
    }
    let gates = ["authenticate", "authorize", "shape", "risk", "journal"];
    assert!(gates.iter().all(|name| gate(&story, name)["passed"] == true), "{story}");
    let measured = gate(&story, "risk")["held"].as_array().unwrap();
    let notional = measured.iter().find(|held| held["rule"] == "order notional").unwrap();
    assert!(notional["kept"] == true && notional["distance"].is_string(), "{notional}");
    assert!(notional["version"].as_str().unwrap().starts_with("rules v"), "{notional}");
    refused(&demo, story["caller"].as_str().unwrap());

    let unknown = run_json(&demo.dir, &["why", "no-such-order"]);
    assert_eq!((unknown.code, unknown.error()), (1, "not-found"), "{unknown:?}");
    assert_eq!(run_json(&demo.dir, &["why"]).code, 64);
    let same = replay(&demo, &[]);
    assert_eq!((same.code, &same.json["same"]), (0, &Value::from(true)), "{same:?}");
    assert!(same.json["same_decisions"].as_u64().unwrap() >= 2, "{same:?}");
    let stress = replay(&demo, &["--stress", "2"]);
    assert_eq!(stress.code, 0, "{stress:?}");
    let (peak, twice) = (&stress.json["peak"]["messages"], &stress.json["at_times"]);
    let (messages, left_out) = (&twice["messages"], twice["left_out"].as_u64().unwrap());
    assert_eq!(messages.as_u64().unwrap() + left_out, 2 * peak.as_u64().unwrap(), "{stress:?}");
    let text = run(&["why", &order, "--data-dir", demo.dir.to_str().unwrap()]);
    assert!(text.stdout.contains("✓ risk") && text.stdout.contains(" left)"), "{text:?}");
}

fn refused(demo: &Demo, caller: &str) {
    let price = demo.price(50.0);
    let query =
        format!("symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.010&price={price}");
    let (_, said) = demo.binance.ask("POST", "/fapi/v1/order", &query);
    let told = said["msg"].as_str().unwrap();
    assert!(told.contains("TG503") && told.contains("(short by "), "{said}");
    let story = eventually("the refusal is written", PATIENCE, || {
        let args = ["why", "--last-refusal", "--caller", caller];
        let ended = run_json(&demo.dir, &args);
        (ended.code == 0).then_some(ended.json)
    });
    assert_eq!(gate(&story, "risk")["passed"], false, "{story}");
    assert!(story["standing"].as_str().unwrap().contains("TG503"), "{story}");
    let by_number = why(demo, &["--refusal", &story["record"].to_string()]);
    assert_eq!(by_number["standing"], story["standing"]);
}
