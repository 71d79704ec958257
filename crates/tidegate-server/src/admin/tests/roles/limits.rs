//! What sets limits, policies and breakers, one of each.

use super::*;

pub(super) fn samples() -> Vec<Sample> {
    use Action::*;
    vec![
        sample(LimitsLoosen, false, limits_of(9000)),
        sample(LimitsTighten, false, limits_of(1)),
        sample(
            LimitsTighten,
            false,
            json!({"op": "self-trade-set", "account": "main", "mode": "refuse"}),
        ),
        sample(
            LimitsTighten,
            false,
            json!({"op": "account-owner", "account": "main", "owner": "fund"}),
        ),
        sample(
            LimitsTighten,
            false,
            json!({"op": "option-limits-set", "account": "main", "max_margin_bps": 9000}),
        ),
        sample(LimitsLoosen, false, json!({"op": "option-limits-remove", "account": "main"})),
        sample(Status, false, json!({"op": "policy"})),
        sample(PolicyTighten, false, json!({"op": "policy-set", "policy": POLICY, "reason": "x"})),
        sample(PolicyLoosen, false, json!({"op": "policy-remove", "reason": "x"})),
        sample(
            PolicyShadow,
            false,
            json!({"op": "shadow-set", "policy": POLICY, "reason": "a test"}),
        ),
        sample(PolicyShadow, false, json!({"op": "shadow-remove", "reason": "a test"})),
        sample(Status, false, json!({"op": "policy-check", "policy": POLICY})),
        sample(
            OverrideGive,
            false,
            json!({"op": "override-give", "caller": "bob", "account": "main",
                "instrument": "binance/BTCUSDT", "side": "buy", "max_quantity": "1",
                "rules": ["ask"], "reason": "x", "valid_s": 60}),
        ),
        sample(OverrideTake, false, json!({"op": "override-take-back", "id": "ov-1"})),
        sample(
            ThrottleRelease,
            false,
            json!({"op": "throttle-release", "reason": "a test", "rule": "ask", "caller": "bob",
                "instrument": "binance/BTCUSDT", "side": "buy"}),
        ),
        sample(BreakerTighten, false, breaker("loss@caller:bob", "1")),
        sample(BreakerLoosen, false, json!({"op": "breaker-remove", "breaker": "loss@all"})),
        sample(BreakerLoosen, false, json!({"op": "breaker-reset", "breaker": "loss@all"})),
        sample(
            BreakerLoosen,
            false,
            json!({"op": "breaker-half-open", "breaker": "loss@all", "reason": "x"}),
        ),
        sample(
            BreakerLoosen,
            false,
            json!({"op": "breaker-close", "breaker": "loss@all", "reason": "x"}),
        ),
    ]
}
