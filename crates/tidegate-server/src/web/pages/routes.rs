//! Every route of the console in one table.

use super::reports::REPORTS;
use crate::people::ANSWER_PAGE;
use crate::web::oauth::{CONSENT_PAGE, DEVICE_PAGE};
use tidegate_types::request::{Method, RawRequest};

/// A route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    /// `{id}` stands for a number.
    pub(super) path: &'static str,
    pub(super) needs: Needs,
    pub(super) serve: Serve,
    /// A script asks, and reads JSON.
    pub(super) json: bool,
}

/// What a request must have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Needs {
    /// Nothing.
    Nothing,
    /// The cookie of a login page, and its token.
    Browser,
    /// A link that an administrator gave out.
    Link,
    /// A session and, to change something, its token.
    Session,
    /// What the outside provider signed: no browser sends it.
    Provider,
    /// Nothing: a browser reports by itself what broke a page's policy.
    Report,
}

/// What a route does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Serve {
    Root,
    Asset,
    LogIn,
    LogInOptions,
    LogInPasskey,
    LogInPassword,
    Code,
    CodeSent,
    LogOut,
    EnrolEntry,
    Enrol,
    EnrolOptions,
    EnrolPasskey,
    EnrolPassword,
    Live,
    StepUpOptions,
    StepUp,
    Home,
    Approvals,
    Approval,
    ApproveOptions,
    Approve,
    Deny,
    Halts,
    Lift,
    BreakerHalfOpen,
    BreakerClose,
    Access,
    Sessions,
    SessionEnd,
    Security,
    NewPasskeyOptions,
    NewPasskey,
    RemovePasskey,
    SetPassword,
    OutsideLogIn,
    OutsideAnswer,
    OutsideReturn,
    OutsideEnrol,
    OutsideLink,
    OutsideUnlink,
    OutsideKeys,
    OutsideLogOut,
    NamePasskey,
    ReadNotices,
    Limits,
    LimitsForm,
    LimitsSet,
    GrantForm,
    GrantSet,
    GrantRemove,
    Share,
    Unshare,
    KeyRevoke,
    KeyRotate,
    Apps,
    AppRevoke,
    AppGrantRevoke,
    AppKeyRevoke,
    People,
    PersonInvite,
    PersonLogout,
    ConsentEntry,
    Consent,
    ConsentOptions,
    ConsentPasskey,
    ConsentApprove,
    ConsentDeny,
    DeviceEntry,
    Device,
    DeviceTyped,
    DeviceOptions,
    DevicePasskey,
    DeviceApprove,
    DeviceDeny,
    Report,
}

