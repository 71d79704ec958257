//! Administration over HTTPS, by a token that is in a file of the data folder.

use super::Administrator;
use super::protocol::{Failure, Response};
use super::service::{Administration, parse, token_matches};
use super::socket::administrator;
use tidegate_types::approval::Factor;
use tidegate_types::request::{Method, RawRequest, Reply};
use tidegate_types::secret::Secret;
use tidegate_vault::read_private;

impl Administration {
    /// Answers `POST /admin/v1`.
    pub async fn over_http(&self, request: RawRequest) -> Reply {
        if request.method != Method::Post {
            return reply(405, &refusal("bad_request", "the method must be POST"));
        }
        let shown = request.header("authorization").and_then(|text| text.strip_prefix("Bearer "));
        let by = administrator(self, self.parts.owner_uid)
            .map(|by| Administrator { factor: Some(Factor::AdminToken), ..by });
        let (Some(shown), Some(by), Ok(token)) = (shown, by, self.token()) else {
            return reply(401, &refusal("unauthorized", "a bearer token is needed"));
        };
        if !token_matches(&token, shown.trim().as_bytes()) {
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

    /// Read each time, so that a new file is in force at once.
    fn token(&self) -> Result<Secret, String> {
        let text = read_private(&self.parts.folder.admin_token()).map_err(|e| e.to_string())?;
        Ok(Secret::new(text.expose().trim_ascii().to_vec()))
    }
}

fn refusal(code: &str, message: &str) -> Response {
    Response::Error(Failure::new(code, message, "the token is in DATA/admin-token"))
}

fn reply(status: u16, response: &Response) -> Reply {
    Reply { status, headers: Vec::new(), body: response.to_json().into_bytes() }
}
