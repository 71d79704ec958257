//! Who may do what: callers and their keys, people, apps, approvals.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// How many people it takes to loosen something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Approvals {
    /// One.
    One,
    /// Two.
    Two,
}

#[derive(Subcommand, Debug)]
pub enum Caller {
    /// Add a caller
    Add {
        /// Its name.
        caller: String,
    },
    /// Let a person of the desk read a caller of yours: its orders, grants and limits
    Share {
        /// Which caller.
        caller: String,
        /// Who.
        person: String,
    },
    /// Have a person read a caller no more, at once
    Unshare {
        /// Which caller.
        caller: String,
        /// Who.
        person: String,
    },
    /// Make a virtual key for a caller; the secret is shown once
    Key {
        /// Whose.
        caller: String,
        /// The account it trades.
        #[arg(long)]
        account: String,
        /// Bind to this Ed25519 or RSA public key (PEM file) instead of making a shared secret.
        #[arg(long)]
        public_key: Option<PathBuf>,
        /// Good from this network only, as 10.0.0.0/8 or one address; may be given several times.
        #[arg(long, value_name = "NETWORK")]
        from: Vec<String>,
        /// Good only over connections that show this TLS client certificate (PEM file).
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
        /// When it ends, as 2026-12-31T17:00:00Z.
        #[arg(long)]
        until: Option<String>,
    },
    /// Make a key in the place of another one; both are good for a while
    Rotate {
        /// The key that is replaced.
        key: String,
        /// For how many hours it is good beside the new one.
        #[arg(long, default_value_t = 24)]
        overlap_h: u64,
        /// When the new key ends, as 2026-12-31T17:00:00Z; needed where the old one ends.
        #[arg(long)]
        until: Option<String>,
        /// The new public key (PEM file), where the old key has one.
        #[arg(long)]
        public_key: Option<PathBuf>,
    },
    /// List the virtual keys: whose, how they sign, from where, until when, last used
    Keys,
    /// Revoke a virtual key
    Revoke {
        /// Its id.
        key: String,
    },
}

#[derive(Subcommand, Debug)]
pub enum Person {
    /// Add a person, or set all of its roles and callers anew
    Set {
        /// Who.
        person: String,
        /// What it is there for: trader, risk, approver, admin, auditor.
        #[arg(long, value_delimiter = ',', required = true)]
        roles: Vec<String>,
        /// The callers that are its own: it may stop them, and never loosen anything for them.
        #[arg(long, value_delimiter = ',')]
        owns: Vec<String>,
        /// Callers of others that it may look at.
        #[arg(long, value_delimiter = ',')]
        reads: Vec<String>,
    },
    /// Make a link, once and for a day, by which a person enrols a passkey or a password in the console;
    /// what it logged in by before is void once the link is used
    Invite {
        /// Who.
        person: String,
    },
    /// Take away what a person logs in by, at once, with its sessions and what it granted to apps, and make a link
    /// to enrol anew, as `invite` does
    Reset {
        /// Who.
        person: String,
    },
    /// Where a person is logged in to the console, and what happened to what it logs in by
    Sessions {
        /// Who.
        person: String,
    },
    /// Log a person out of the console everywhere
    Logout {
        /// Who.
        person: String,
        /// Of one session alone, by its number.
        #[arg(long)]
        session: Option<u64>,
    },
    /// The outside logins that are linked with a person
    Linked {
        /// Who.
        person: String,
    },
    /// Unlink a person's outside logins, and end their sessions
    Unlink {
        /// Who.
        person: String,
        /// Those of this provider; else all of them.
        #[arg(long, value_name = "URL")]
        issuer: Option<String>,
    },
    /// Remove a person's passkey whose device is lost, and log the person out everywhere
    RemovePasskey {
        /// Whose.
        person: String,
        /// Which, as `person sessions` calls it.
        passkey: String,
    },
    /// Who you are here, and what you may do
    Me,
    /// Remove a person
    Remove {
        /// Who.
        person: String,
    },
    /// Who there is
    List,
}

#[derive(Subcommand, Debug)]
pub enum App {
    /// Register an app, or set all of its terms anew. It is the caller of the same name
    Add(AppAdd),
    /// Revoke an app for good, and with it its tokens
    Revoke {
        /// Which.
        app: String,
    },
    /// The apps, with their terms
    List,
    /// What people granted to apps and is in force
    Grants,
    /// Take back what a person granted to an app: the tokens under it are refused from then on
    RevokeGrant {
        /// Which, by its id in `tidegate app grants`.
        grant: String,
    },
    /// Put a key or certificate of apps out of force for good: tokens bound to it are refused, and no app
    /// proves itself by it
    RevokeKey {
        /// Its thumbprint (RFC 7638) or the certificate's digest, as the lists and the journal show it.
        thumbprint: String,
    },
}

#[derive(Args, Debug)]
pub struct AppAdd {
    /// The caller that it is; its client id has the same letters.
    pub app: String,
    /// What people read when they are asked for their consent.
    #[arg(long)]
    pub title: String,
    /// File with its public keys, a JWK set: PS256, ES256 or EdDSA. Its tokens are bound to keys (DPoP).
    #[arg(long, required_unless_present = "certificates", conflicts_with = "certificates")]
    pub jwks: Option<PathBuf>,
    /// Instead of keys, the TLS client certificate that it shows (PEM file); its tokens are bound to it. May
    /// be given several times, for one that follows another.
    #[arg(long = "certificate", value_name = "FILE")]
    pub certificates: Vec<PathBuf>,
    /// How it may ask for tokens: authorization_code, client_credentials, refresh_token, device_code,
    /// token_exchange.
    #[arg(long, value_delimiter = ',', default_value = "client_credentials")]
    pub grants: Vec<String>,
    /// Where people may be sent back to, letter by letter; for authorization_code.
    #[arg(long = "redirect-uri")]
    pub redirect_uris: Vec<String>,
    /// File with the authorization_details that no token of it may go beyond. Without one: what the caller's
    /// grants allow now.
    #[arg(long)]
    pub details: Option<PathBuf>,
    /// The app that may act in the name of the people who trust this one.
    #[arg(long)]
    pub delegate: Option<String>,
    /// It may ask about everybody's tokens, as a resource server does.
    #[arg(long)]
    pub introspects: bool,
    /// It must sign what it asks people for: what it pushes is a request object by a key of its own (RFC 9101).
    /// Without this it may.
    #[arg(long, requires = "jwks")]
    pub signs_requests: bool,
}

#[derive(Subcommand, Debug)]
pub enum ApprovalsCommand {
    /// Show one request, with its digest and what became of it
    Show {
        /// Which.
        id: u64,
    },
    /// How many people it takes to loosen something from now on. One person turns two on; it takes
    /// two to turn it off
    Set {
        /// How many.
        #[arg(value_enum)]
        approvals: Approvals,
    },
    /// By what people show from now on that they approve, and that they ask for what loosens. One person turns
    /// `passkey` on, once everybody concerned has one; turning it off loosens
    By {
        /// What.
        #[arg(value_enum)]
        approve_by: ApproveBy,
    },
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum ApproveBy {
    /// By whatever the door they come through shows.
    Any,
    /// By a passkey, in the console.
    Passkey,
}

#[derive(Args, Debug)]
pub struct Approve {
    /// Which request.
    pub id: u64,
    /// Approve only if this is its digest, as `tidegate approvals` showed it. Without it the request is
    /// shown on the terminal, and approved once you say yes; elsewhere it is needed.
    #[arg(long, value_name = "HEX")]
    pub digest: Option<String>,
}
