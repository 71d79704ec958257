//! A policy from its file.

use crate::fault::{Faults, Unreadable};
use crate::limits::{self, limit_of};
use crate::measure::{read_in, read_span};
use crate::table::{Entry, Table, document, tables};
use tidegate_types::grant::Pattern;
use tidegate_types::ids::{Currency, PolicyName, RuleId};
use tidegate_types::instrument::Price;
use tidegate_types::policy::{
    Class, Each, Flaw, Instruments, Peg, Policy, Reach, Rule, Strength, Wrong,
};
use tidegate_types::time::Span;
use toml::de::{DeTable, DeValue};

/// The words for what counts together.
pub(crate) const EACH: [(&str, Each); 4] = [
    (Each::All.word(), Each::All),
    (Each::Account.word(), Each::Account),
    (Each::Caller.word(), Each::Caller),
    (Each::Instrument.word(), Each::Instrument),
];
/// The words for kinds of instruments.
pub(crate) const CLASSES: [(&str, Class); 3] = [
    (Class::Perpetual.word(), Class::Perpetual),
    (Class::Future.word(), Class::Future),
    (Class::Option.word(), Class::Option),
];

/// The policy that `text` is; `file` is what errors call it.
///
/// # Errors
/// Everything that is wrong with it, each with its place, what was expected and what to do. It is the
/// writer's to mend.
pub fn read(file: &str, text: &str) -> Result<Policy, Unreadable> {
    let mut faults = Faults::new(text);
    let policy = document(text, &mut faults).and_then(|whole| {
        let end = whole.span();
        let table = Table::new("the policy", end.start..end.start, whole.get_ref());
        policy(table, &mut faults)
    });
    faults.end(file, policy)
}

fn policy(mut table: Table<'_, '_>, faults: &mut Faults<'_>) -> Option<Policy> {
    let start = table.span().clone();
    let name = table.need("name", "write `name = \"desk\"` at the top", faults);
    let name: Option<PolicyName> = name.and_then(|entry| entry.name("the policy's name", faults));
    let version = table.need("version", "write `version = 1` at the top", faults);
    let version = version.and_then(|entry| entry.count(faults));
    let age = table.need("mark_age", "write `mark_age = \"5 s\"` at the top", faults);
    let age: Option<Span> = age.and_then(|entry| span(&entry, faults));
    let pegs = table.take("pegs").map_or(Some(Vec::new()), |entry| pegs(&entry, faults));
    let rules = tables("a rule", table.take("rule"), faults);
    table.end(faults);
    let places: Vec<_> = rules.iter().map(|rule| rule.span().clone()).collect();
    let rules: Vec<Option<Rule>> = rules.into_iter().map(|table| rule(table, faults)).collect();
    let rules: Option<Vec<Rule>> = rules.into_iter().collect();
    let (name, version, age, pegs, rules) = (name?, version?, age?, pegs?, rules?);
    let ids: Vec<RuleId> = rules.iter().map(|rule| rule.id.clone()).collect();
    match Policy::new(name, version, age, pegs, rules) {
        Ok(policy) => Some(policy),
        Err(flaw) => {
            let place = place(&flaw, &ids).and_then(|at| places.get(at)).unwrap_or(&start);
            let text = flaw.to_string();
            let (message, hint) = text.split_once("; ").unwrap_or((&text, "correct it"));
            faults.add(place, message, hint)
        }
    }
}

/// Which rule is flawed, counted from the first; of two with one id the later.
fn place(flaw: &Flaw, ids: &[RuleId]) -> Option<usize> {
    let mut found = ids.iter().enumerate().filter(|(_, id)| Some(*id) == flaw.rule.as_ref());
    match flaw.wrong {
        Wrong::SameId => found.nth(1),
        _ => found.next(),
    }
    .map(|(at, _)| at)
}

