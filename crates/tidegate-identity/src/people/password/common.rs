//! Passwords that are tried first.

use std::collections::HashSet;
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// The embedded list; its head says whose it is.
static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("common.txt").lines().filter(|line| !line.starts_with('#')).collect()
});

/// What an attacker knows without asking.
const OURS: &[&str] = &["tidegate"];
/// Words of the list that are shorter are found in any text.
const SHORTEST_WORD: usize = 4;
/// The same of words that an attacker knows.
const SHORTEST_OWN: usize = 3;
/// A password of more common words than this is not common any more.
const MAX_WORDS: usize = 2;
/// Texts of up to so many characters, repeated, are no longer for it.
const LONGEST_PERIOD: usize = 8;

/// Whether a password is on the list, or nothing but one or two of its words, words `about` the person,
/// digits and signs, or a short text or a row of keys repeated. `normal` is long enough to be a
/// password.
pub(super) fn is_common(normal: &str, about: &[&str]) -> bool {
    let lower = Zeroizing::new(normal.to_lowercase());
    let own: Vec<String> = about
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
        .chain(OURS.iter().copied())
        .filter(|word| word.chars().count() >= SHORTEST_OWN)
        .map(str::to_lowercase)
        .collect();
    COMMON.contains(lower.as_str())
        || repeats(&lower)
        || climbs(&lower)
        || words_in(&lower, &own) <= MAX_WORDS
}

/// The fewest words of the list that it is made of, besides `own` ones, digits and signs; without end
/// when there is more in it.
fn words_in(text: &str, own: &[String]) -> usize {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    // The fewest words up to each place, and the places in order.
    let mut fewest: Vec<(usize, usize)> = vec![(0, 0)];
    for (end_index, end) in starts.iter().enumerate().skip(1) {
        let best = fewest.iter().zip(&starts).filter_map(|((words, begin_index), begin)| {
            let piece = text.get(*begin..*end)?;
            let length = end_index.saturating_sub(*begin_index);
            let sign = length == 1 && !piece.chars().all(char::is_alphabetic);
            let costs = if sign || own.iter().any(|word| word == piece) {
                0
            } else if length >= SHORTEST_WORD && COMMON.contains(piece) {
                1
            } else {
                return None;
            };
            Some(words.saturating_add(costs))
        });
        fewest.push((best.min().unwrap_or(usize::MAX), end_index));
    }
    fewest.last().map_or(usize::MAX, |(words, _)| *words)
}

/// Whether it is a short text again and again, the last time perhaps in part.
fn repeats(text: &str) -> bool {
    let chars: Zeroizing<Vec<char>> = Zeroizing::new(text.chars().collect());
    (1..=LONGEST_PERIOD)
        .any(|period| chars.iter().zip(chars.iter().skip(period)).all(|(a, b)| a == b))
}

/// Whether each character is next to the one before in the alphabet, the digits or a row of keys.
fn climbs(text: &str) -> bool {
    const ROWS: &[&str] =
        &["abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"];
    let next_to = |a: char, b: char| {
        ROWS.iter().any(|row| {
            let at = |c| row.chars().position(|r| r == c);
            matches!((at(a), at(b)), (Some(a), Some(b)) if a.abs_diff(b) <= 1)
        })
    };
    let pairs = text.chars().zip(text.chars().skip(1));
    let (steps, all) = pairs.fold((0_usize, 0_usize), |(steps, all), (a, b)| {
        (steps + usize::from(next_to(a, b)), all + 1)
    });
    // A few jumps from one row to the next make it no better.
    steps * 5 >= all * 4
}

#[cfg(test)]
mod tests;
