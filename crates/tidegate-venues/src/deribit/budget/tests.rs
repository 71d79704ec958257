use super::*;
use serde_json::json;

#[test]
fn each_call_is_paid_from_the_credits_it_costs_at_the_venue() {
    let told = |name: &str, count: u32| {
        let allowance = ALLOWANCES.iter().position(|allowance| allowance.name == name).unwrap();
        Some(Units { allowance, count })
    };
    for (method, expected) in [
        ("public/ticker", told("public credits", 500)),
        ("public/get_instruments", told("instrument credits", 10_000)),
        ("private/get_positions", told("private credits", 500)),
        ("private/list_api_keys", told("private credits", 500)),
        ("private/get_transaction_log", told("transaction log credits", 10_000)),
        ("private/buy", told("matching engine requests", 1)),
        ("private/cancel", told("matching engine requests", 1)),
        ("private/cancel_all", None),
    ] {
        let target = format!("/api/v2/{method}?instrument_name=X");
        let request =
            WireRequest { method: "GET".into(), target, headers: Vec::new(), body: String::new() };
        assert_eq!(cost(&request), Vec::from_iter(expected), "{method}");
    }
    let said = |method: &str| socket_cost(&format!(r#"{{"id":1,"method":"{method}"}}"#));
    assert_eq!(said("public/subscribe"), told("subscription credits", 3_000));
    assert_eq!(said("public/unsubscribe_all"), told("subscription credits", 3_000));
    assert_eq!(said("public/set_heartbeat"), told("public credits", 500));
    assert_eq!(socket_cost("no json"), None);
}

#[test]
fn all_connections_together_stay_below_the_venue_s_limit() {
    let Connections { cancels, orders, reads, public, sockets, own_sockets, .. } = CONNECTIONS;
    assert!(cancels + orders + reads + public + sockets + own_sockets <= 32);
}

#[test]
fn the_summaries_tell_how_many_orders_there_may_be() {
    let told = |limits: &[Value]| {
        let summaries: Vec<Value> =
            limits.iter().map(|limits| json!({"currency": "BTC", "limits": limits})).collect();
        let body = json!({"result": {"id": 1, "summaries": summaries}}).to_string().into_bytes();
        let summaries = Reply { status: 200, headers: Vec::new(), body };
        let other = Reply { status: 200, headers: Vec::new(), body: b"{\"result\":[]}".into() };
        let replies = [other.clone(), other.clone(), other, summaries];
        let limits = account_limits(&replies);
        limits.iter().map(|limit| (limit.units, limit.per_minute)).collect::<Vec<_>>()
    };
    let rate = |burst: u32, rate: u32| json!({"burst": burst, "rate": rate});
    let limits =
        |trading: Value| json!({"matching_engine": {"trading": trading, "spot": rate(1, 1)}});
    let (fast, slow) =
        (limits(json!({"total": rate(250, 200)})), limits(json!({"total": rate(20, 5)})));
    assert_eq!(told(std::slice::from_ref(&fast)), [(238, 12_000)]);
    assert_eq!(told(&[fast, slow]), [(19, 300)], "the least of them");
    let kinds = limits(json!({"perpetuals": rate(100, 30), "options": rate(50, 40)}));
    assert_eq!(told(&[kinds]), [(48, 1_800)]);
    assert_eq!(told(&[json!({}), limits(json!({"total": rate(0, 0)}))]), [], "nothing is told");
}
