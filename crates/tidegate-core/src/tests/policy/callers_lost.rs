//! What callers lost, and how far they lever what their accounts have.

use super::*;
use tidegate_types::hours::day;
use tidegate_types::instrument::Mark;

fn each_caller(id: &str, limit: Limit) -> Rule {
    Rule { each: Each::Caller, ..hard(id, limit) }
}

fn loss(max: &str) -> Rule {
    each_caller("loss", Limit::DailyLoss { max: usd(max) })
}

fn drawdown(max: &str) -> Rule {
    each_caller("peak", Limit::Drawdown { max: usd(max) })
}

impl World {
    pub(super) fn marks_at(&mut self, price: &str) {
        self.now = self.now.plus(Span::from_millis(1));
        let price = Price(d(price));
        let (instrument, at) = (instrument(PERP), self.now);
        let mark = Mark { instrument, mark: price, index: price, at };
        self.event(Event::Marks { marks: vec![mark] });
    }

    pub(super) fn has_traded(&mut self, caller: &str, order: NewOrder) {
        let id = self.live(caller, order);
        self.venue.fill(venue_id(self, id), i64::MAX);
        self.settle();
    }

    pub(super) fn says(&mut self, caller: &str, order: NewOrder) -> Option<Code> {
        let ticket = self.place(caller, order);
        self.settle();
        self.code(ticket)
    }

    /// What a rule counts of the perpetual.
    pub(super) fn used_of(&self, rule: &str) -> Option<Decimal> {
        let used = self.core.state().policy_usage(self.now);
        let (rule, of) = (RuleId::new(rule).unwrap(), instrument(PERP).to_string());
        let mut of = used.iter().filter(|u| u.measure.rule == rule && *u.measure.of == *of);
        of.next().map(|used| used.measure.measured)
    }

    fn lost(&self, rule: &str, caller: &str) -> Option<Decimal> {
        let used = self.core.state().policy_usage(self.now);
        let (rule, of) = (RuleId::new(rule).unwrap(), format!("caller {caller}"));
        let mut of = used.iter().filter(|u| u.measure.rule == rule && *u.measure.of == *of);
        of.next().map(|used| used.measure.measured)
    }
}

#[test]
fn each_caller_loses_its_own() {
    let mut w = world(vec![loss("40")]);
    w.has_traded("ann", buy("5", "100"));
    w.has_traded("bob", buy("1", "100"));
    w.marks_at("92");
    assert_eq!(w.lost("loss", "ann"), Some(d("40")));
    assert_eq!(w.says("ann", buy("0.1", "92")), None, "at the limit");
    w.marks_at("91.9");
    let over = w.place("ann", buy("0.1", "91.9"));
    let text = "loss v1: 40.5 > 40 USD daily loss of caller ann (over by 0.5)";
    assert!(refused(&w, over).ends_with(text), "{}", refused(&w, over));
    assert_eq!(w.says("bob", buy("0.1", "91.9")), None, "he lost 8.10");
    let reduces = NewOrder { reduce_only: true, ..sell("1", "91.9") };
    assert_eq!(w.says("ann", reduces), None, "what reduces the account's position passes");
    w.check();
    w.check_replay();
    // At midnight it begins anew, from what is held then.
    let today = day(w.now);
    while day(w.now) == today {
        w.now = w.now.plus(Span::from_secs(3600));
    }
    w.marks_at("91.9");
    assert_eq!(w.lost("loss", "ann"), Some(d("0")));
    assert_eq!(w.says("ann", buy("0.1", "91.9")), None);
    w.check_replay();
}

