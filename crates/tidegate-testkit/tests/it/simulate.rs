//! Whole days of trading under one seed each: the same ones every time, and some that follow from
//! the commit, so that every change meets days of its own.

use std::process::Command;
use tidegate_testkit::simulation::{Broken, Run, Settings, run};
use tidegate_types::time::Span;

fn settings(seed: u64, minutes: u64) -> Settings {
    Settings { seed, span: Span::from_secs(60 * minutes), calm: false, log: false, broken: None }
}

fn holds(settings: &Settings) -> Run {
    let run = run(settings);
    assert_eq!(run.failure, None, "seed {} of {:?}", settings.seed, settings.span);
    run
}

#[test]
fn the_same_seed_is_the_same_day() {
    let day = holds(&settings(7, 4));
    assert_eq!(day.digest, holds(&settings(7, 4)).digest);
    assert_ne!(day.digest, holds(&settings(8, 4)).digest);
}

#[test]
fn a_calm_day_is_one_on_which_orders_are_placed_and_nothing_goes_wrong() {
    let run = holds(&Settings { calm: true, ..settings(1, 6) });
    assert!(run.counts.of("orders sent") > 50, "{:?}", run.counts);
    assert_eq!(run.counts.of("outcomes unknown"), 0);
    assert_eq!(run.counts.of("halts proven at the end"), 1);
}

#[test]
fn fixed_seeds_hold() {
    // The first ones of these found something once.
    for seed in [5, 6, 12, 30, 1, 2, 3, 4] {
        holds(&settings(seed, 4));
    }
}

#[test]
fn seeds_of_this_commit_hold() {
    let head = Command::new("git").args(["rev-parse", "HEAD"]).output();
    let head = head.ok().filter(|git| git.status.success()).map(|git| git.stdout);
    // Outside of a clone there is no commit, and the day is a fixed one.
    let head = head.unwrap_or_else(|| b"5eed0000".to_vec());
    let seed = std::str::from_utf8(head.get(..8).unwrap_or(b"5eed0000")).unwrap();
    let seed = u64::from_str_radix(seed, 16).unwrap();
    for seed in seed..seed + 3 {
        println!("seed {seed}");
        holds(&settings(seed, 4));
    }
}

/// The seeds within which every broken gateway must be found.
const SEEDS: std::ops::Range<u64> = 27..47;

#[test]
fn every_check_finds_the_gateway_that_is_broken_in_its_way() {
    for (broken, told) in Broken::ALL {
        let of = |seed| run(&Settings { broken: Some(broken), ..settings(seed, 4) }).failure;
        let found = SEEDS.filter_map(of).find(|failure| failure.contains(told));
        assert!(found.is_some(), "{broken:?}: nothing told of `{told}` within {SEEDS:?}");
    }
}