fn rule(mut table: Table<'_, '_>, faults: &mut Faults<'_>) -> Option<Rule> {
    let place = table.span().clone();
    let id = table.need("id", "give each rule an id of its own, as `id = \"desk-gross\"`", faults);
    let id: Option<RuleId> = id.and_then(|entry| entry.name("the rule's id", faults));
    let reach = match table.take("over") {
        Some(entry) => reach(&entry, faults),
        None => Some(Reach::default()),
    };
    let each = table.take("each").map_or(Some(Each::All), |entry| entry.word(&EACH, faults));
    let soft = table.take("soft").map_or(Some(false), |entry| entry.flag(faults));
    let strength = soft.map(|soft| if soft { Strength::Soft } else { Strength::Hard });
    let given: Vec<_> = limits::KEYS
        .iter()
        .filter_map(|(key, kind)| table.take(key).map(|entry| (*kind, entry)))
        .collect();
    table.end(faults);
    let limit = match given.as_slice() {
        [(kind, entry)] => limit_of(*kind, entry, faults),
        [] => {
            let known: Vec<&str> = limits::KEYS.iter().map(|(key, _)| *key).collect();
            let hint = format!("give it one of {}", known.join(", "));
            faults.add(&place, "the rule limits nothing", hint)
        }
        [_, (_, second), ..] => faults.add(
            &second.span(),
            format!("`{}` is the rule's second limit", second.key),
            "a rule has one limit: make two rules of it",
        ),
    };
    Some(Rule { id: id?, reach: reach?, each: each?, strength: strength?, limit: limit? })
}

fn reach(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Reach> {
    let mut table = Table::of("`over`", entry.value, faults)?;
    let account = named(table.take("account"), "an account's name", faults);
    let caller = named(table.take("caller"), "a caller's name", faults);
    let venue = named(table.take("venue"), "a venue's name", faults);
    let class = table.take("class").map_or(Some(None), |e| e.word(&CLASSES, faults).map(Some));
    let base = named(table.take("base"), "a coin's name", faults);
    let name = table.take("instrument").map_or(Some(None), |e| pattern(&e, faults).map(Some));
    table.end(faults);
    let instruments = Instruments { venue: venue?, class: class?, base: base?, name: name? };
    Some(Reach { account: account?, caller: caller?, instruments })
}

/// The name that a key has, none where there is no such key; nothing where it is wrong.
fn named<T: std::str::FromStr>(
    entry: Option<Entry<'_, '_>>,
    expected: &str,
    faults: &mut Faults<'_>,
) -> Option<Option<T>> {
    entry.map_or(Some(None), |entry| entry.name(expected, faults).map(Some))
}

pub(crate) fn pattern(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Pattern> {
    let (expected, hint) = ("a name of instruments", "`*` stands for anything: \"BTC-*\"");
    let text = entry.text(expected, hint, faults)?;
    match Pattern::new(text) {
        Ok(pattern) => Some(pattern),
        Err(_) => entry.wrong(expected, hint, faults),
    }
}

pub(crate) fn span(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Span> {
    let (expected, hint) =
        ("a length of time", "write it as \"250 ms\", \"5 s\", \"10 min\", \"1 h\"");
    let text = entry.text(expected, hint, faults)?;
    read_span(text).or_else(|| entry.wrong(expected, hint, faults))
}

fn pegs(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Vec<Peg>> {
    let DeValue::Table(table) = entry.value.get_ref() else {
        return entry.wrong(
            "a table of coins",
            "write `[pegs]` and below it `USDC = \"1 USD\"`",
            faults,
        );
    };
    let pegs: Vec<Option<Peg>> = in_order(table).map(|item| peg(item, faults)).collect();
    pegs.into_iter().collect()
}

type Pair<'a, 't> = (&'a toml::Spanned<toml::de::DeString<'t>>, &'a crate::table::Value<'t>);

/// The entries of a table as they were written.
pub(crate) fn in_order<'a, 't>(table: &'a DeTable<'t>) -> impl Iterator<Item = Pair<'a, 't>> {
    let mut entries: Vec<Pair<'a, 't>> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries.into_iter()
}

fn peg((key, value): Pair<'_, '_>, faults: &mut Faults<'_>) -> Option<Peg> {
    let name = key.get_ref();
    let Ok(currency) = Currency::new(name) else {
        return faults.add(&key.span(), format!("{name:?} is no coin"), "write it as USDC");
    };
    let (expected, hint) = ("a price in dollars", "write it as \"1 USD\"");
    let entry = Entry { key: "pegs", value };
    let text = entry.text(expected, hint, faults)?;
    match read_in(text, "USD") {
        Some(price) => Some(Peg { currency, price: Price(price) }),
        None => entry.wrong(expected, hint, faults),
    }
}