#[test]
fn what_is_lost_of_what_was_won_counts_for_the_drawdown_alone() {
    let mut w = world(vec![loss("40"), drawdown("60")]);
    w.has_traded("ann", buy("5", "100"));
    w.marks_at("110");
    w.marks_at("98");
    assert_eq!((w.lost("loss", "ann"), w.lost("peak", "ann")), (Some(d("10")), Some(d("60"))));
    assert_eq!(w.says("ann", buy("0.1", "98")), None);
    w.marks_at("97.9");
    let over = w.place("ann", buy("0.1", "97.9"));
    assert!(refused(&w, over).contains("peak v1: 60.5 > 60 USD drawdown of caller ann"));
    w.check_replay();
}

#[test]
fn a_rule_over_one_caller_or_one_account_counts_no_other() {
    let ann = Reach { caller: Some(name("ann")), ..Reach::default() };
    let of_ann = Rule { reach: ann, ..hard("ann", Limit::DailyLoss { max: usd("10") }) };
    let other = Reach { account: Some(name("other")), ..Reach::default() };
    let elsewhere = Rule { reach: other, ..loss("0") };
    let mut w = world(vec![of_ann, elsewhere]);
    w.has_traded("bob", buy("5", "100"));
    w.has_traded("ann", buy("1", "100"));
    w.marks_at("90");
    assert_eq!(w.says("ann", buy("0.1", "90")), None);
    w.marks_at("89.9");
    assert_eq!(w.says("ann", buy("0.1", "89.9")), Some(Code::PolicyLimit));
    assert_eq!(w.says("bob", buy("0.1", "89.9")), None);
    assert_eq!(w.lost("loss", "bob"), None, "nothing on that account");
    w.check_replay();
}

#[test]
fn what_a_caller_held_before_the_rule_counts_from_its_mark_on() {
    let mut w = World::new();
    w.has_traded("ann", buy("5", "100"));
    w.marks_at("90");
    w.change(Change::PolicySet { policy: policy(1, vec![loss("40")]) });
    w.marks_at("85");
    assert_eq!(w.lost("loss", "ann"), Some(d("25")));
    // The next version goes on from there, and one without the rule forgets.
    w.change(Change::PolicySet { policy: policy(2, vec![loss("20")]) });
    assert_eq!(w.says("ann", buy("0.1", "85")), Some(Code::PolicyLimit));
    w.change(Change::PolicySet { policy: policy(3, Vec::new()) });
    w.change(Change::PolicySet { policy: policy(4, vec![loss("20")]) });
    assert_eq!(w.says("ann", buy("0.1", "85")), None);
    w.check();
    w.check_replay();
}

#[test]
fn a_policy_beside_counts_as_the_one_in_force_would() {
    let mut w = World::new();
    w.change(Change::PolicySet { policy: policy(1, Vec::new()) });
    w.change(Change::ShadowSet { policy: policy(2, vec![loss("40")]) });
    w.has_traded("ann", buy("5", "100"));
    w.marks_at("91");
    assert_eq!(w.says("ann", buy("0.1", "91")), None);
    let would = w.core.state().policies().shadowed().values().sum::<u64>();
    assert_eq!(would, 1, "45 are lost");
    w.check_replay();
}

#[test]
fn what_is_not_known_refuses() {
    let mut w = world(vec![loss("40")]);
    let option = NewOrder { instrument: instrument(OPTION), ..buy("1", "0.05") };
    w.has_traded("ann", option);
    for _ in 0..6 {
        w.now = w.now.plus(Span::from_secs(1));
        w.marks_at("100");
    }
    let blind = w.place("ann", buy("0.1", "100"));
    assert_eq!(w.code(blind), Some(Code::PolicyUnmeasured), "the option's mark is 6 s old");
    assert_eq!(w.says("bob", buy("0.1", "100")), None, "he has none");
    w.check_replay();
}

