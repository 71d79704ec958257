//! What holds for every route of the table.

use super::super::routes::{Access, Op, ROUTES, Route};
use super::*;
use crate::web::every_route::{Needs, Row};

/// The routes, for what goes over those of every table.
pub(in crate::web) fn rows() -> Vec<Row> {
    let row = |route: &Route| {
        let path = filled(route.path, "{id}");
        let needs = match route.access {
            Access::Public => Needs::Nothing,
            Access::Caller => Needs::Caller,
        };
        Row::web(route.method, &path, needs, route.changes)
    };
    ROUTES.iter().map(row).collect()
}

/// A path with something in the place of its braces.
pub(super) fn filled(path: &str, order: &str) -> String {
    let path = path.replace("{venue}", "binance").replace("{name}", "BTCUSDT");
    let path = path.replace("{kind}", "TG101").replace("{scope}", "caller:ann");
    path.replace("{number}", "1").replace("{id}", order)
}

/// A target of the route, and a body that it takes.
fn example(route: &Route, order: &str) -> (String, Value) {
    let target = filled(route.path, order);
    let body = match route.op {
        Op::Place => super::order(None),
        Op::Amend => json!({"price": "99"}),
        Op::CancelAll => json!({}),
        Op::Halt | Op::Resume => json!({"reason": "enough"}),
        _ => Value::Null,
    };
    (target, body)
}

#[tokio::test]
async fn without_credentials_every_route_but_the_public_ones_is_shut() {
    let desk = desk().await;
    let stranger = Key("nobody".to_owned(), "x".repeat(64));
    let ann = desk.key("ann").await;
    let forger = Key(ann.0, "x".repeat(64));
    for route in ROUTES {
        let (target, body) = example(route, "1");
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let reply = desk.api.answer(plain(route.method, &target, &text)).await;
        if route.access == Access::Public {
            assert_eq!(reply.status, 200, "{target}");
            continue;
        }
        assert_eq!(reply.status, 401, "{target}");
        for (name, value) in
            [("content-type", "application/problem+json"), ("www-authenticate", "Signature")]
        {
            let there = reply.headers.iter().any(|(n, v)| n == name && v.starts_with(value));
            assert!(there, "{target}: {reply:?}");
        }
        for wrong in [&stranger, &forger] {
            let (status, problem) = desk.ask(wrong, route.method, &target, body.clone()).await;
            assert_eq!(status, 401, "{target}: {problem}");
        }
    }
    assert_eq!(desk.arrived("place"), 0);
}

#[tokio::test]
async fn without_a_grant_no_route_tells_or_does_anything() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let (_, placed) = desk.ask(&ann, Method::Post, "/v1/orders", super::order(None)).await;
    let id = placed["id"].as_str().unwrap().to_owned();
    let bob = desk.key("bob").await;
    let before = desk.office.world.told.arrived.lock().unwrap().len();
    for route in ROUTES.iter().filter(|route| route.access != Access::Public) {
        let (target, body) = example(route, &id);
        let (status, told) = desk.ask(&bob, route.method, &target, body).await;
        match route.op {
            // One's own orders can be cancelled without a grant; there are none.
            Op::Cancel => assert_eq!(status, 404, "{target}: {told}"),
            Op::CancelAll => {
                assert_eq!(told, json!({"cancelled": [], "failed": []}), "{target}");
            }
            _ => assert_eq!((status, &told["code"]), (403, &json!("TG301")), "{target}: {told}"),
        }
    }
    assert_eq!(desk.office.world.told.arrived.lock().unwrap().len(), before);
}

#[tokio::test]
async fn who_may_read_only_changes_nothing() {
    let desk = desk().await;
    let bob = desk.key("bob").await;
    desk.grant("bob", false).await;
    for route in ROUTES.iter().filter(|route| route.changes) {
        let (target, body) = example(route, "1");
        let (status, told) = desk.ask(&bob, route.method, &target, body).await;
        let nothing = told == json!({"cancelled": [], "failed": []});
        if route.op == Op::Halt {
            assert_eq!(told["scope"], "caller:bob", "who reads may stop itself");
            continue;
        }
        assert!(nothing || matches!(status, 403 | 404), "{target}: {status} {told}");
    }
    let told = desk.office.world.told.arrived.lock().unwrap().clone();
    // The proof that nothing of its orders is open takes a look.
    assert!(told.iter().all(|call| call.starts_with("snapshot")), "{told:?}");
}

#[tokio::test]
async fn every_route_that_changes_something_leaves_a_record() {
    for route in ROUTES.iter().filter(|route| route.changes) {
        let desk = desk().await;
        let ann = desk.key("ann").await;
        let (_, placed) = desk.ask(&ann, Method::Post, "/v1/orders", super::order(None)).await;
        let (target, body) = example(route, placed["id"].as_str().unwrap_or("1"));
        let before = desk.office.world.desk.next_seq();
        desk.ask(&ann, route.method, &target, body).await;
        assert!(desk.office.world.desk.next_seq() > before, "{target}");
    }
}

#[tokio::test]
async fn what_was_signed_is_done_once() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let request = request(&ann, Method::Post, "/v1/orders", super::order(Some("a")), None);
    assert_eq!(desk.answer(request.clone()).await.0, 201);
    let (status, problem) = desk.answer(request).await;
    assert_eq!((status, &problem["code"]), (401, &json!("TG105")), "{problem}");
    assert_eq!(problem["retry"], "sign_anew");
    assert_eq!(desk.arrived("place"), 1);
}

#[test]
fn reads_change_nothing_and_changes_are_no_reads() {
    for route in ROUTES {
        assert_eq!(route.changes, route.method != Method::Get, "{}", route.path);
    }
}
