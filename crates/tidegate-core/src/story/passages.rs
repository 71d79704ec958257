//! The gates, as an order came to them: the terms that were in force then beside its own numbers.

use super::{Gate, Held, Passage, Story, beside, words};
use crate::over;
use crate::risk;
use crate::state::State;
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::{AccountLimits, Grant};
use tidegate_types::ids::{AccountName, CallerName, Seq};
use tidegate_types::instrument::Usd;
use tidegate_types::key::KeyScheme;
use tidegate_types::order::{Intent, NewOrder, OrderName, Side};
use tidegate_types::record::{Body, Decision, RULES, Record};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// A request at the gates: who asks what, and what was decided.
struct Way<'a> {
    state: &'a State,
    caller: &'a CallerName,
    account: &'a AccountName,
    order: Option<NewOrder>,
    decision: &'a Decision,
    now: Time,
}

/// The story up to the record of the decision, from the state before it.
pub(super) fn begin(
    state: &State,
    before: &[(Seq, Record)],
    seq: Seq,
    record: &Record,
) -> Option<Story> {
    let bare = Story {
        seq,
        at: record.at,
        order: None,
        client_id: None,
        caller: None,
        account: None,
        asked: String::new(),
        gates: Vec::new(),
        life: Vec::new(),
        standing: String::new(),
    };
    Some(match &record.body {
        Body::Cleared { order, caller, account, client_id, request, decision, .. } => {
            let asks = Some(request.clone());
            let way = Way { state, caller, account, order: asks, decision, now: record.at };
            let written = format!("written as record {seq}, sent with the id {client_id}");
            Story {
                order: Some(*order),
                client_id: Some(client_id.clone()),
                caller: Some(caller.clone()),
                account: Some(account.clone()),
                asked: words::order(request),
                gates: passed(&way, before, written),
                ..bare
            }
        }
        Body::ClosingCleared { order, scope, account, client_id, request, decision, .. } => {
            let said = format!("Tidegate's own, which closes a position for the halt of {scope}");
            let written = format!("written as record {seq}, sent with the id {client_id}");
            let limits = state.limits.get(account);
            let held = limits.map(|limits| price(state, limits, request, decision));
            let risk = passage(Gate::Risk, held.unwrap_or_default(), said);
            Story {
                order: Some(*order),
                client_id: Some(client_id.clone()),
                account: Some(account.clone()),
                asked: words::order(request),
                gates: vec![risk, passage(Gate::Journal, Vec::new(), written)],
                ..bare
            }
        }
        Body::Refused { caller, account, intent, reject, decision } => Story {
            caller: caller.clone(),
            account: account.clone(),
            asked: intent.as_ref().map_or("what could not be read".to_owned(), words::intent),
            gates: refused(state, before, (caller, account, intent), (reject, decision), record.at),
            standing: because(before, reject),
            ..bare
        },
        _ => return None,
    })
}

/// Why something was refused, with what its caller was not told.
fn because(before: &[(Seq, Record)], reject: &Reject) -> String {
    let whole = before.iter().find_map(|(_, record)| match &record.body {
        Body::RefusedBecause { detail } => Some(detail),
        _ => None,
    });
    match whole {
        Some(detail) => format!("refused: {reject}; on record: {detail}"),
        None => format!("refused: {reject}"),
    }
}

/// The numbers that a request is held against: its rates, and what the risk gate measured.
pub(crate) fn numbers(
    state: &State,
    (caller, account, intent): (&CallerName, &AccountName, &Intent),
    decision: &Decision,
    now: Time,
) -> Vec<Held> {
    let order = becomes(state, caller, account, intent);
    let way = Way { state, caller, account, order, decision, now };
    let mut held = way.room();
    held.extend(way.measured());
    held
}

/// What the risk gate measured of an order, beside the limits in force.
pub(super) fn measured(
    state: &State,
    caller: &CallerName,
    account: &AccountName,
    order: &NewOrder,
    decision: &Decision,
) -> Vec<Held> {
    let (Some(limits), Some(grant)) = (state.limits.get(account), state.grant(caller, account))
    else {
        return by_policy(decision);
    };
    let mut held = price(state, limits, order, decision);
    held.extend(sizes(limits, grant, order, decision));
    held.extend(by_policy(decision));
    held
}

