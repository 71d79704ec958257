//! Lists in pages. A cursor is where the next page begins, in a form of our own: it names a row by what
//! never changes of it, so that rows which come or go meanwhile neither repeat others nor hide them.

use super::problem::Problem;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Serialize;
use tidegate_types::reject::Code;

/// Rows in a page unless the caller says.
pub(super) const USUAL: usize = 100;
/// Most rows in a page.
pub(super) const MOST: usize = 500;

/// A page of a list.
#[derive(Clone, PartialEq, Serialize, JsonSchema, Debug)]
pub(super) struct Page<T> {
    /// The rows. A page may be short, and even empty, with more to come.
    #[schemars(length(max = 500))]
    pub items: Vec<T>,
    /// What to give as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which page is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    /// How many rows at most.
    pub(super) limit: usize,
    /// The last row of the page before, by its name.
    pub(super) after: Option<String>,
}

impl Wanted {
    /// What the parameters say; `list` keeps the cursors of different lists apart.
    pub(super) fn read(
        list: &str,
        limit: Option<&str>,
        cursor: Option<&str>,
    ) -> Result<Wanted, Problem> {
        let limit = match limit {
            None => USUAL,
            Some(text) => {
                let number = text.parse().ok().filter(|n| (1..=MOST).contains(n));
                let wrong = || {
                    Problem::new(Code::BadParameter, format!("limit is a number from 1 to {MOST}"))
                };
                number.ok_or_else(wrong)?
            }
        };
        let after = cursor.map(|cursor| row(list, cursor)).transpose()?;
        Ok(Wanted { limit, after })
    }

    /// The page of rows that come in order of their names, from the row after the one named on.
    pub(super) fn of<T>(&self, list: &str, rows: impl Iterator<Item = (String, T)>) -> Page<T> {
        let after = self.after.as_deref();
        let mut rows = rows.filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
        let mut page: Vec<(String, T)> = rows.by_ref().take(self.limit).collect();
        let more = rows.next().is_some();
        let next = page.last().filter(|_| more).map(|(name, _)| cursor(list, name));
        Page { items: page.drain(..).map(|(_, row)| row).collect(), next }
    }
}

/// The cursor after a row.
pub(super) fn cursor(list: &str, row: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{row}"))
}

fn row(list: &str, cursor: &str) -> Result<String, Problem> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let row = text.and_then(|text| text.strip_prefix(list)?.strip_prefix(':').map(str::to_owned));
    row.ok_or_else(|| Problem::new(Code::BadParameter, "cursor is not one of this list"))
}
