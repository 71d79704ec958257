use super::*;

#[test]
fn names_find_their_routes_and_no_route_is_listed_twice() {
    for route in ROUTES {
        let name = route.name();
        assert_eq!(ROUTES.iter().filter(|other| other.name() == name).count(), 1, "{name}");
        assert_eq!(named(&name).unwrap().name(), name);
        assert_eq!(find(route.method, route.path).unwrap().name(), name);
    }
    assert!(named("GET").is_none() && named("PATCH /fapi/v1/order").is_none());
}

#[test]
fn what_moves_money_or_manages_keys_is_forbidden_and_the_rest_unknown() {
    let code = |method, path| find(method, path).unwrap_err().code;
    for path in [
        "/sapi/v1/capital/withdraw/apply",
        "/sapi/v1/asset/transfer",
        "/sapi/v1/apiKey",
        "/sapi/v1/sub-account/subAccountApi/ipRestriction",
        "/sapi/v1/futures/transfer",
        "/fapi/v1/convert/acceptQuote",
    ] {
        assert_eq!(code(Post, path), Code::ForbiddenRoute, "{path}");
    }
    for path in ["/eapi/v1/order", "/fapi/v1/order/test", "/fapi/v1/order/", "/fapi/v1//order", ""]
    {
        assert_eq!(code(Post, path), Code::UnknownRoute, "{path}");
    }
    assert_eq!(code(Get, "/fapi/v1/batchOrders"), Code::UnknownRoute);
}

#[test]
fn what_changes_state_is_signed() {
    for route in ROUTES {
        if route.changes_state() {
            assert_eq!(route.access, Access::Signed, "{}", route.name());
        }
        if route.access == Access::Public {
            assert!(matches!(route.purpose, Use::Public | Use::Foreign), "{}", route.name());
        }
    }
}