fn passed(way: &Way<'_>, before: &[(Seq, Record)], written: String) -> Vec<Passage> {
    vec![
        passage(Gate::Authenticate, Vec::new(), way.shown(before)),
        passage(Gate::Authorize, way.granted(), String::new()),
        passage(Gate::Shape, way.room(), String::new()),
        Passage {
            said: way.besides(before),
            ..passage(Gate::Risk, way.passed(before), String::new())
        },
        passage(Gate::Journal, Vec::new(), written),
    ]
}

/// The gates up to the one that refused.
fn refused(
    state: &State,
    before: &[(Seq, Record)],
    (caller, account, intent): (&Option<CallerName>, &Option<AccountName>, &Option<Intent>),
    (reject, decision): (&Reject, &Decision),
    now: Time,
) -> Vec<Passage> {
    let at = gate_of(reject.code);
    let stopped = |held| Passage { gate: at, passed: false, said: vec![reject.to_string()], held };
    let (Some(caller), Some(account)) = (caller, account) else {
        return vec![stopped(Vec::new())];
    };
    let order = intent.as_ref().and_then(|intent| becomes(state, caller, account, intent));
    let way = Way { state, caller, account, order, decision, now };
    let mut gates = Vec::new();
    if at > Gate::Authenticate {
        gates.push(passage(Gate::Authenticate, Vec::new(), way.shown(before)));
    }
    if at > Gate::Authorize {
        gates.push(passage(Gate::Authorize, way.granted(), String::new()));
    }
    if at > Gate::Shape {
        gates.push(passage(Gate::Shape, way.room(), String::new()));
    }
    if at > Gate::Risk {
        gates.push(passage(Gate::Risk, way.measured(), way.reducing()));
    }
    gates.push(stopped(match at {
        Gate::Authorize => way.granted(),
        Gate::Shape => way.room(),
        Gate::Risk => way.measured(),
        Gate::Authenticate | Gate::Parse | Gate::Journal | Gate::Send => Vec::new(),
    }));
    gates
}

fn passage(gate: Gate, held: Vec<Held>, said: String) -> Passage {
    let said = if said.is_empty() { Vec::new() } else { vec![said] };
    Passage { gate, passed: true, said, held }
}

/// Which gate refuses with this.
fn gate_of(code: Code) -> Gate {
    match code {
        Code::UnknownInstrument
        | Code::BadParameter
        | Code::NoLimit
        | Code::DuplicateOrderId
        | Code::NotReducing
        | Code::RepeatedOrder => Gate::Authorize,
        code => match code.number() {
            100..200 => Gate::Authenticate,
            200..300 => Gate::Parse,
            300..400 => Gate::Authorize,
            400..500 => Gate::Shape,
            500..600 => Gate::Risk,
            600..700 => Gate::Journal,
            _ => Gate::Send,
        },
    }
}

/// The order that is asked for, or that an amend makes.
fn becomes(
    state: &State,
    caller: &CallerName,
    account: &AccountName,
    intent: &Intent,
) -> Option<NewOrder> {
    match intent {
        Intent::New { order } => Some(order.clone()),
        Intent::Amend { amend } => {
            let known = match &amend.order {
                OrderName::Own { id } => state.orders.get(*id),
                OrderName::Caller { id } => state.orders.by_caller(caller, account, id).next(),
                OrderName::Venue { id } => state.orders.by_venue(account, id).last(),
            };
            known.map(|known| amend.applied_to(&known.request))
        }
        _ => None,
    }
}

