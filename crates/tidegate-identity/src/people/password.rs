//! Passwords: Argon2id with a pepper, in bounded memory.
//!
//! A hash takes 64 MiB and three passes (RFC 9106, SP 800-63B), so hashes are made in a slot alone: the
//! server has as many slots as it has memory for, and whoever finds none free waits or is turned
//! away. The cost is kept with each hash, so that it can rise with the machines.

mod common;

use super::assurance::{Factor, Shown};
use super::hidden::Hidden;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::digest;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tidegate_types::codec_struct;
use tidegate_types::time::Time;
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, Zeroizing};

/// Fewest characters of a password.
pub const MIN_CHARACTERS: usize = 15;
/// Most characters of a password.
pub const MAX_CHARACTERS: usize = 128;
/// Most bytes that are looked at as a password: four for each character.
const MAX_BYTES: usize = 4 * MAX_CHARACTERS;

/// What one hash costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
}
codec_struct!(Cost { memory_kib, passes });

/// A password as the sealed store keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredPassword {
    cost: Cost,
    salt: [u8; 16],
    hash: Hidden<32>,
}
codec_struct!(StoredPassword { cost, salt, hash });

/// The key that every hash is made with (RFC 9106's secret value). It is kept apart from the hashes:
/// who steals these alone cannot guess at them.
#[derive(Debug)]
pub struct Pepper(Hidden<32>);

/// How many hashes may be made at a time.
#[derive(Debug)]
pub struct Slots {
    free: AtomicUsize,
}

/// Room for one hash at a time, given back when dropped.
#[derive(Debug)]
pub struct Slot(Arc<Slots>);

/// Why a password cannot be chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// It has fewer than 15 characters.
    Short,
    /// It has more than 128.
    Long,
    /// Everybody tries it first, or it is made of little more than such words or one's own name.
    Common,
    /// It is on the desk's own list of passwords that were stolen elsewhere.
    Breached,
}

/// Why a password was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordError {
    /// It is not the person's, or there is no such person.
    Wrong,
    /// It cannot be chosen.
    Unfit(Unfit),
    /// No hash could be made: the memory is not there.
    System,
}

/// A password that was right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Right {
    /// What it proves.
    pub shown: Shown,
    /// Whether it was hashed at less than today's cost: `choose` it anew while it is at hand.
    pub outdated: bool,
}

impl Cost {
    /// 64 MiB, three passes, one lane.
    pub const TODAY: Cost = Cost { memory_kib: 64 * 1024, passes: 3 };
    /// The most a stored hash may ask for, so that a forged one cannot exhaust the machine.
    const MOST: Cost = Cost { memory_kib: 256 * 1024, passes: 16 };

    /// A cost that is not below today's nor above 256 MiB and 16 passes.
    pub fn new(memory_kib: u32, passes: u32) -> Option<Cost> {
        let (least, most) = (Cost::TODAY, Cost::MOST);
        let fits = (least.memory_kib..=most.memory_kib).contains(&memory_kib)
            && (least.passes..=most.passes).contains(&passes);
        fits.then_some(Cost { memory_kib, passes })
    }

    fn bounded(self) -> Cost {
        Cost {
            memory_kib: self.memory_kib.min(Cost::MOST.memory_kib),
            passes: self.passes.min(Cost::MOST.passes),
        }
    }
}

impl Pepper {
    /// Takes the key over; 32 bytes fresh from the system's generator when it is made.
    pub fn new(key: [u8; 32]) -> Pepper {
        Pepper(Hidden::new(key))
    }
}

impl Slots {
    /// Room for `count` hashes at a time.
    pub fn new(count: usize) -> Arc<Slots> {
        Arc::new(Slots { free: AtomicUsize::new(count) })
    }

    /// A slot, if one is free.
    pub fn take(self: &Arc<Slots>) -> Option<Slot> {
        let taken =
            self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1));
        taken.ok().map(|_| Slot(Arc::clone(self)))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::AcqRel);
    }
}

impl StoredPassword {
    /// The stored form of a new password. `about` are words that an attacker knows: the person's name
    /// and address, the desk's name. `salt` must be fresh from the system's generator.
    ///
    /// # Errors
    /// When the password is unfit, or the hash cannot be made.
    pub fn choose(
        _slot: &Slot,
        pepper: &Pepper,
        cost: Cost,
        password: &str,
        about: &[&str],
        salt: [u8; 16],
    ) -> Result<StoredPassword, PasswordError> {
        let normal = normalize(password).ok_or(PasswordError::Unfit(Unfit::Long))?;
        fit(&normal, about).map_err(PasswordError::Unfit)?;
        let hash = hash(pepper, cost, &normal, &salt)?;
        Ok(StoredPassword { cost, salt, hash })
    }

