//! What browsers report of pages that broke their policy: counted in the operator's log, and kept nowhere.
//! Anybody may send one, so little of it is read and a line is written once a minute at most.

use super::{Pages, reply};
use crate::oplog;
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tidegate_types::request::{RawRequest, Reply};

/// Where they are sent to.
pub(super) const REPORTS: &str = "/console/reports";
/// Longest report that is looked at, in bytes.
const MAX_REPORT: usize = 8 * 1024;
/// Longest text of one that is told, in bytes.
const MAX_TEXT: usize = 160;
/// How often a line is written at most.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// How many there were since a line was written.
#[derive(Default)]
pub(super) struct Reports {
    since: Mutex<(Option<Instant>, u64)>,
}

/// What a report says that is told.
#[derive(PartialEq, Eq, Debug)]
struct Report {
    directive: String,
    blocked: String,
    page: String,
}

impl Pages {
    /// Takes note of a report (Content Security Policy Level 3, section 5.3).
    pub(super) fn report(&self, request: &RawRequest) -> Reply {
        let Some(Report { directive, blocked, page }) = Report::read(&request.body) else {
            return reply::json(400, &json!({ "error": "this is no report" }));
        };
        if let Some(count) = self.reports.count(Instant::now()) {
            oplog::warn(
                "policy-violated",
                &[
                    ("directive", &directive),
                    ("blocked", &blocked),
                    ("page", &page),
                    ("from", &request.peer),
                    ("count", &count),
                ],
            );
        }
        Reply { status: 204, headers: Vec::new(), body: Vec::new() }
    }
}

impl Reports {
    /// Counts one more; how many there were where a line is due.
    fn count(&self, now: Instant) -> Option<u64> {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let (told, count) = &mut *since;
        *count = count.saturating_add(1);
        if told.is_some_and(|at| now.saturating_duration_since(at) < TOLD_EVERY) {
            return None;
        }
        *told = Some(now);
        Some(std::mem::take(count))
    }
}

impl Report {
    fn read(body: &[u8]) -> Option<Report> {
        if body.len() > MAX_REPORT {
            return None;
        }
        let said: Value = serde_json::from_slice(body).ok()?;
        let said = said.get("csp-report").filter(|said| said.is_object())?;
        let text = |names: [&str; 2]| {
            let text = names.iter().find_map(|name| said.get(*name)?.as_str()).unwrap_or_default();
            text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default().to_owned()
        };
        Some(
            Report {
                directive: text(["effective-directive", "violated-directive"]),
                blocked: text(["blocked-uri", "blocked-url"]),
                page: text(["document-uri", "document-url"]),
            }
            .without_queries(),
        )
    }

    /// What comes after a path may be good for something: a code of a login, a pushed request.
    fn without_queries(self) -> Report {
        let path = |text: String| text.split(['?', '#']).next().unwrap_or_default().to_owned();
        Report { blocked: path(self.blocked), page: path(self.page), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_and_cut_and_nothing_else_is_one() {
        let report = json!({"csp-report": {
            "effective-directive": "img-src", "violated-directive": "img-src 'self'",
            "blocked-uri": "ü".repeat(500),
            "document-uri": "https://localhost:8443/console/login/outside/return?code=secret&state=s#at",
        }});
        let read = Report::read(report.to_string().as_bytes()).unwrap();
        assert_eq!(read.directive, "img-src");
        assert_eq!(read.page, "https://localhost:8443/console/login/outside/return");
        assert_eq!(read.blocked.len(), MAX_TEXT);
        let older = json!({"csp-report": {"violated-directive": "script-src"}});
        assert_eq!(Report::read(older.to_string().as_bytes()).unwrap().directive, "script-src");
        let long = json!({"csp-report": {"blocked-uri": "x".repeat(MAX_REPORT)}}).to_string();
        for other in ["", "{}", "[]", "\"csp-report\"", "{\"csp-report\":1}", &long] {
            assert_eq!(Report::read(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn however_many_there_are_a_line_is_written_once_a_minute() {
        let (reports, begun) = (Reports::default(), Instant::now());
        assert_eq!(reports.count(begun), Some(1));
        for _ in 0..1000 {
            assert_eq!(reports.count(begun + Duration::from_secs(59)), None);
        }
        assert_eq!(reports.count(begun + Duration::from_secs(60)), Some(1001));
    }
}
