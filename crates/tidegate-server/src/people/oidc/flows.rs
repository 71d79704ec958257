//! Logins at the outside provider that are under way.

use std::collections::{BTreeMap, VecDeque};
use tidegate_identity::people::oidc::Flow;
use tidegate_identity::people::{PersonHandle, SessionKey};
use tidegate_types::time::{Span, Time};
use zeroize::Zeroizing;

/// A login there must be over within this.
const LIFETIME: Span = Span::from_secs(10 * 60);
/// Most logins under way; the oldest is given up when there is one more.
const MAX_OPEN: usize = 4096;

/// What a login there is for.
#[derive(Clone, PartialEq, Eq)]
pub enum Door {
    /// To log in here.
    LogIn,
    /// To be linked with whoever is in this session.
    Link {
        /// The session.
        session: SessionKey,
        /// Whose it is.
        person: PersonHandle,
    },
    /// To enrol by a link.
    Enrol {
        /// The link's secret.
        link: Zeroizing<String>,
    },
}

/// A login under way.
pub(super) struct Open {
    pub(super) flow: Flow,
    pub(super) door: Door,
    /// The digest of the cookie of the browser that began it.
    pub(super) browser: [u8; 32],
    until: Time,
}

/// The logins under way, by the digest of their `state`. They are kept in memory only.
#[derive(Default)]
pub(super) struct Flows {
    open: BTreeMap<[u8; 32], Open>,
    /// The same, the oldest first.
    begun: VecDeque<[u8; 32]>,
}

impl Flows {
    pub(super) fn begin(
        &mut self,
        state: [u8; 32],
        flow: Flow,
        door: Door,
        browser: [u8; 32],
        now: Time,
    ) {
        while let Some(oldest) = self.begun.front() {
            let over = self.open.get(oldest).is_none_or(|open| now >= open.until);
            if !over && self.begun.len() < MAX_OPEN {
                break;
            }
            self.open.remove(oldest);
            self.begun.pop_front();
        }
        self.begun.push_back(state);
        self.open.insert(state, Open { flow, door, browser, until: now.plus(LIFETIME) });
    }

    /// The login of a `state`, once.
    pub(super) fn take(&mut self, state: &[u8; 32], now: Time) -> Option<Open> {
        self.open.remove(state).filter(|open| now < open.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(flows: &mut Flows, number: u32, now: Time) -> [u8; 32] {
        let mut state = [0; 32];
        state[..4].copy_from_slice(&number.to_be_bytes());
        flows.begin(state, Flow::new(&[[1; 32]; 3]), Door::LogIn, [7; 32], now);
        state
    }

    #[test]
    fn a_login_ends_once_and_in_time() {
        let (mut flows, now) = (Flows::default(), Time::from_millis(1_000_000));
        let state = begin(&mut flows, 1, now);
        assert!(flows.take(&state, now).is_some_and(|open| open.browser == [7; 32]));
        assert!(flows.take(&state, now).is_none());
        let late = begin(&mut flows, 2, now);
        assert!(flows.take(&late, now.plus(LIFETIME)).is_none());
    }

    #[test]
    fn strangers_fill_a_bounded_table() {
        let (mut flows, now) = (Flows::default(), Time::from_millis(1_000_000));
        let states: Vec<[u8; 32]> =
            (0..=MAX_OPEN as u32).map(|number| begin(&mut flows, number, now)).collect();
        assert!(flows.open.len() <= MAX_OPEN && flows.begun.len() <= MAX_OPEN);
        assert!(flows.take(&states[0], now).is_none());
        assert!(flows.take(&states[MAX_OPEN], now).is_some());
        begin(&mut flows, 1 << 20, now.plus(LIFETIME));
        assert_eq!((flows.open.len(), flows.begun.len()), (1, 1));
    }
}
