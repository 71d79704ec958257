//! Every route there is, by every table, and who gets nothing there.
//!
//! The rows come from the tables that requests are dispatched by, so that a new route is walked as soon as it
//! is served; one that no example fits fails the test until it has one. What holds for the routes of one table
//! beyond this stands beside it: `pages/tests.rs`, `api/tests/routes.rs`, `oauth/tests.rs`,
//! `admin/tests/roles.rs` (every operation of the administration by every role), and the venues' own.

mod askers;
mod samples;

use super::{DOORS, Door, api, oauth, pages};
use crate::edge::ADMIN_PATH;
use askers::{Asker, desk};
use tidegate_types::request::{Method, Reply};
use tidegate_venues::front::Shows;
use tidegate_venues::{Venue, registry};

/// What a request must show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Needs {
    /// Nothing.
    Nothing,
    /// The secret of a link.
    Link,
    /// The cookie of a login page, and its token.
    LoginPage,
    /// A session and, to change something, its token.
    Session,
    /// A token or a key of a caller's.
    Caller,
    /// The id of a key, as a venue's own protocol has it.
    KeyId,
    /// What a client of the authorization server proves itself by.
    Client,
    /// The token of the administration.
    Operator,
    /// It is refused, whatever is shown.
    Refused,
}

/// Where a route is served.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Web,
    Admin,
    Venue(&'static dyn Venue),
}

/// A route.
#[derive(Clone)]
pub(super) struct Row {
    place: Place,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) needs: Needs,
    pub(super) changes: bool,
}

impl Row {
    pub(super) fn web(method: Method, path: &str, needs: Needs, changes: bool) -> Row {
        Row { place: Place::Web, method, path: path.to_owned(), needs, changes }
    }

    fn said(&self) -> String {
        let venue = match self.place {
            Place::Venue(venue) => format!("/{}", venue.name()),
            Place::Web | Place::Admin => String::new(),
        };
        format!("{} {venue}{}", self.method.as_str(), self.path)
    }
}

/// All of them.
fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = [Door::Api, Door::OAuth, Door::Pages]
        .into_iter()
        .flat_map(|door| match door {
            Door::Api => api::tests::rows(),
            Door::OAuth => oauth::tests::rows(),
            Door::Pages => pages::tests::rows(),
        })
        .collect();
    let admin = Row::web(Method::Post, ADMIN_PATH, Needs::Operator, true);
    rows.push(Row { place: Place::Admin, ..admin });
    for venue in registry::all() {
        rows.extend(venue.routes().into_iter().map(|listed| Row {
            place: Place::Venue(*venue),
            method: listed.method,
            path: listed.path,
            needs: match listed.shows {
                Shows::Nothing => Needs::Nothing,
                Shows::KeyId => Needs::KeyId,
                Shows::Credentials => Needs::Caller,
                Shows::Refused => Needs::Refused,
            },
            changes: listed.changes,
        }));
    }
    rows
}

/// Whether nothing was served: a refusal, or the way to the login.
fn is_refused(reply: &Reply) -> bool {
    let to = reply.headers.iter().find(|(name, _)| name == "location");
    reply.status >= 400 || reply.status == 303 && to.is_some_and(|(_, to)| to == "/console/login")
}

#[test]
fn every_first_word_of_a_path_leads_to_a_table() {
    let rows = rows();
    for (word, door) in DOORS {
        let below = format!("/{word}");
        let of_it = |row: &&Row| matches!(row.place, Place::Web) && row.path.starts_with(&below);
        assert!(rows.iter().any(|row| of_it(&row)), "{word} ({door:?}) has no row");
    }
    for (at, row) in rows.iter().enumerate() {
        assert!(rows.iter().skip(at + 1).all(|other| other.said() != row.said()), "{}", row.said());
    }
}

