//! Public streams that many sessions share. What a session says to the venue's public socket is taken
//! apart here, so that one subscription at the venue serves everybody who asks for the same stream.

use serde_json::Value;
use tidegate_types::call::WireRequest;
use tidegate_types::reject::Reject;
use tidegate_types::request::Reply;

/// What a session says to the venue's public socket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// It wants to be told these streams.
    Join {
        /// The id that the answer carries.
        id: Value,
        /// The venue's names of them.
        streams: Vec<String>,
    },
    /// It wants to be told these no more; `None`: any.
    Leave {
        /// The id that the answer carries.
        id: Value,
        /// The venue's names of them.
        streams: Option<Vec<String>>,
    },
    /// Something between the two ends of one socket, answered so.
    Here(String),
}

impl Said {
    /// About how many bytes it takes for as long as it waits.
    pub fn bytes(&self) -> usize {
        let all = |streams: &[String]| streams.iter().map(|name| name.len() + NAME_BYTES).sum();
        match self {
            Said::Join { streams, .. } | Said::Leave { streams: Some(streams), .. } => all(streams),
            Said::Leave { streams: None, .. } => 0,
            Said::Here(answer) => answer.len(),
        }
    }
}

/// What a name takes besides its letters.
const NAME_BYTES: usize = size_of::<String>() + 16;

/// What the venue says on a shared socket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// A message of this stream.
    News {
        /// The venue's name of it.
        stream: String,
    },
    /// The answer to `begin` or `end` with this id.
    Answer {
        /// Which.
        id: u64,
        /// What it took.
        taken: Taken,
    },
    /// It wants to hear this at once.
    Say(String),
    /// Nothing that matters.
    Nothing,
}

/// Which streams of a subscription the venue took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Taken {
    /// All of them.
    All,
    /// These; it left out what it does not know.
    These(Vec<String>),
    /// None: the answer is an error.
    None,
}

/// How a message fits to what is remembered of its stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// It does: everybody is told.
    Good,
    /// It is a change of a state that nobody has yet: nobody is told.
    Early,
    /// One before it is missing: the stream must begin anew.
    Gap,
}

/// What is remembered of a stream, so that a newcomer can be told where it stands.
pub trait Memory: Send {
    /// Takes a message of the stream.
    fn take(&mut self, text: &str) -> Fit;

    /// The message that a newcomer begins with, once there is one.
    fn state(&self) -> Option<String>;
}

/// A book whose changes a stream tells, and whose readers each join these to a snapshot that they fetch by themselves. Kept
/// here, one snapshot of the venue's serves all who come later.
pub trait Depth: Send {
    /// Takes a message of the stream.
    fn take(&mut self, text: &str);

    /// Takes the venue's answer to a request for a snapshot.
    fn learn(&mut self, request: &WireRequest, reply: &Reply);

    /// The answer to such a request as the book stands after the last message, if it is known that far.
    fn answer(&self, request: &WireRequest) -> Option<Reply>;
}

/// A venue's public socket as one that many share.
pub trait Fanout {
    /// How many streams one socket of the venue's takes.
    fn streams_per_socket(&self) -> usize;

    /// What is said first on a shared socket.
    fn line_hello(&self) -> Vec<String>;

    /// What a session says; `None` when it is nothing that a session of this venue says.
    fn said(&self, text: &str) -> Option<Said>;

    /// What the venue says.
    fn told(&self, text: &str) -> Told;

    /// Begins streams.
    fn begin(&self, id: u64, streams: &[String]) -> String;

    /// Ends streams.
    fn end(&self, id: u64, streams: &[String]) -> String;

    /// The venue's answer to a session that is told these streams from now on.
    fn joined(&self, id: &Value, streams: &[String]) -> String;

    /// The venue's answer to a session that left.
    fn left(&self, id: &Value) -> String;

    /// The venue's error, as an answer to a session that asked for the same.
    fn denied(&self, id: &Value, error: &str) -> String;

    /// Tidegate's own refusal, in the venue's words.
    fn turned_away(&self, id: &Value, reject: &Reject) -> String;

    /// An empty memory for a stream of this name; `None` where each message says all by itself and
    /// a newcomer waits for the next.
    fn memory(&self, stream: &str) -> Option<Box<dyn Memory>>;

    /// An empty book for a stream of this name; `None` where no reader fetches a snapshot for it.
    fn depth(&self, stream: &str) -> Option<Box<dyn Depth>>;

    /// The streams to which readers join the answer to this request.
    fn depth_streams(&self, request: &WireRequest) -> Vec<String>;
}
