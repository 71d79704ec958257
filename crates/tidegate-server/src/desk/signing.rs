//! What the desk needs of the signer, and how it hears from it.

use super::Desk;
use crate::oplog;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tidegate_core::event::Event;
use tidegate_types::call::{Call, CallBody, Warrant};
use tidegate_types::ids::AccountName;
use tidegate_types::proof::Signed;
use tidegate_types::reject::Reject;
use tidegate_vault::SignerClient;
use tidegate_vault::client::SignerNews;
use tidegate_vault::signer::protocol::SignAs;
use tidegate_vault::store::VenueKeyInfo;
use tokio::sync::{mpsc, watch};

/// Most news that are told the core in one turn.
const BATCH: usize = 256;

/// Signs calls in another process.
pub trait Signer: Send + Sync {
    /// Asks for a signature by this key of the account. Calls reach the signer in the order of
    /// these calls; the answer comes as news.
    fn sign(&self, call: Call, warrant: Warrant, by: SignAs);

    /// The same of a read or session call.
    fn sign_unrecorded(
        &self,
        account: AccountName,
        body: CallBody,
        by: SignAs,
    ) -> BoxFuture<'_, Result<Signed, Reject>>;
}

impl Signer for SignerClient {
    fn sign(&self, call: Call, warrant: Warrant, by: SignAs) {
        SignerClient::sign(self, call, warrant, by);
    }

    fn sign_unrecorded(
        &self,
        account: AccountName,
        body: CallBody,
        by: SignAs,
    ) -> BoxFuture<'_, Result<Signed, Reject>> {
        Box::pin(SignerClient::sign_unrecorded(self, account, body, by))
    }
}

impl Desk {
    /// Tells the core what the signer did, until the signer is gone; `keys` follows which keys it
    /// holds.
    pub async fn hear_signer(
        self: Arc<Desk>,
        mut news: mpsc::UnboundedReceiver<SignerNews>,
        keys: Arc<watch::Sender<Vec<VenueKeyInfo>>>,
    ) {
        let mut batch = Vec::with_capacity(BATCH);
        while news.recv_many(&mut batch, BATCH).await > 0 {
            self.turn(|inner, now| {
                for news in batch.drain(..) {
                    let event = match news {
                        SignerNews::Signed(proof) => {
                            inner.note_signed(proof.call(), &self.measures.signer);
                            Event::Signed { proof }
                        }
                        SignerNews::Refused { call, reject } => {
                            inner.forget(call);
                            Event::NotSent { call, reject }
                        }
                        SignerNews::Up(ready) => {
                            let lacks = ready.limits.missing();
                            oplog::info("signer-up", &[("pid", &ready.pid)]);
                            self.set_signer_lacks(lacks);
                            keys.send_replace(ready.keys.clone());
                            continue;
                        }
                        // Everything it was asked is refused one by one.
                        SignerNews::Down { why, gone } => {
                            match gone {
                                true => oplog::alarm("signer-gone", &[("why", &why)]),
                                false => oplog::warn("signer-down", &[("why", &why)]),
                            }
                            continue;
                        }
                    };
                    inner.handle(event, now);
                }
            });
        }
    }
}