#[tokio::test]
async fn nothing_is_served_for_who_looks_after_programs() {
    let desk = desk().await;
    for path in [
        "/debug",
        "/debug/pprof/",
        "/trace",
        "/metrics",
        "/status",
        "/health",
        "/env",
        "/actuator",
        "/server-status",
        "/.git/HEAD",
        "/.env",
        "/swagger",
        "/docs",
        "/graphql",
        "/console/debug",
        "/v1/debug",
        "/oauth/debug",
        "/console/assets/../passkey.js",
    ] {
        for asker in [Asker::Nobody, Asker::Cookie] {
            let reply = desk.ask(&Row::web(Method::Get, path, Needs::Session, false), asker).await;
            assert_eq!(reply.status, 404, "{path}");
        }
    }
}

#[tokio::test]
async fn without_good_credentials_no_route_serves_anybody() {
    let desk = desk().await;
    for asker in [Asker::Nobody, Asker::Forged, Asker::Proxied, Asker::Cookie, Asker::Revoked] {
        if asker == Asker::Revoked {
            desk.revoke().await;
        }
        for row in rows() {
            let said = format!("{} by {asker:?}", row.said());
            let before = desk.holds();
            let reply = desk.ask(&row, asker).await;
            let told = String::from_utf8_lossy(&reply.body).into_owned();
            let shares = |(name, _): &(String, String)| name.starts_with("access-control-");
            assert!(!reply.headers.iter().any(shares), "{said}: other sites may read it");
            match row.needs {
                Needs::Session | Needs::LoginPage if asker == Asker::Cookie => continue,
                Needs::Nothing => assert!(!matches!(reply.status, 401 | 500), "{said}: {told}"),
                // A page to log in at gives challenges to whoever asks.
                Needs::LoginPage if row.path.ends_with("/options") => {}
                _ => assert!(is_refused(&reply), "{said}: {} {told}", reply.status),
            }
            if row.needs != Needs::Nothing {
                assert_eq!(desk.holds(), before, "{said}: {told}");
                assert!(!told.contains(askers::MINE), "{said}: {told}");
            }
        }
    }
}

#[tokio::test]
async fn who_may_only_read_changes_nothing_at_any_route_and_reads_its_own() {
    let desk = desk().await;
    let mut rows = rows();
    // Who logs out is nobody from there on.
    rows.sort_by_key(|row| row.path == "/console/logout");
    for row in rows {
        let said = format!("{} by one who reads", row.said());
        let before = desk.holds();
        let reply = desk.ask(&row, Asker::Reader).await;
        let told = String::from_utf8_lossy(&reply.body).into_owned();
        // Who names it is told that there is none.
        let told = told.replace(&format!("no such live order: {}", askers::MINE), "");
        assert!(!told.contains(askers::MINE), "{said}: {told}");
        assert_ne!(reply.status, 500, "{said}: {told}");
        if row.changes {
            assert_eq!(desk.holds(), before, "{said}: {told}");
        }
        if matches!(row.place, Place::Web) && row.needs == Needs::Caller && row.changes {
            assert_eq!(reply.status, 403, "{said}: {told}");
        }
        if row.needs == Needs::Refused || row.needs == Needs::Operator {
            assert!(is_refused(&reply), "{said}: {told}");
        }
    }
    assert!(desk.is_untouched().await, "what is somebody else's was changed");
}

#[tokio::test]
async fn every_route_that_changes_something_leaves_a_record() {
    let mut silent = Vec::new();
    for row in rows().into_iter().filter(|row| row.changes) {
        // What pages change has records of its own kinds: `pages/tests.rs` goes over those.
        if matches!(row.needs, Needs::Session | Needs::Link | Needs::LoginPage | Needs::Refused) {
            continue;
        }
        let desk = desk().await;
        let before = desk.records();
        let reply = desk.ask(&row, Asker::Good).await;
        let told = String::from_utf8_lossy(&reply.body).into_owned();
        // Binance says 401 of what a grant does not cover, too.
        let is_let_in = reply.status != 401 || told.contains("TG306");
        assert!(is_let_in && reply.status != 500, "{}: {told}", row.said());
        // Where nothing is to be cancelled there is nothing to record.
        if row.path.ends_with("/algoOpenOrders") {
            continue;
        }
        if desk.records() == before {
            silent.push(format!("{}: {told}", row.said()));
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}
