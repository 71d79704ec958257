//! What an access token (RFC 9068) says, once it was found good.

use super::acr::Acr;
use super::client::ClientId;
use super::details::{Trading, read, show};
use super::event::{Confirmation, GrantId, TokenId};
use super::jose::jws::Typ;
use super::jose::{Keys, Thumbprint};
use super::json::{Members, Object, seconds};
use serde_json::{Value, json};
use tidegate_types::time::{Span, Time};

/// Longest chain of those who act for each other.
pub const MAX_ACTORS: usize = 4;
/// Most keys that a token rests upon beside its own: one of its client, two for each exchange.
const MAX_PROVED_BY: usize = 2 * MAX_ACTORS + 1;

/// Who calls, through which client, and what they may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenBearer {
    /// The token's id.
    pub id: TokenId,
    /// In whose name: a person's opaque id, or the client's own.
    pub subject: String,
    /// The client that it was made for.
    pub client: ClientId,
    /// Who acts for the subject, the current actor first (RFC 8693 §4.1: only that one counts).
    pub act: Vec<String>,
    /// Who may act for the subject next.
    pub may_act: Option<ClientId>,
    /// What is allowed.
    pub details: Vec<Trading>,
    /// How well the person was known.
    pub acr: Option<Acr>,
    /// When the person logged in.
    pub auth_time: Option<Time>,
    /// By what, in the names of RFC 8176; none for a client's own.
    pub amr: Vec<String>,
    /// When it was made.
    pub issued: Time,
    /// When it ends.
    pub until: Time,
    /// What it is bound to.
    pub bound_to: Confirmation,
    /// By which keys or certificates its client proved itself for it, and what the token that it was exchanged
    /// for was bound to and got by: with each of them it ends.
    pub proved_by: Vec<Thumbprint>,
    /// Under which grant it was made, if a person's.
    pub grant: Option<GrantId>,
}

/// How far our own clock may go back.
const LEEWAY: Span = Span::from_secs(15);

impl TokenBearer {
    /// The token that `text` is, by one of `keys`, from `issuer` for `audience`.
    pub fn verify(
        text: &str,
        keys: &Keys,
        issuer: &str,
        audience: &str,
        now: Time,
    ) -> Option<TokenBearer> {
        let claims = keys.verify(text, Typ::AccessToken, now).ok()?;
        let ours = claims.text("iss") == Some(issuer) && claims.text("aud") == Some(audience);
        let bearer = TokenBearer::from_claims(&claims)?;
        let begun = claims.time("nbf").ok()?.is_none_or(|from| from <= now);
        let timely = now < bearer.until && bearer.issued <= now.plus(LEEWAY) && begun;
        (ours && timely).then_some(bearer)
    }

    /// The claims, to be signed.
    pub(crate) fn to_claims(&self, issuer: &str, audience: &str) -> Value {
        let mut claims = json!({
            "iss": issuer,
            "aud": audience,
            "sub": self.subject,
            "client_id": self.client.as_str(),
            "jti": self.id.to_string(),
            "iat": seconds(self.issued),
            "exp": seconds(self.until),
            "cnf": self.bound_to.to_json(),
            "authorization_details": show::to_value(&self.details),
        });
        let Some(object) = claims.as_object_mut() else { return claims };
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        };
        put("acr", self.acr.map(|acr| acr.name().into()));
        put("auth_time", self.auth_time.map(|time| seconds(time).into()));
        put("amr", (!self.amr.is_empty()).then(|| self.amr.as_slice().into()));
        put("act", actors(&self.act));
        put("may_act", self.may_act.as_ref().map(|client| json!({ "sub": client.as_str() })));
        let proved_by = self.proved_by.iter().map(|key| Value::from(key.to_string())).collect();
        put("proved_by", (!self.proved_by.is_empty()).then_some(Value::Array(proved_by)));
        put("grant_id", self.grant.map(|grant| grant.to_string().into()));
        claims
    }

    fn from_claims(claims: &Object) -> Option<TokenBearer> {
        let grant = match claims.get("grant_id") {
            None => None,
            Some(grant) => Some(GrantId::parse(grant.as_str()?)?),
        };
        let may_act = match claims.get("may_act") {
            None => None,
            Some(may) => Some(ClientId::new(may.get("sub")?.as_str()?).ok()?),
        };
        let acr = match claims.get("acr") {
            None => None,
            Some(acr) => Some(Acr::named(acr.as_str()?)?),
        };
        let amr = match claims.get("amr") {
            None => Vec::new(),
            Some(amr) => {
                let names = amr.as_array()?.iter().map(|name| name.as_str().map(str::to_owned));
                names.collect::<Option<_>>()?
            }
        };
        let proved_by = match claims.get("proved_by") {
            None => Vec::new(),
            Some(keys) => {
                let keys = keys.as_array().filter(|keys| keys.len() <= MAX_PROVED_BY)?;
                let read = keys.iter().map(|key| key.as_str().and_then(Thumbprint::parse));
                read.collect::<Option<_>>()?
            }
        };
        Some(TokenBearer {
            id: TokenId::parse(claims.text("jti")?)?,
            subject: claims.text("sub")?.to_owned(),
            client: ClientId::new(claims.text("client_id")?).ok()?,
            act: read_actors(claims.get("act"))?,
            may_act,
            details: read::from_value(claims.get("authorization_details")?).ok()?,
            acr,
            auth_time: claims.time("auth_time").ok()?,
            amr,
            issued: claims.time("iat").ok()??,
            until: claims.time("exp").ok()??,
            bound_to: Confirmation::from_json(claims.get("cnf")?)?,
            proved_by,
            grant,
        })
    }
}

impl Confirmation {
    /// The `cnf` claim.
    pub fn to_json(self) -> Value {
        match self {
            Confirmation::Key { jkt } => json!({ "jkt": jkt.to_string() }),
            Confirmation::Certificate { x5t } => json!({ "x5t#S256": x5t.to_string() }),
        }
    }

    fn from_json(value: &Value) -> Option<Confirmation> {
        let print = |name| value.get(name).map(|v| v.as_str().and_then(Thumbprint::parse));
        match (print("jkt"), print("x5t#S256")) {
            (Some(jkt), None) => jkt.map(|jkt| Confirmation::Key { jkt }),
            (None, Some(x5t)) => x5t.map(|x5t| Confirmation::Certificate { x5t }),
            _ => None,
        }
    }
}

fn actors(chain: &[String]) -> Option<Value> {
    chain.iter().rev().fold(None, |inner, actor| {
        let mut act = json!({ "sub": actor });
        if let (Some(object), Some(inner)) = (act.as_object_mut(), inner) {
            object.insert("act".to_owned(), inner);
        }
        Some(act)
    })
}

fn read_actors(claim: Option<&Value>) -> Option<Vec<String>> {
    let (mut chain, mut next) = (Vec::new(), claim);
    while let Some(act) = next {
        chain.push(act.get("sub")?.as_str()?.to_owned());
        if chain.len() > MAX_ACTORS {
            return None;
        }
        next = act.get("act");
    }
    Some(chain)
}