impl Way<'_> {
    /// By what the caller showed who it is, as far as that is on record.
    fn shown(&self, before: &[(Seq, Record)]) -> String {
        for (seq, record) in before {
            match &record.body {
                Body::BySignature { key, .. } => {
                    return format!(
                        "{} by the key {key}; what it signed is record {seq}",
                        self.caller
                    );
                }
                Body::ByToken { token, subject, .. }
                | Body::RefusedByToken { token, subject, .. } => {
                    return format!(
                        "{} by {token}, in the name of {subject} (record {seq})",
                        self.caller
                    );
                }
                _ => {}
            }
        }
        let its = self.state.keys.values().filter(|key| {
            key.key.caller == *self.caller && key.key.account == *self.account && !key.revoked
        });
        let good = its.filter(|key| key.key.terms.in_time(self.now).is_ok());
        let keys: Vec<String> = good
            .map(|key| {
                let scheme = match key.key.scheme {
                    KeyScheme::Hmac => "shared secret",
                    KeyScheme::Ed25519 { .. } => "Ed25519",
                    KeyScheme::Rsa { .. } => "RSA",
                };
                format!("{} ({scheme})", key.key.id)
            })
            .collect();
        let which = match keys.as_slice() {
            [] => "a key that is good no more".to_owned(),
            [one] => format!("the key {one}"),
            several => format!("one of the keys {}", several.join(", ")),
        };
        format!("{} by {which}; no signature is on record", self.caller)
    }

    /// The grant's terms.
    fn granted(&self) -> Vec<Held> {
        let grant = self.state.grant(self.caller, self.account);
        let (Some(grant), Some(order)) = (grant, &self.order) else { return Vec::new() };
        let (of, version) = (over::grant(grant), rules(self.decision));
        let name = |rule| (rule, of.as_str(), version.as_str());
        let asked = &order.instrument.name;
        let covered = grant.instruments.iter().any(|pattern| pattern.matches(asked));
        let listed = over::list(&grant.instruments);
        let (side, kind) = (format!("{:?}", order.side), format!("{:?}", order.order_type));
        let mut held = vec![
            Held::among(name("instruments"), asked.to_string(), listed, covered),
            Held::among(
                name("sides"),
                side,
                over::words(&grant.sides),
                grant.sides.contains(&order.side),
            ),
            Held::among(
                name("order types"),
                kind,
                over::words(&grant.order_types),
                grant.order_types.contains(&order.order_type),
            ),
        ];
        let hours = grant.window.to_string();
        held.push(Held::among(name("window"), "now".to_owned(), hours, grant.window.has(self.now)));
        if let Some(until) = grant.until {
            let (now, until) = (millis(self.now), millis(until));
            held.push(Held::most(name("until"), now, until, " ms"));
        }
        held
    }

    /// The room in the token buckets, this order included.
    fn room(&self) -> Vec<Held> {
        let (state, now) = (self.state, self.now);
        let version = rules(self.decision);
        let mut held = Vec::new();
        if let Some(grant) = state.grant(self.caller, self.account) {
            let bucket = state.caller_buckets.get(self.caller);
            let bucket = bucket.and_then(|all| all.get(self.account)).copied().unwrap_or_default();
            let out = bucket.with_one_more(now, grant.orders_per_second);
            let of = over::grant(grant);
            let name = ("burst", of.as_str(), version.as_str());
            held.push(Held::most(name, out, over::count(grant.burst as usize), " orders at once"));
        }
        if let Some(limits) = state.limits.get(self.account) {
            let bucket = state.account_buckets.get(self.account).copied().unwrap_or_default();
            let out = bucket.with_one_more(now, limits.orders_per_second);
            let of = over::account(self.account);
            let name = ("burst", of.as_str(), version.as_str());
            held.push(Held::most(name, out, over::count(limits.burst as usize), " orders at once"));
        }
        held
    }

    fn measured(&self) -> Vec<Held> {
        match &self.order {
            Some(order) => measured(self.state, self.caller, self.account, order, self.decision),
            None => Vec::new(),
        }
    }

    /// All that an order was held against which passed.
    fn passed(&self, before: &[(Seq, Record)]) -> Vec<Held> {
        let mut held = self.measured();
        let band = self.order.as_ref().and_then(|order| beside::band(self.state, order, self.now));
        held.extend(band);
        held.extend(beside::options(self.state, self.account, before, &rules(self.decision)));
        held
    }

    /// What is to be said of the risk gate beside its numbers.
    fn besides(&self, before: &[(Seq, Record)]) -> Vec<String> {
        let mut said = vec![self.reducing()];
        for (seq, record) in before {
            match &record.body {
                Body::OverrideUsed { id, .. } => {
                    said.push(format!("passes soft rules by the override {id} (record {seq})"));
                }
                Body::ShadowRefused { policy, detail, .. } => {
                    said.push(format!("{policy}, which runs beside, would refuse it: {detail}"));
                }
                _ => {}
            }
        }
        if let Some(order) = &self.order {
            said.extend(beside::lines(self.state, (self.caller, self.account), order, self.now));
        }
        said.retain(|line| !line.is_empty());
        said
    }

    fn reducing(&self) -> String {
        match self.decision.reducing {
            true => "taken as one that reduces the position: it passes the account's limits, and \
                     goes reduce-only"
                .to_owned(),
            false => String::new(),
        }
    }
}

