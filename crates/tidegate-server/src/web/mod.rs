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

/// Everything that is no venue's.
pub struct Web {
    api: Api,
    oauth: Arc<oauth::Handle>,
    pages: Pages,
}

impl Web {
    /// What is served of these parts.
    pub fn new(api: Api, oauth: Arc<oauth::Handle>, pages: Pages) -> Web {
        Web { api, oauth, pages }
    }

    /// The authorization server.
    pub fn oauth(&self) -> &oauth::Handle {
        &self.oauth
    }

    /// The answer to a request, by the first word of its path.
    pub async fn answer(&self, request: RawRequest) -> Reply {
        let below = request.path.strip_prefix('/').unwrap_or(&request.path);
        match below.split('/').next().unwrap_or_default() {
            "v1" => self.api.answer(request).await,
            "oauth" | ".well-known" => self.oauth.answer(request).await,
            "" | "console" | "consent" | "device" => self.pages.answer(request).await,
            _ => plain_refusal(&Reject::new(Code::UnknownRoute, "nothing is served at this path")),
        }
    }
}
