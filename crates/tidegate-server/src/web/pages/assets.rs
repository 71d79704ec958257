//! Style and scripts, which are part of the program.

use super::layout;
use aws_lc_rs::digest::{SHA256, digest};
use std::sync::LazyLock;
use tidegate_types::request::Reply;

const ASSETS: [(&str, &str, &str); 5] = [
    ("icon.svg", "image/svg+xml", include_str!("../../../console/icon.svg")),
    ("style.css", "text/css; charset=utf-8", include_str!("../../../console/style.css")),
    ("passkey.js", "text/javascript; charset=utf-8", include_str!("../../../console/passkey.js")),
    ("link.js", "text/javascript; charset=utf-8", include_str!("../../../console/link.js")),
    ("live.js", "text/javascript; charset=utf-8", include_str!("../../../console/live.js")),
];

/// Changes with what is served, so that a browser never mixes two versions.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all: String = ASSETS.iter().map(|(_, _, text)| *text).collect();
    digest(&SHA256, all.as_bytes()).as_ref().iter().take(6).map(|b| format!("{b:02x}")).collect()
});

/// The address of one of them.
pub(super) fn path(name: &str) -> String {
    format!("/console/assets/{name}?{}", *VERSION)
}

pub(super) fn answer(path: &str) -> Reply {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((_, kind, text)) = ASSETS.iter().find(|(known, _, _)| *known == name) else {
        return layout::plain(404, "There is no such page.");
    };
    let headers = vec![
        ("content-type".to_owned(), (*kind).to_owned()),
        ("cache-control".to_owned(), "public, max-age=31536000, immutable".to_owned()),
    ];
    Reply { status: 200, headers, body: text.as_bytes().to_vec() }
}
