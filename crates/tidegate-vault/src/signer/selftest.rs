//! Trying what must not be possible.

use super::protocol::SelfTest;

/// Tries it; the system's refusal, or `None` when it was possible.
pub(super) fn attempt(test: SelfTest) -> Option<String> {
    match test {
        SelfTest::OpenFile => std::fs::File::open("/proc/self/status").err(),
        SelfTest::MakeSocket => std::net::UdpSocket::bind(("127.0.0.1", 0)).err(),
        SelfTest::RunProgram => std::process::Command::new("/bin/true").spawn().err(),
    }
    .map(|error| error.to_string())
}
