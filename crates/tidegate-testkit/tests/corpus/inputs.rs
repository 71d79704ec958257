//! Every fuzz target over its corpus, over mutations of it, and over inputs that are merely large.

use nix::time::{ClockId, clock_gettime};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tidegate_testkit::fuzz::TARGETS;

/// Mutations of each file.
const MUTATIONS: u64 = 60;
/// The most processor time that one input may take, in a build without optimization.
const MOST_TIME: Duration = Duration::from_secs(5);
/// The most that the process may grow over all large inputs.
const MOST_GROWTH_KIB: u64 = 512 * 1024;
const LARGE: usize = 1024 * 1024;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

fn files(target: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder(target)).unwrap_or_else(|error| panic!("{target}: {error}"));
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

/// Runs an input; what went wrong names it, and how to run it again.
fn run(target: fn(&[u8]), name: &str, input: &[u8]) -> Result<(), String> {
    let begun = busy();
    let done = catch_unwind(AssertUnwindSafe(|| target(input)));
    let what = if done.is_err() {
        "panicked".to_owned()
    } else if busy() - begun > MOST_TIME {
        format!("took {:?}", busy() - begun)
    } else {
        return Ok(());
    };
    let path = std::env::temp_dir().join(format!("tidegate-{}", name.replace('/', "-")));
    fs::write(&path, input).unwrap();
    Err(format!("{name} {what}; the input is in {}", path.display()))
}

/// The processor time of this thread so far, which other processes do not lengthen.
fn busy() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

/// Pseudo-random numbers (xorshift), the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (end.max(1) as u64)).unwrap()
    }
}

fn mutated(original: &[u8], other: &[u8], seed: u64) -> Vec<u8> {
    const WORDS: &[&[u8]] = &[
        b"\"", b"{", b"[", b"}", b"]", b",", b"-1", b"0", b"1e999", b"null", b"\xff", b"%", b"\n",
    ];
    let mut dice = Dice((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut bytes = original.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.below(40)).min(bytes.len());
        match dice.below(6) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            4 => drop(bytes.splice(at..end, WORDS[dice.below(WORDS.len())].iter().copied())),
            _ => {
                let from = dice.below(other.len());
                bytes.splice(at.., other[from..].iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn no_target_panics_over_its_corpus_and_mutations_of_it() {
    let mut wrong = Vec::new();
    for (name, target) in TARGETS {
        let files = files(name);
        assert!(!files.is_empty(), "{name} has no corpus");
        for (at, (file, bytes)) in files.iter().enumerate() {
            wrong.extend(run(*target, &format!("{name}/{file}"), bytes).err());
            let other = &files[(at + 1) % files.len()].1;
            for seed in 0..MUTATIONS {
                let input = mutated(bytes, other, seed);
                wrong.extend(run(*target, &format!("{name}/{file}+{seed}"), &input).err());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn large_inputs_cost_neither_much_time_nor_memory() {
    let large = |unit: &str| unit.repeat(LARGE / unit.len()).into_bytes();
    let inputs = [
        large("["),
        large("{\"a\":"),
        large("{\"a\":1},"),
        large("9"),
        large("\0"),
        large("a=b&"),
        large("<[\n"),
        [b"GET /api/v2/public/test?".as_slice(), &large("a=1&")].concat(),
        [b"POST /fapi/v1/order\n\n".as_slice(), &large("symbol=1&")].concat(),
        [b"/ws/api/v2\n<".as_slice(), &large("[")].concat(),
    ];
    let before = peak_kib();
    let mut wrong = Vec::new();
    for (name, target) in TARGETS {
        for (at, input) in inputs.iter().enumerate() {
            wrong.extend(run(*target, &format!("{name}/large{at}"), input).err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let growth = peak_kib() - before;
    assert!(growth < MOST_GROWTH_KIB, "the process grew by {growth} KiB");
}

/// The most memory that this process had so far.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn every_corpus_and_every_fuzzer_belongs_to_a_target() {
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    let mut folders: Vec<String> = fs::read_dir(folder("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders, names);
    let mut fuzzers: Vec<String> = fs::read_dir(folder("../fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    fuzzers.sort();
    assert_eq!(fuzzers, names);
}
