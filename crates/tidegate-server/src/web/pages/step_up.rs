//! A fresh factor for what needs one, on the page where it is done: a script asks for it before it sends
//! a form with `data-fresh`.

use super::guard::SESSION;
use super::{Pages, Visit, reply};
use crate::people::Error;
use serde_json::json;
use tidegate_identity::people::sessions::csrf_token;
use tidegate_types::request::Reply;

impl Pages {
    /// What to show a passkey by; an empty object where there is nothing to show.
    pub(super) fn step_up_options(&self, visit: &Visit<'_>) -> Reply {
        let asked = self.people.ask_step_up(&visit.visitor, visit.id);
        reply::told(asked.map(|options| options.unwrap_or_else(|| json!({}))))
    }

    /// The session goes on under another id, and its pages by another token.
    pub(super) async fn step_up(&self, visit: &Visit<'_>) -> Reply {
        let Some(answer) = &visit.sent.answer else { return reply::told(Err(Error::Wrong)) };
        match self.people.step_up(&visit.visitor, visit.id, answer).await {
            Ok(id) => {
                let told = json!({ "csrf": csrf_token(id.expose()).expose() });
                reply::with_cookie(reply::json(200, &told), SESSION, id.expose())
            }
            Err(error) => reply::told(Err(error)),
        }
    }
}
