//! Apps: callers that ask for tokens instead of holding virtual keys.

use crate::codec::Octets;
use crate::codec_struct;
use crate::ids::CallerName;

/// An app as it is registered. It is a caller of the desk: what its tokens allow is within that
/// caller's grants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct App {
    /// The caller that it is; its client id has the same letters.
    pub caller: CallerName,
    /// Its terms in the byte form of the identity's authorization server.
    pub terms: Octets,
    /// The same for people: what each term is called and says. Made from the bytes by who registers it.
    pub summary: Vec<(String, String)>,
}
codec_struct!(App { caller, terms, summary });

impl App {
    /// How long it is, as its records grow with it.
    pub fn bytes(&self) -> usize {
        let rows = self.summary.iter().map(|(what, says)| what.len() + says.len());
        self.terms.0.len() + rows.sum::<usize>()
    }
}
