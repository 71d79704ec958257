//! A fresh factor in a session that goes on: who logged in long ago shows a passkey of theirs once more.

use super::credentials::door_key;
use super::{Error, PasskeyAnswer, People, Visitor, fresh, lock};
use crate::clock;
use serde_json::Value;
use tidegate_identity::people::{Challenge, Fact, OneTimeText, Purpose, SessionKey};

impl People {
    /// What a browser is asked to show a passkey by; nothing where one was shown moments ago, or where the
    /// person has none: what needs it says so then.
    ///
    /// # Errors
    /// When the gateway cannot ask now.
    pub fn ask_step_up(&self, visitor: &Visitor, id: &str) -> Result<Option<Value>, Error> {
        if visitor.by_passkey || !self.has_passkey(&visitor.person) {
            return Ok(None);
        }
        let challenge = Challenge::new(Purpose::StepUp, fresh()?, clock::now());
        self.ask_over(visitor, id, challenge, "you have no passkey").map(Some)
    }

    /// Takes the passkey that was shown. The session goes on under the id returned and no other.
    ///
    /// # Errors
    /// When it is not the person's, or was asked in another session or for something else.
    pub async fn step_up(
        &self,
        visitor: &Visitor,
        id: &str,
        answer: &PasskeyAnswer,
    ) -> Result<OneTimeText, Error> {
        let challenge = self.challenge(id, Purpose::StepUp)?;
        let (new, key) = SessionKey::fresh(&fresh()?);
        let shown = self.record(|state, now| {
            state.sessions().look(visitor.session, now).map_err(|_| Error::Wrong)?;
            let (passkey, asserted) = self.asserted(state, visitor, challenge, answer, now)?;
            let shown = self.worth(&passkey, &asserted);
            let raised = Fact::SessionRaised { was: visitor.session, key, shown };
            Ok(((), vec![Fact::PasskeyUsed { passkey }, raised]))
        });
        self.doubting(answer, shown.await).await?;
        // The app that the page offers is known by the session.
        let mut offered = lock(&self.offered);
        if let Some(app) = offered.remove(&door_key(id)) {
            offered.insert(door_key(new.expose()), app);
        }
        Ok(new)
    }
}
