//! The keys that tokens are signed by: made at the first start, sealed beside the callers' secrets,
//! changed by time.

use super::Handle;
use crate::admin::Administration;
use crate::{clock, oplog};
use std::sync::Arc;
use std::time::Duration;
use tidegate_identity::oauth::authority::TOKEN_LIFETIMES;
use tidegate_identity::oauth::jose::KeptKeys;
use tidegate_types::codec::{from_bytes, to_bytes};
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};
use tidegate_vault::CallerSecrets;

/// How often it is looked whether another key is to sign.
const EVERY: Duration = Duration::from_secs(3600);
/// How long a key stays public that signs no more: its last token, and clocks that differ by a minute.
const OVERLAP: Span = Span::from_micros(TOKEN_LIFETIMES.1.micros() + 60_000_000);

/// The keys as the store has them: made if there are none, and changed when that is due.
///
/// # Errors
/// When the store cannot be read or written.
pub fn take_up(secrets: &mut CallerSecrets, now: Time) -> Result<KeptKeys, String> {
    let damaged = "the authorization server's keys are damaged";
    let kept = match secrets.authority().map_err(|e| e.to_string())? {
        Some(sealed) => {
            let kept: KeptKeys =
                from_bytes(sealed.expose()).map_err(|e| format!("{damaged}: {e}"))?;
            if !kept.is_due(now) {
                return Ok(kept);
            }
            let random = random::<32>()?;
            kept.rotated(&random, OVERLAP, now).map_err(|e| format!("{damaged}: {e}"))?
        }
        None => KeptKeys::new(&random::<64>()?, now),
    };
    secrets.put_authority(&Secret::new(to_bytes(&kept))).map_err(|e| e.to_string())?;
    Ok(kept)
}

/// Changes the keys as time goes on.
pub async fn keep_keys(handle: Arc<Handle>, admin: Arc<Administration>, mut kept: KeptKeys) {
    loop {
        tokio::time::sleep(EVERY).await;
        if !kept.is_due(clock::now()) {
            continue;
        }
        let taken = admin.with_secrets(|secrets| take_up(secrets, clock::now())).await;
        let changed = taken.map_err(|failure| failure.message).and_then(|fresh| {
            handle.set_keys(fresh.ready().map_err(|e| e.to_string())?);
            kept = fresh;
            Ok(())
        });
        match changed {
            Ok(()) => oplog::info("oauth-key-changed", &[]),
            Err(why) => oplog::warn("oauth-key-not-changed", &[("why", &why)]),
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| format!("no random numbers: {e}"))?;
    Ok(bytes)
}
