//! What is done in the data folder now and then, on the thread that looks at its disk.

use super::place;
use crate::edge::tls::Certificate;
use crate::folder::DataFolder;
use crate::oplog::{self, Repeated};
use crate::setup::renew_certificate;
use crate::syslog;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it is looked whether the listeners' certificate is due or was replaced.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(10);

/// Touches the folder, so that it knows when it was in use last, keeps the certificate fresh, and has the
/// collector told of checkpoints.
pub(super) fn upkeep(
    certificate: Option<Arc<Certificate>>,
    names: Vec<String>,
) -> impl FnMut(&DataFolder) + Send + 'static {
    let mut touched = Instant::now();
    let mut looked = Instant::now();
    let mut checkpoints = syslog::checkpoints();
    let mut trouble = Repeated::default();
    move |folder| {
        if touched.elapsed() >= place::TOUCH_EVERY {
            // What cannot be touched cannot be written either, and of that the journal tells.
            let _ = place::touch(folder);
            touched = Instant::now();
        }
        checkpoints(folder);
        if let Some(certificate) = &certificate
            && looked.elapsed() >= CERTIFICATE_EVERY
        {
            looked = Instant::now();
            keep_fresh(certificate, folder, &names, &mut trouble);
        }
    }
}

/// Makes the gateway's own certificate anew when it is due, and reads whatever lies there now.
fn keep_fresh(
    certificate: &Certificate,
    folder: &DataFolder,
    names: &[String],
    trouble: &mut Repeated,
) {
    let renewed = renew_certificate(folder, names).map_err(|e| e.to_string());
    let read = certificate.read_again().map_err(|e| e.to_string());
    match renewed.and(read) {
        Ok(true) => {
            trouble.over();
            oplog::info("certificate-read", &[("file", &folder.chain().display())]);
        }
        Ok(false) => {
            trouble.over();
        }
        Err(why) => {
            if trouble.is_news(&why) {
                let hint = "the one before is shown until its end";
                oplog::alarm("certificate-not-replaced", &[("why", &why), ("hint", &hint)]);
            }
        }
    }
}
