//! Work that may take long or never end, on threads of its own: the runtimes' threads would wait for
//! theirs when they stop, and a disk that hangs would hold up everybody else on them.

use std::io;
use std::time::Duration;
use tokio::sync::oneshot;

/// Does `work` to its end, whether or not somebody still waits for it: who asked for a change may go away
/// in the middle of it, and half of a change is none. `None` when the gateway stops meanwhile.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    tokio::spawn(work).await.ok()
}

/// Does `work` on a thread that nobody waits for who does not want to.
pub(crate) async fn aside<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (done, result) = oneshot::channel();
    let run = move || {
        // Nobody listens any more when it took too long.
        let _ = done.send(work());
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(run)?;
    result.await.map_err(|_| io::Error::other("it was cut short"))
}

/// The same, for what waits for the disk: given up when that does not answer.
pub(crate) async fn aside_within<T: Send + 'static>(
    patience: Duration,
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let silent = |_| io::Error::new(io::ErrorKind::TimedOut, "the disk does not answer");
    tokio::time::timeout(patience, aside(name, work)).await.map_err(silent)?
}
