//! What the gateway serves of its own at the main listener, beside the venues' routes.
//!
//! It runs on the event loop's thread: what takes longer than a millisecond goes aside.

pub mod api;
pub mod oauth;
mod pages;

pub use pages::Pages;

use crate::edge::plain_refusal;
use api::Api;
use std::sync::Arc;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{RawRequest, Reply};

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
    pages: Pages,
}

impl Web {
    /// What is served of these parts.
    pub fn new(api: Api, oauth: Arc<oauth::Handle>, pages: Pages) -> Web {
        Web { api: Arc::new(api), oauth, pages }
    }

    /// The authorization server.
    pub fn oauth(&self) -> &oauth::Handle {
        &self.oauth
    }

    /// The stream that a request asks for, or why it is not let in; `None` when it asks for none.
    pub fn upgrade(&self, request: &RawRequest) -> Option<Result<api::Stream, Reply>> {
        self.api.upgrade(request)
    }

    /// The answer to a request, by the first word of its path.
    pub async fn answer(&self, request: RawRequest) -> Reply {
        match door(&request.path) {
            Some(Door::Api) => self.api.answer(request).await,
            Some(Door::OAuth) => self.oauth.answer(request).await,
            Some(Door::Pages) => self.pages.answer(request).await,
            None => {
                plain_refusal(&Reject::new(Code::UnknownRoute, "nothing is served at this path"))
            }
        }
    }
}

fn door(path: &str) -> Option<Door> {
    let below = path.strip_prefix('/').unwrap_or(path);
    let word = below.split('/').next().unwrap_or_default();
    DOORS.iter().find(|(first, _)| *first == word).map(|(_, door)| *door)
}

#[cfg(test)]
mod every_route;