/// The mark's age, and the price beside the collar around it.
fn price(
    state: &State,
    limits: &AccountLimits,
    order: &NewOrder,
    decision: &Decision,
) -> Vec<Held> {
    let (of, version) = (over::account(&limits.account), rules(decision));
    let name = |rule| (rule, of.as_str(), version.as_str());
    let mut held = Vec::new();
    if let Some(age) = decision.mark_age {
        held.push(Held::most(
            name("mark age"),
            over::ms(age),
            over::ms(limits.max_mark_age),
            " ms",
        ));
    }
    let edge = risk::collar_edge(state, limits, order, decision);
    // An order without a limit trades at the edge at worst.
    if let (Some(edge), Some(price)) = (edge, order.price) {
        held.push(match order.side {
            Side::Buy => Held::most(name("collar"), price.0, edge.0, ""),
            Side::Sell => Held::least(name("collar"), price.0, edge.0, ""),
        });
    }
    held
}

/// Sizes, of the order and of everything with it.
fn sizes(
    limits: &AccountLimits,
    grant: &Grant,
    order: &NewOrder,
    decision: &Decision,
) -> Vec<Held> {
    let (granted, account) = (over::grant(grant), over::account(&limits.account));
    let version = rules(decision);
    let mut held = Vec::new();
    let by_account = limits.max_order_qty.iter();
    let mut by_account = by_account.filter(|(by, _)| by.matches(&order.instrument.name));
    let by_account = by_account.next().map(|(_, most)| (&account, *most));
    // How large it may be is looked at once its price is within the collar.
    let sized = decision.unit_value.is_some();
    let by_grant = grant.max_order_qty.map(|most| (&granted, most));
    for (of, most) in by_grant.into_iter().chain(by_account).filter(|_| sized) {
        held.push(Held::most(("order quantity", of, &version), order.qty.0, most.0, ""));
    }
    let mut dollars = |rule: &str, of: &str, measured: Option<Usd>, most: Option<Usd>| {
        if let (Some(measured), Some(most)) = (measured, most) {
            held.push(Held::most((rule, of, &version), measured.0, most.0, " USD"));
        }
    };
    let (most, open) = (grant.max_order_notional, grant.max_open_notional);
    dollars("order notional", &granted, decision.notional, Some(most));
    dollars("order notional", &account, decision.notional, Some(limits.max_order_notional));
    dollars("open notional", &granted, decision.caller_open, Some(open));
    dollars("daily notional", &granted, decision.caller_day, grant.max_daily_notional);
    dollars("open notional", &account, decision.account_open, Some(limits.max_open_notional));
    let position = Some(limits.max_position_notional);
    dollars("position notional", &account, decision.position_worst, position);
    dollars("exposure", &account, decision.exposure, Some(limits.max_exposure));
    held
}

fn by_policy(decision: &Decision) -> Vec<Held> {
    let Some(policy) = &decision.policy else { return Vec::new() };
    decision.measures.iter().map(|measure| Held::by_policy(policy, measure)).collect()
}

/// The version that decided; of what never came to the numbers, this program's.
pub(super) fn rules(decision: &Decision) -> String {
    let version = if decision.rules == 0 { RULES } else { decision.rules };
    format!("rules v{version}")
}

fn millis(time: Time) -> Decimal {
    i64::try_from(time.millis()).ok().and_then(|ms| Decimal::from_int(ms).ok()).unwrap_or_default()
}
