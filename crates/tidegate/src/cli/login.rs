//! `tidegate login`: a person grants this machine a token, on a page elsewhere (RFC 8628), and takes it back with
//! `tidegate logout` (RFC 7009).

mod ask;
mod place;

pub use ask::{Session, oauth_error, trouble};
pub use place::Place;

use super::args::{Common, Login, LoginNew, Logout};
use super::output::{Failure, Progress, print, say};
use super::run::runtime;
use super::status::{now_ms, span};
use place::{Granted, Known};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;
use tidegate_identity::oauth::metadata::path;
use tidegate_server::folder::DataFolder;

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long to wait between questions where the gateway says nothing of it, and how much longer when it says that it
/// is asked too often (RFC 8628 §3.5).
const INTERVAL: u64 = 5;

/// `tidegate login`
pub fn login(common: &Common, args: &Login) -> Result<(), Failure> {
    if args.status {
        return status(common, args.url.as_deref());
    }
    let url = args.url.as_deref().or(common.url.as_deref());
    let place = match url {
        Some(url) => Place::of(url)?,
        None => Place::last()?,
    };
    let known = known(&place, url, &args.new)?;
    if let Some(ca) = args.new.ca.clone().or_else(|| folder_ca(common, &place)) {
        place.keep_ca(&ca)?;
    }
    runtime()?.block_on(enter(common, &place, known, &args.new))
}

/// `tidegate logout`
pub fn logout(common: &Common, args: &Logout) -> Result<(), Failure> {
    let place = Place::named(args.url.as_deref().or(common.url.as_deref()))?;
    let mut known = place.known()?;
    let Some(granted) = known.granted.take() else {
        let text = format!("not logged in at {}", known.gateway);
        print(common.json, &json!({"gateway": known.gateway, "logged_in": false}), &text);
        return Ok(());
    };
    let token = granted.refresh.as_deref().unwrap_or(&granted.access).to_owned();
    let revoke = async {
        let mut session = Session::open(&place, &known)?;
        let asked = session.app.ask(path::REVOKE, &[("token", token.as_str())]).await;
        asked.map_err(|error| trouble(&known.gateway, &error))
    };
    match runtime()?.block_on(revoke)? {
        (200, _) => {}
        (_, said) => return Err(oauth_error(&said, &known.gateway)),
    }
    place.keep(&known)?;
    let text = format!("logged out of {}: the tokens are revoked", known.gateway);
    print(common.json, &json!({"gateway": known.gateway, "logged_in": false}), &text);
    Ok(())
}

/// What is asked for: what the command line says, and else what was asked for the last time.
fn known(place: &Place, url: Option<&str>, new: &LoginNew) -> Result<Known, Failure> {
    let before = place.known().ok();
    let asked = match (&new.details, new.accounts.as_slice()) {
        (Some(file), _) => Some(super::apps::json(file)?),
        (None, []) => before.as_ref().map(|known| known.details.clone()),
        (None, accounts) => {
            let items = accounts.iter().map(|account| item(account, new));
            Some(items.collect::<Result<Vec<_>, _>>()?.into())
        }
    };
    let details = asked.ok_or_else(|| {
        Failure::usage(
            "what this machine may do there has to be asked for",
            "name an account with --account VENUE/ACCOUNT; it is read alone unless --max-order and \
             --max-open are given",
        )
    })?;
    let gateway = url.map(|url| url.trim_end_matches('/').to_owned());
    let gateway = gateway.or_else(|| before.as_ref().map(|known| known.gateway.clone()));
    let app = new.app.clone().or_else(|| before.as_ref().map(|known| known.app.clone()));
    Ok(Known {
        gateway: gateway.unwrap_or_default(),
        app: app.unwrap_or_else(usual_name),
        details,
        granted: before.and_then(|known| known.granted),
    })
}

/// An account as `authorization_details` name it.
fn item(account: &str, new: &LoginNew) -> Result<Value, Failure> {
    let (venue, account) = account.split_once('/').ok_or_else(|| {
        Failure::usage(
            format!("{account} is not VENUE/ACCOUNT"),
            "write it as binance/main, the account as the desk calls it",
        )
    })?;
    let mut item = json!({
        "type": "tidegate_trading", "venue": venue, "account": account, "instruments": new.instruments,
    });
    let more = match (&new.max_order, &new.max_open) {
        (Some(order), Some(open)) => json!({
            "sides": new.sides,
            "order_types": new.order_types.iter().map(|kind| kind.replace('-', "_")).collect::<Vec<_>>(),
            "max_order": { "notional": order }, "max_open_notional": open,
        }),
        _ => json!({ "read_only": true }),
    };
    if let (Some(item), Value::Object(more)) = (item.as_object_mut(), more) {
        item.extend(more);
    }
    Ok(item)
}

