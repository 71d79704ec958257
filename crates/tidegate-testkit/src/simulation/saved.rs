//! The saved state: made beside the gateway as the server does, damaged now and then, and taken up at
//! a start. What comes of it must be what the whole journal leads to, bit for bit.

use super::setup;
use super::world::{Asker, Due, Simulation};
use std::sync::Arc;
use tidegate_core::event::Event;
use tidegate_journal::storage::Storage;
use tidegate_journal::{JournalError, Reader};
use tidegate_server::gateway::image::{self, Digest, Saved};
use tidegate_types::ids::Seq;

/// The program that runs here.
const PROGRAM: Digest = [1; 32];
/// Another one.
const OTHER: Digest = [2; 32];

/// What lies on the disk beside the journal.
#[derive(Debug, Default)]
pub(super) struct Image {
    /// The file, if there is one.
    file: Option<Vec<u8>>,
    /// The file before it.
    before: Option<Vec<u8>>,
    /// What was done to it that must be noticed.
    damaged: bool,
}

impl Simulation {
    /// The state is saved, as a thread of the server's does beside the gateway.
    pub(super) fn save(&mut self) {
        let every = self.profile.save_every;
        self.again(every, Due::Save);
        let Some(gate) = self.gate.as_ref().filter(|gate| !gate.journal_failed) else { return };
        let end = gate.core.next_seq();
        let before = self.take_up().ok().flatten();
        let made = image::make(before, setup::settings(), end, &|from| self.reader(from));
        let (next, state) = match made {
            Ok(made) => made,
            Err(error) => return self.fail(format!("the state cannot be made: {error}")),
        };
        let digest = image::sha256(&state);
        let mut bytes = image::head(&PROGRAM, next);
        bytes.extend(state);
        let ticket = self.ticket(Asker::Saved { bytes });
        self.give(Event::StateSaved { ticket, next, digest });
    }

    /// The record of a saved state is on disk: its file takes the place of the one before.
    pub(super) fn state_is_saved(&mut self, bytes: Vec<u8>) {
        self.counts.add("states saved");
        let before = self.image.file.take().filter(|_| !self.image.damaged);
        self.image = Image { file: Some(bytes), before, damaged: false };
    }

    /// Something happens to the file while the gateway is down.
    pub(super) fn damage_state(&mut self) {
        if !self.profile.saves_badly || !self.rng.chance(400) {
            return;
        }
        let draw = self.rng.number();
        let image = &mut self.image;
        let Some(file) = &mut image.file else { return };
        let at = usize::try_from(draw % (file.len() as u64).max(1)).unwrap_or(0);
        image.damaged = true;
        match self.rng.below(5) {
            0 => file.truncate(at),
            1 => {
                if let Some(byte) = file.get_mut(at) {
                    *byte ^= 1;
                }
            }
            2 => {
                let made_by = file.get_mut(16..48);
                made_by.into_iter().for_each(|program| program.copy_from_slice(&OTHER));
            }
            3 => {
                // An older one that the journal bears out as well.
                image.damaged = false;
                if let Some(before) = image.before.take() {
                    self.counts.add("saved states that were old");
                    image.file = Some(before);
                }
            }
            _ => {
                image.damaged = false;
                image.file = None;
            }
        }
    }

    /// The saved state, if there is one; and why it is not believed.
    pub(super) fn take_up(&self) -> Result<Option<Saved>, String> {
        let Some(bytes) = &self.image.file else { return Ok(None) };
        let settings = setup::settings();
        image::take_up(bytes, &PROGRAM, &settings, &|from| self.reader(from)).map(Some)
    }

    /// As a start takes it up: only what nothing happened to.
    pub(super) fn start_from(&mut self) -> Result<Option<Saved>, String> {
        match (self.take_up(), self.image.damaged) {
            (Ok(Some(_)), true) => Err("a damaged state is believed".to_owned()),
            (Ok(saved), _) => {
                if saved.is_some() {
                    self.counts.add("starts from a saved state");
                }
                Ok(saved)
            }
            (Err(_), _) => {
                self.counts.add("saved states not believed");
                Ok(None)
            }
        }
    }

    /// The journal as whoever reads along sees it.
    pub(super) fn reader(&self, from: Seq) -> Result<Reader, JournalError> {
        let storage: Arc<dyn Storage> = Arc::new(self.disk.clone());
        Reader::over(storage, from)
    }
}
