//! How many passwords a second can be checked within bounded memory, beside the bare hash.
//!
//! `cargo run --release -p tidegate-identity --example logins -- [SLOTS] [SECONDS]`
//!
//! One run times all of it: the bare Argon2id with its memory kept, by one thread; the whole check, memory
//! taken and wiped each time, by one thread; and the whole check by as many threads as there are slots,
//! while twice as many ask.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tidegate_identity::people::{Cost, Pepper, Slots, StoredPassword};
use tidegate_types::time::Time;

const PASSWORD: &str = "three dragons ate my soup";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let slots: usize = arguments.next().map_or(Ok(2), |text| text.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let lasts = Duration::from_secs(seconds);
    let mut out = io::stdout();
    let bare = bare(lasts)?;
    writeln!(out, "bare Argon2id, 64 MiB, 3 passes, memory kept: {bare:.1} a second")?;
    let (one, _) = checks(1, 1, lasts)?;
    writeln!(out, "whole check, one slot: {one:.1} a second, {:.2} of bare", one / bare)?;
    let (many, turned_away) = checks(slots, 2 * slots, lasts)?;
    writeln!(
        out,
        "whole check, {slots} slots ({} MiB at most), {} askers: {many:.1} a second, {:.2} of bare; \
         turned away {turned_away} times",
        64 * slots,
        2 * slots,
        many / bare,
    )?;
    Ok(())
}

/// Hashes a second with nothing about them.
fn bare(lasts: Duration) -> Result<f64, Box<dyn std::error::Error>> {
    let params = Params::new(64 * 1024, 3, 1, Some(32))?;
    let mut blocks = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new_with_secret(&[9; 32], Algorithm::Argon2id, Version::V0x13, params)?;
    let (start, mut done, mut out) = (Instant::now(), 0_u32, [0; 32]);
    while start.elapsed() < lasts {
        argon2.hash_password_into_with_memory(
            PASSWORD.as_bytes(),
            &[5; 16],
            &mut out,
            &mut blocks,
        )?;
        done += 1;
    }
    Ok(f64::from(done) / start.elapsed().as_secs_f64())
}

/// Checks a second by `askers` threads that share `slots`, and how often one found none free.
fn checks(
    slots: usize,
    askers: usize,
    lasts: Duration,
) -> Result<(f64, u64), Box<dyn std::error::Error>> {
    let (slots, pepper) = (Slots::new(slots), Arc::new(Pepper::new([9; 32])));
    let first = slots.take().ok_or("no slot")?;
    let stored = StoredPassword::choose(&first, &pepper, Cost::TODAY, PASSWORD, &[], [5; 16])?;
    drop(first);
    let turned_away = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let threads: Vec<_> = (0..askers)
        .map(|_| {
            let (slots, pepper, stored) = (Arc::clone(&slots), Arc::clone(&pepper), stored.clone());
            let turned_away = Arc::clone(&turned_away);
            std::thread::spawn(move || {
                let mut right = 0_u32;
                while start.elapsed() < lasts {
                    let Some(slot) = slots.take() else {
                        turned_away.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(5));
                        continue;
                    };
                    let now = Time::from_millis(0);
                    right += u32::from(
                        StoredPassword::check(
                            Some(&stored),
                            &slot,
                            &pepper,
                            Cost::TODAY,
                            PASSWORD,
                            now,
                        )
                        .is_ok(),
                    );
                }
                right
            })
        })
        .collect();
    let mut right = 0;
    for thread in threads {
        right += thread.join().map_err(|_| "an asker failed")?;
    }
    Ok((f64::from(right) / start.elapsed().as_secs_f64(), turned_away.load(Ordering::Relaxed)))
}
