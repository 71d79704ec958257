//! Administration over HTTPS, by a token that is in a file of the data folder. Whoever holds the token
//! is the owner of the folder, and approves nothing.

use super::Administrator;
use super::protocol::{Failure, Response};
use super::service::{Administration, parse, token_matches};
use super::socket::administrator;
use crate::aside::aside_within;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tidegate_identity::people::range_of;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Method, RawRequest, Reply};
use tidegate_types::secret::Secret;
use tidegate_vault::read_private;

/// How old what is known of the file may be: a new token is in force after that.
const READ_EVERY: Duration = Duration::from_secs(1);
/// How long the disk may take to tell; what was known before holds meanwhile.
const READ_WITHIN: Duration = Duration::from_secs(1);
/// How many wrong tokens an address range may show within the time.
const GUESSES: u32 = 10;
const GUESSED_WITHIN: Duration = Duration::from_secs(60);
/// Most address ranges that are remembered.
const MAX_RANGES: usize = 1024;

/// The administration's token as far as it is known, and who showed wrong ones.
#[derive(Default)]
pub(super) struct Token {
    known: tokio::sync::Mutex<Option<(Instant, Option<Arc<Secret>>)>>,
    guesses: Mutex<BTreeMap<[u8; 8], (Instant, u32)>>,
}

impl Administration {
    /// Answers `POST /admin/v1`.
    pub async fn over_http(&self, request: RawRequest) -> Reply {
        if request.method != Method::Post {
            return reply(405, &refusal("bad_request", "the method must be POST"));
        }
        let shown = request.header("authorization").and_then(|text| text.strip_prefix("Bearer "));
        let by = administrator(self, self.parts.owner_uid)
            .map(|by| Administrator { factor: None, ..by });
        let (Some(shown), Some(by)) = (shown, by) else {
            return reply(401, &refusal("unauthorized", "a bearer token is needed"));
        };
        let token = self.admin_token().await;
        if !token.is_some_and(|token| token_matches(&token, shown.trim().as_bytes())) {
            // The right one is taken whatever others show from the same network: 32 random bytes are not
            // guessed. What is throttled is what the wrong ones cost and put on record.
            if !self.token.may_guess(request.peer, Instant::now()) {
                let refused =
                    refusal("too_many_guesses", "too many wrong tokens from this address");
                return reply(429, &refused);
            }
            self.token.guessed(request.peer, Instant::now());
            let why = format!("administration: a wrong token from {}", request.peer);
            self.note_refusal(None, Reject::new(Code::BadToken, why));
            return reply(401, &refusal("unauthorized", "the token is wrong"));
        }
        match parse(&request.body) {
            Ok(request) => match self.carry_out(&by, request).await {
                response @ Response::Ok(_) => reply(200, &response),
                response @ Response::Error(_) => reply(409, &response),
            },
            Err(failure) => reply(400, &Response::Error(failure)),
        }
    }

    /// The token in the file, which is read on a thread of its own. None where there is no file that is
    /// its owner's alone.
    async fn admin_token(&self) -> Option<Arc<Secret>> {
        let mut known = self.token.known.lock().await;
        let before = match known.as_ref() {
            Some((at, token)) if at.elapsed() < READ_EVERY => return token.clone(),
            Some((_, token)) => token.clone(),
            None => None,
        };
        let path = self.parts.folder.admin_token();
        let read = move || {
            let text = read_private(&path).ok()?;
            Some(Arc::new(Secret::new(text.expose().trim_ascii().to_vec())))
        };
        let token = aside_within(READ_WITHIN, "token", read).await.unwrap_or(before);
        *known = Some((Instant::now(), token.clone()));
        token
    }
}

impl Token {
    /// Whether one more wrong token from here is told as such and put on record.
    fn may_guess(&self, from: IpAddr, now: Instant) -> bool {
        let guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        !guesses
            .get(&range_of(from))
            .is_some_and(|(since, count)| *count >= GUESSES && now - *since < GUESSED_WITHIN)
    }

    fn guessed(&self, from: IpAddr, now: Instant) {
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        if guesses.len() >= MAX_RANGES {
            guesses.retain(|_, (since, _)| now - *since < GUESSED_WITHIN);
        }
        // More ranges than that at once: the oldest are forgotten.
        while guesses.len() >= MAX_RANGES {
            let oldest = guesses.iter().min_by_key(|(_, (since, _))| *since);
            let Some(oldest) = oldest.map(|(range, _)| *range) else { break };
            guesses.remove(&oldest);
        }
        let guess = guesses.entry(range_of(from)).or_insert((now, 0));
        if now - guess.0 >= GUESSED_WITHIN {
            *guess = (now, 0);
        }
        guess.1 += 1;
    }
}

fn refusal(code: &str, message: &str) -> Response {
    Response::Error(Failure::new(code, message, "the token is in DATA/admin-token"))
}

fn reply(status: u16, response: &Response) -> Reply {
    Reply { status, headers: Vec::new(), body: response.to_json().into_bytes() }
}
