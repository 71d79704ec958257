//! What the gateway serves of its own at the main listener, beside the venues' routes.
//!
//! It runs on the event loop's thread: what takes longer than a millisecond goes aside.

pub mod api;
pub mod oauth;
mod pages;

pub use pages::Pages;

use crate::aside::to_the_end;
use crate::edge::plain_refusal;
use api::Api;
use std::sync::Arc;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Method, RawRequest, Reply};

/// What stands behind the first word of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Door {
    Api,
    OAuth,
    Pages,
}

/// The first words of paths, each with what stands behind it.
const DOORS: &[(&str, Door)] = &[
    ("v1", Door::Api),
    ("oauth", Door::OAuth),
    (".well-known", Door::OAuth),
    ("", Door::Pages),
    ("console", Door::Pages),
    ("consent", Door::Pages),
    ("device", Door::Pages),
];

/// Everything that is no venue's.
pub struct Web {
    api: Arc<Api>,
    oauth: Arc<oauth::Handle>,
    pages: Arc<Pages>,
}

impl Web {
    /// What is served of these parts.
    pub fn new(api: Api, oauth: Arc<oauth::Handle>, pages: Pages) -> Web {
        Web { api: Arc::new(api), oauth, pages: Arc::new(pages) }
    }

    /// The authorization server.
    pub fn oauth(&self) -> &oauth::Handle {
        &self.oauth
    }

    /// The stream that a request asks for, or why it is not let in; `None` when it asks for none.
    pub fn upgrade(&self, request: &RawRequest) -> Option<Result<api::Stream, Reply>> {
        self.api.upgrade(request)
    }

    /// The answer to a request, by the first word of its path. What may change something goes on when
    /// its connection ends.
    pub async fn answer(&self, request: RawRequest) -> Reply {
        let Some(door) = door(&request.path) else {
            let nothing = Reject::new(Code::UnknownRoute, "nothing is served at this path");
            return plain_refusal(&nothing);
        };
        let changes = request.method != Method::Get;
        let (api, oauth, pages) =
            (Arc::clone(&self.api), Arc::clone(&self.oauth), Arc::clone(&self.pages));
        let work = async move {
            match door {
                Door::Api => api.answer(request).await,
                Door::OAuth => oauth.answer(request).await,
                Door::Pages => pages.answer(request).await,
            }
        };
        if !changes {
            return work.await;
        }
        let stops = || {
            plain_refusal(&Reject::new(
                Code::OutcomeUnknown,
                "the gateway stops; look what became of it",
            ))
        };
        to_the_end(work).await.unwrap_or_else(stops)
    }
}

fn door(path: &str) -> Option<Door> {
    let below = path.strip_prefix('/').unwrap_or(path);
    let word = below.split('/').next().unwrap_or_default();
    DOORS.iter().find(|(first, _)| *first == word).map(|(_, door)| *door)
}

#[cfg(test)]
mod every_route;
