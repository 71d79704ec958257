use super::*;
use crate::binance::routes;

fn widened(path: &str, params: &[(&str, &str)]) -> (Option<String>, Context) {
    let route = routes::named(&format!("GET {path}")).unwrap();
    let mut params: Vec<_> =
        params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut context = Context(json!({"route": route.name()}));
    widen(route, &mut params, &mut context);
    let limit = params.iter().find(|(name, _)| name == "limit").map(|(_, limit)| limit.clone());
    (limit, context)
}

#[test]
fn the_longest_page_is_asked_for_and_cut_at_the_end_that_the_venue_keeps() {
    let all: Value = (0..6).collect::<Vec<u32>>().into();
    for (path, params, limit, kept) in [
        ("/fapi/v1/userTrades", &[("limit", "2")][..], Some("1000"), json!([4, 5])),
        ("/fapi/v1/userTrades", &[("fromId", "7"), ("limit", "2")], Some("1000"), json!([0, 1])),
        ("/fapi/v1/userTrades", &[("orderId", "7"), ("limit", "2")], Some("1000"), json!([4, 5])),
        ("/fapi/v1/allOrders", &[("orderId", "7"), ("limit", "2")], Some("1000"), json!([0, 1])),
        ("/fapi/v1/allOrders", &[("startTime", "7"), ("limit", "1")], Some("1000"), json!([0])),
        ("/fapi/v1/forceOrders", &[("limit", "3")], Some("100"), json!([3, 4, 5])),
        ("/fapi/v1/allOrders", &[], Some("1000"), all.clone()),
        ("/fapi/v1/allOrders", &[("limit", "1000")], Some("1000"), all.clone()),
        ("/fapi/v1/allOrders", &[("limit", "0")], Some("0"), all.clone()),
        ("/fapi/v1/allOrders", &[("limit", "x")], Some("x"), all.clone()),
        ("/fapi/v1/income", &[], None, all.clone()),
    ] {
        let (asked, context) = widened(path, params);
        let mut rows = all.clone();
        cut(rows.as_array_mut().unwrap(), &context);
        assert_eq!((asked.as_deref(), &rows), (limit, &kept), "{path} {params:?}");
    }
}