/// All of them.
#[rustfmt::skip]
pub(super) const ROUTES: &[Route] = &[
    get("/", Needs::Nothing, Serve::Root),
    get("/console", Needs::Nothing, Serve::Root),
    get("/console/assets/icon.svg", Needs::Nothing, Serve::Asset),
    get("/console/assets/style.css", Needs::Nothing, Serve::Asset),
    get("/console/assets/passkey.js", Needs::Nothing, Serve::Asset),
    get("/console/assets/live.js", Needs::Nothing, Serve::Asset),
    get("/console/assets/link.js", Needs::Nothing, Serve::Asset),
    get("/console/login", Needs::Nothing, Serve::LogIn),
    ask("/console/login/options", Needs::Browser, Serve::LogInOptions),
    ask("/console/login/passkey", Needs::Browser, Serve::LogInPasskey),
    post("/console/login/password", Needs::Browser, Serve::LogInPassword),
    get("/console/login/code", Needs::Session, Serve::Code),
    post("/console/login/code", Needs::Session, Serve::CodeSent),
    post("/console/logout", Needs::Session, Serve::LogOut),
    get("/console/enrol", Needs::Nothing, Serve::EnrolEntry),
    post("/console/enrol", Needs::Link, Serve::Enrol),
    ask("/console/enrol/options", Needs::Link, Serve::EnrolOptions),
    ask("/console/enrol/passkey", Needs::Link, Serve::EnrolPasskey),
    post("/console/enrol/password", Needs::Link, Serve::EnrolPassword),
    Route { json: true, ..get("/console/live", Needs::Session, Serve::Live) },
    ask("/console/step-up/options", Needs::Session, Serve::StepUpOptions),
    ask("/console/step-up", Needs::Session, Serve::StepUp),
    get("/console/", Needs::Session, Serve::Home),
    get("/console/approvals", Needs::Session, Serve::Approvals),
    get("/console/approvals/{id}", Needs::Session, Serve::Approval),
    ask("/console/approvals/{id}/options", Needs::Session, Serve::ApproveOptions),
    ask("/console/approvals/{id}/approve", Needs::Session, Serve::Approve),
    post("/console/approvals/{id}/deny", Needs::Session, Serve::Deny),
    get("/console/halts", Needs::Session, Serve::Halts),
    post("/console/halts/lift", Needs::Session, Serve::Lift),
    post("/console/breakers/half-open", Needs::Session, Serve::BreakerHalfOpen),
    post("/console/breakers/close", Needs::Session, Serve::BreakerClose),
    get("/console/access", Needs::Session, Serve::Access),
    post("/console/access/revoke", Needs::Session, Serve::KeyRevoke),
    post("/console/access/rotate", Needs::Session, Serve::KeyRotate),
    get("/console/access/grant", Needs::Session, Serve::GrantForm),
    post("/console/access/grant", Needs::Session, Serve::GrantSet),
    post("/console/access/grant/remove", Needs::Session, Serve::GrantRemove),
    post("/console/access/share", Needs::Session, Serve::Share),
    post("/console/access/unshare", Needs::Session, Serve::Unshare),
    get("/console/limits", Needs::Session, Serve::Limits),
    get("/console/limits/change", Needs::Session, Serve::LimitsForm),
    post("/console/limits/change", Needs::Session, Serve::LimitsSet),
    get("/console/apps", Needs::Session, Serve::Apps),
    post("/console/apps/revoke", Needs::Session, Serve::AppRevoke),
    post("/console/apps/grant", Needs::Session, Serve::AppGrantRevoke),
    post("/console/apps/key", Needs::Session, Serve::AppKeyRevoke),
    get("/console/people", Needs::Session, Serve::People),
    post("/console/people/invite", Needs::Session, Serve::PersonInvite),
    post("/console/people/logout", Needs::Session, Serve::PersonLogout),
    get("/console/sessions", Needs::Session, Serve::Sessions),
    post("/console/sessions/end", Needs::Session, Serve::SessionEnd),
    get("/console/security", Needs::Session, Serve::Security),
    ask("/console/security/options", Needs::Session, Serve::NewPasskeyOptions),
    ask("/console/security/passkey", Needs::Session, Serve::NewPasskey),
    post("/console/security/remove", Needs::Session, Serve::RemovePasskey),
    post("/console/security/password", Needs::Session, Serve::SetPassword),
    post("/console/login/outside", Needs::Browser, Serve::OutsideLogIn),
    get(ANSWER_PAGE, Needs::Nothing, Serve::OutsideAnswer),
    get("/console/login/outside/return", Needs::Nothing, Serve::OutsideReturn),
    post("/console/enrol/outside", Needs::Link, Serve::OutsideEnrol),
    post("/console/security/outside", Needs::Session, Serve::OutsideLink),
    post("/console/security/outside/remove", Needs::Session, Serve::OutsideUnlink),
    Route { json: true, ..get("/console/outside/jwks.json", Needs::Nothing, Serve::OutsideKeys) },
    ask("/console/outside/logout", Needs::Provider, Serve::OutsideLogOut),
    post("/console/security/name", Needs::Session, Serve::NamePasskey),
    post("/console/security/read", Needs::Session, Serve::ReadNotices),
    get(CONSENT_PAGE, Needs::Nothing, Serve::ConsentEntry),
    get("/console/consent", Needs::Session, Serve::Consent),
    ask("/console/consent/options", Needs::Session, Serve::ConsentOptions),
    ask("/console/consent/passkey", Needs::Session, Serve::ConsentPasskey),
    post("/console/consent/approve", Needs::Session, Serve::ConsentApprove),
    post("/console/consent/deny", Needs::Session, Serve::ConsentDeny),
    get(DEVICE_PAGE, Needs::Nothing, Serve::DeviceEntry),
    get("/console/device", Needs::Session, Serve::Device),
    post("/console/device", Needs::Session, Serve::DeviceTyped),
    ask("/console/device/options", Needs::Session, Serve::DeviceOptions),
    ask("/console/device/passkey", Needs::Session, Serve::DevicePasskey),
    post("/console/device/approve", Needs::Session, Serve::DeviceApprove),
    post("/console/device/deny", Needs::Session, Serve::DeviceDeny),
    ask(REPORTS, Needs::Report, Serve::Report),
];

const fn get(path: &'static str, needs: Needs, serve: Serve) -> Route {
    Route { method: Method::Get, path, needs, serve, json: false }
}

const fn post(path: &'static str, needs: Needs, serve: Serve) -> Route {
    Route { method: Method::Post, path, needs, serve, json: false }
}

const fn ask(path: &'static str, needs: Needs, serve: Serve) -> Route {
    Route { method: Method::Post, path, needs, serve, json: true }
}

/// The route of a request, and its number; the status to refuse it with where there is none.
pub(super) fn find(request: &RawRequest) -> Result<(&'static Route, u64), u16> {
    let mut status = 404;
    for route in ROUTES {
        let Some(number) = matches(route.path, &request.path) else { continue };
        if route.method == request.method {
            return Ok((route, number));
        }
        status = 405;
    }
    Err(status)
}

fn matches(pattern: &str, path: &str) -> Option<u64> {
    let Some((before, after)) = pattern.split_once("{id}") else {
        return (pattern == path).then_some(0);
    };
    let digits = path.strip_prefix(before)?.strip_suffix(after)?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}