fn usual_name() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten();
    format!("cli-{}", user.map_or_else(|| nix::unistd::getuid().to_string(), |user| user.name))
}

/// The certificate authority in the data folder, where nothing is known of the gateway yet.
fn folder_ca(common: &Common, place: &Place) -> Option<std::path::PathBuf> {
    if place.ca().is_some() {
        return None;
    }
    let dir = super::reach::data_dir(common).ok()?;
    Some(DataFolder::new(dir).ca()).filter(|path| path.exists())
}

async fn enter(
    common: &Common,
    place: &Place,
    mut known: Known,
    new: &LoginNew,
) -> Result<(), Failure> {
    let mut session = Session::open(place, &known)?;
    session.check_address().await?;
    place.keep(&known)?;
    place.make_last()?;
    let details = known.details.to_string();
    let age = new.max_age.map(|age| age.to_string());
    let mut fields = vec![("authorization_details", details.as_str())];
    fields.extend(new.acr.as_deref().map(|acr| ("acr_values", acr)));
    fields.extend(age.as_deref().map(|age| ("max_age", age)));
    let asked = session.app.ask(path::DEVICE, &fields).await;
    let said = match asked.map_err(|error| trouble(&known.gateway, &error))? {
        (200, said) => said,
        (_, said) if said.get("error").is_some_and(|error| error == "invalid_client") => {
            return Err(not_registered(place, &known));
        }
        (_, said) => return Err(oauth_error(&said, &known.gateway)),
    };
    let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
    // Who drives this by a script reads it, too.
    if common.json {
        let told = json!({"user_code": text("user_code"), "verification_uri": text("verification_uri"),
            "expires_in": said.get("expires_in")});
        say(&told.to_string());
    } else {
        say(&format!(
            "Open  {}\nand type  {}\nWho logs in there sees what {} asks for, and says yes or no.",
            text("verification_uri"),
            text("user_code"),
            known.app
        ));
    }
    let given = wait(&mut session, common, &known, &said).await?;
    let granted = Granted::read(&given, None).ok_or_else(|| unreadable(&known.gateway))?;
    let before = known.granted.replace(granted);
    place.keep(&known)?;
    if let Some(refresh) = before.and_then(|before| before.refresh) {
        // What it takes the place of is worth nothing without this machine's key, and lapses if this fails.
        let _ = session.app.ask(path::REVOKE, &[("token", refresh.as_str())]).await;
    }
    let object = told(&known);
    print(common.json, &object, &format!("logged in\n{}", shown(&object)));
    Ok(())
}

/// Asks until the person has decided.
async fn wait(
    session: &mut Session,
    common: &Common,
    known: &Known,
    said: &Value,
) -> Result<Value, Failure> {
    let number = |name: &str| said.get(name).and_then(Value::as_u64);
    let code = said.get("device_code").and_then(Value::as_str).unwrap_or_default();
    let mut interval = number("interval").unwrap_or(INTERVAL);
    let fields = [("grant_type", DEVICE_GRANT), ("device_code", code)];
    let end = now_ms() + number("expires_in").unwrap_or(0) * 1000;
    let mut progress = Progress::default();
    loop {
        tokio::time::sleep(Duration::from_secs(interval)).await;
        // What is asked once more after an answer that was lost is refused; nothing is lost by it.
        let answer = session.app.ask(path::TOKEN, &fields).await;
        let (status, said) = answer.map_err(|error| trouble(&known.gateway, &error))?;
        match said.get("error").and_then(Value::as_str) {
            None if status == 200 => return Ok(said),
            Some("authorization_pending") => {}
            Some("slow_down") => interval += INTERVAL,
            _ => return Err(oauth_error(&said, &known.gateway)),
        }
        if !common.json {
            let left = span(end.saturating_sub(now_ms()) / 1000);
            progress.show(&format!("waiting for a yes; {left} left"));
        }
    }
}