    /// Checks a password. Where there is no such person, or one without a password, `stored` is `None`,
    /// and the same work is done for the same answer.
    ///
    /// # Errors
    /// When it is wrong, or the hash cannot be made.
    pub fn check(
        stored: Option<&StoredPassword>,
        _slot: &Slot,
        pepper: &Pepper,
        today: Cost,
        password: &str,
        now: Time,
    ) -> Result<Right, PasswordError> {
        let decoy = StoredPassword { cost: today, salt: [0; 16], hash: Hidden::new([0; 32]) };
        let (stored, real) = stored.map_or((&decoy, false), |stored| (stored, true));
        // What is too long is nobody's password, and costs as much.
        let (normal, long) =
            normalize(password).map_or((Zeroizing::new(String::new()), true), |n| (n, false));
        let hash = hash(pepper, stored.cost.bounded(), &normal, &stored.salt)?;
        let same = hash == stored.hash;
        if !(same & real & !long) {
            return Err(PasswordError::Wrong);
        }
        let outdated =
            stored.cost.memory_kib < today.memory_kib || stored.cost.passes < today.passes;
        Ok(Right { shown: Shown::new(Factor::Password, now), outdated })
    }
}

/// Whether a password can be chosen, without hashing it: for the page on which it is typed.
///
/// # Errors
/// When it is unfit.
pub fn is_fit(password: &str, about: &[&str]) -> Result<(), Unfit> {
    fit(&normalize(password).ok_or(Unfit::Long)?, about)
}

/// SHA-1 of a password as it was typed and as it is the same from every keyboard: what lists of breached
/// passwords know it by.
pub fn breach_digests(password: &str) -> [[u8; 20]; 2] {
    let normal = normalize(password);
    let normal = normal.as_ref().map_or(password, |normal| normal.as_str());
    [password, normal].map(|text| {
        let mut out = [0; 20];
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        out.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
        out
    })
}

/// NFKC, so that a password is the same from every keyboard; `None` when it is longer than any
/// password may be, which is found out before work is spent on it.
fn normalize(password: &str) -> Option<Zeroizing<String>> {
    if password.len() > MAX_BYTES {
        return None;
    }
    // One character becomes 18 at most (Unicode Standard Annex 15).
    let mut normal = Zeroizing::new(String::with_capacity(18 * password.len()));
    normal.extend(password.nfkc());
    (normal.chars().count() <= MAX_CHARACTERS).then_some(normal)
}

fn fit(normal: &str, about: &[&str]) -> Result<(), Unfit> {
    if normal.chars().count() < MIN_CHARACTERS {
        return Err(Unfit::Short);
    }
    if common::is_common(normal, about) { Err(Unfit::Common) } else { Ok(()) }
}

fn hash(
    pepper: &Pepper,
    cost: Cost,
    password: &str,
    salt: &[u8; 16],
) -> Result<Hidden<32>, PasswordError> {
    let failed = |_| PasswordError::System;
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32)).map_err(failed)?;
    let mut blocks: Vec<Block> = Vec::new();
    blocks.try_reserve_exact(params.block_count()).map_err(|_| PasswordError::System)?;
    blocks.resize(params.block_count(), Block::default());
    let mut out = Zeroizing::new([0_u8; 32]);
    let done =
        Argon2::new_with_secret(pepper.0.expose(), Algorithm::Argon2id, Version::V0x13, params)
            .and_then(|argon2| {
                argon2.hash_password_into_with_memory(
                    password.as_bytes(),
                    salt,
                    out.as_mut_slice(),
                    &mut blocks,
                )
            });
    blocks.zeroize();
    done.map_err(failed)?;
    Ok(Hidden::new(*out))
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Unfit::Short => "the password has fewer than 15 characters; a few words do",
            Unfit::Long => "the password has more than 128 characters",
            Unfit::Common => "the password is among the first that anybody would try",
            Unfit::Breached => {
                "the password was stolen elsewhere and is on a list that attackers have; take another one"
            }
        })
    }
}

impl std::error::Error for Unfit {}

impl std::fmt::Display for PasswordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PasswordError::Wrong => f.write_str("the name or the password is wrong"),
            PasswordError::Unfit(why) => why.fmt(f),
            PasswordError::System => f.write_str("no memory to check the password; try again"),
        }
    }
}

impl std::error::Error for PasswordError {}

#[cfg(test)]
mod tests;
