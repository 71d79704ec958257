use super::*;

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
        ("private/buy", None),
        ("private/cancel", None),
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
    let Connections { cancels, orders, reads, public, sockets } = CONNECTIONS;
    let (marks, books, accounts) = (1, 1, 6);
    assert!(cancels + orders + reads + public + sockets + marks + books + accounts <= 32);
}