/// Says what an administrator does, word for word.
fn not_registered(place: &Place, known: &Known) -> Failure {
    let app = &known.app;
    let (file, jwks) = match place.publish_key(app) {
        Ok(published) => published,
        Err(failure) => return failure,
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let accounts = known.details.as_array().into_iter().flatten();
    let accounts = accounts.filter_map(|item| item.get("account")?.as_str());
    let mut commands = vec![format!("tidegate caller add {app}")];
    commands.extend(accounts.map(|account| match known.trades() {
        true => format!("tidegate grant set {app} --account {account} --max-order … --max-open …"),
        false => format!("tidegate grant set {app} --account {account} --read-only"),
    }));
    commands.push(format!(
        "tidegate app add {app} --title \"The command line of {app}\" --jwks {name} --grants \
         device_code,refresh_token"
    ));
    let mut message = format!(
        "{} does not know {app} by the key of this machine; at the gateway, an administrator and somebody of \
         risk run\n",
        known.gateway
    );
    for command in &commands {
        let _ = writeln!(message, "  {command}");
    }
    let _ = write!(
        message,
        "with {} in {name}, which holds public keys alone:\n  {jwks}\nand the trader who is to say yes owns {app}",
        file.display()
    );
    let hint = "log in again after that";
    Failure {
        more: Some(Box::new(json!({"register": {"app": app, "commands": commands, "jwks": jwks,
            "jwks_file": file}}))),
        ..Failure::new("not-registered", message, hint)
    }
}

fn unreadable(gateway: &str) -> Failure {
    Failure::new(
        "version",
        format!("{gateway} answers what cannot be read"),
        "use its own version of this command",
    )
}

/// `tidegate login --status`: what the gateways say of the tokens that are kept.
fn status(common: &Common, url: Option<&str>) -> Result<(), Failure> {
    let places = match url.or(common.url.as_deref()) {
        Some(url) => vec![Place::of(url)?],
        None => Place::all()?,
    };
    let runtime = runtime()?;
    let mut logins = Vec::new();
    for place in places {
        let mut known = place.known()?;
        let looked = runtime.block_on(look(&place, &mut known));
        let mut object = told(&known);
        if let (Err(failure), Some(object)) = (looked, object.as_object_mut()) {
            object.insert("unknown".into(), failure.message.into());
        }
        logins.push(object);
    }
    let text: Vec<String> = logins.iter().map(shown).collect();
    let text = if text.is_empty() { "not logged in anywhere".to_owned() } else { text.join("\n") };
    print(common.json, &json!({ "logins": logins }), &text);
    Ok(())
}

/// Asks the gateway about the token, and forgets one that is in force no more.
async fn look(place: &Place, known: &mut Known) -> Result<(), Failure> {
    if known.granted.is_none() {
        return Ok(());
    }
    let mut session = Session::open(place, known)?;
    match session.token(place, known).await {
        Ok(_) => {}
        Err(failure) if failure.code == "not-logged-in" => return Ok(()),
        Err(failure) => return Err(failure),
    }
    if !session.is_in_force(known).await? {
        known.granted = None;
        place.keep(known)?;
    }
    Ok(())
}

/// A login, without what opens anything.
fn told(known: &Known) -> Value {
    let granted = known.granted.as_ref();
    json!({
        "gateway": known.gateway, "app": known.app, "logged_in": granted.is_some(),
        "token_until_ms": granted.map(|granted| granted.until_ms),
        "refreshes": granted.is_some_and(|granted| granted.refresh.is_some()),
        "authorization_details": granted.map_or(&known.details, |granted| &granted.details),
    })
}

fn shown(told: &Value) -> String {
    let text = |name: &str| told.get(name).and_then(Value::as_str);
    let head =
        format!("{} as {}", text("gateway").unwrap_or_default(), text("app").unwrap_or_default());
    if told.get("logged_in").and_then(Value::as_bool) != Some(true) {
        return format!("{head}: not logged in");
    }
    let until = told.get("token_until_ms").and_then(Value::as_u64).unwrap_or(0);
    let left = span(until.saturating_sub(now_ms()) / 1000);
    let renewed = match told.get("refreshes").and_then(Value::as_bool) {
        Some(true) => ", renewed by itself",
        _ => "",
    };
    let mut out = format!("{head}: logged in, the token ends in {left}{renewed}");
    if let Some(why) = text("unknown") {
        let _ = write!(out, "\n  whether the gateway still says so is unknown: {why}");
    }
    let details = told.get("authorization_details").and_then(Value::as_array);
    for item in details.into_iter().flatten() {
        let _ = write!(out, "\n  {item}");
    }
    out
}