#[test]
fn each_caller_levers_the_equity_of_its_accounts_so_far() {
    let mut w = World::closed();
    let rule = each_caller("lever", Limit::Leverage { max: d("2") });
    w.change(Change::PolicySet { policy: policy(1, vec![rule]) });
    w.venue.balances = vec![BalanceReport { asset: name("USDT"), amount: d("100") }];
    w.up();
    assert_eq!(w.says("ann", buy("2", "100")), None);
    let over = w.place("ann", buy("0.1", "100"));
    let text = "lever v1: 2.1 > 2 times leverage of caller ann (over by 0.1)";
    assert!(refused(&w, over).ends_with(text), "{}", refused(&w, over));
    assert_eq!(w.says("bob", buy("2", "100")), None, "his own");
    assert_eq!(w.says("bob", buy("0.1", "100")), Some(Code::PolicyLimit));
    assert_eq!(w.lost("lever", "bob"), Some(d("2")));
    w.check();
    w.check_replay();
}

/// What a caller's trades came to, valued anew from all of them.
#[derive(Default)]
struct Ledger {
    qty: i64,
    paid: i64,
    start: i64,
    peak: i64,
    last: i64,
}

impl Ledger {
    fn traded(&mut self, signed: i64, price: i64) {
        self.qty += signed;
        self.paid += signed * price;
    }

    fn stands(&mut self, mark: i64) {
        self.last = self.qty * mark - self.paid;
        self.peak = self.peak.max(self.last);
    }

    fn lost(&self) -> [i64; 2] {
        [(self.start - self.last).max(0), self.peak - self.last]
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..Default::default() })]
    #[test]
    fn callers_and_instruments_lose_what_trades_come_to(
        steps in prop::collection::vec((0_u8..6, 0_usize..2, 1_i64..4, 98_i64..103), 1..30),
    ) {
        let each_instrument = |id, limit| Rule { each: Each::Instrument, ..hard(id, limit) };
        let most = usd("100000");
        let mut w = world(vec![
            loss("100000"),
            drawdown("100000"),
            each_instrument("its-loss", Limit::DailyLoss { max: most }),
            each_instrument("its-peak", Limit::Drawdown { max: most }),
        ]);
        let mut whole = Ledger::default();
        let callers = ["ann", "bob"];
        let mut ledgers = [Ledger::default(), Ledger::default()];
        let mut mark = 100;
        for (what, who, qty, price) in steps {
            match what {
                0..=3 => {
                    let side = if what % 2 == 0 { Side::Buy } else { Side::Sell };
                    let signed = if side == Side::Buy { qty } else { -qty };
                    w.has_traded(callers[who], limit(side, &qty.to_string(), &price.to_string()));
                    ledgers[who].traded(signed, price);
                    whole.traded(signed, price);
                    // What an account does not hold, callers hold against each other alone.
                    let sum: i64 = ledgers.iter().map(|ledger| ledger.qty).sum();
                    let flat = w.core.state().positions().iter().next().is_none();
                    prop_assert_eq!(flat, sum == 0);
                }
                4 => {
                    mark = price;
                    w.marks_at(&price.to_string());
                }
                _ => {
                    for ledger in ledgers.iter_mut().chain([&mut whole]) {
                        ledger.start = ledger.last;
                    }
                    let today = day(w.now);
                    while day(w.now) == today {
                        w.now = w.now.plus(Span::from_secs(3600));
                    }
                    w.marks_at(&mark.to_string());
                }
            }
            for (ledger, caller) in ledgers.iter_mut().zip(callers) {
                ledger.stands(mark);
                let [day, peak] = ledger.lost().map(|lost| d(&lost.to_string()));
                let zero = || Decimal::ZERO;
                prop_assert_eq!(w.lost("loss", caller).unwrap_or_else(zero), day, "{}", caller);
                prop_assert_eq!(w.lost("peak", caller).unwrap_or_else(zero), peak, "{}", caller);
            }
            whole.stands(mark);
            let [day, peak] = whole.lost().map(|lost| d(&lost.to_string()));
            prop_assert_eq!(w.used_of("its-loss").unwrap_or_default(), day);
            prop_assert_eq!(w.used_of("its-peak").unwrap_or_default(), peak);
            w.check();
        }
        w.check_replay();
    }
}
