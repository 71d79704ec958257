//! Who may ask what of a venue, and when: the venue's rate limits, counted as it counts them, and
//! shared by all who trade behind the desk's addresses.
//!
//! Everything here is values and times: no socket, no clock, no task. A [`Shaper`] is asked before a
//! request leaves, and told when it was answered. It says that the request may go, that it waits, or
//! that it is refused and why. Four promises:
//!
//! - what leaves never exceeds a limit of the venue's, whenever it arrives there (`meter.rs`);
//! - what is more urgent goes first, and a reserve is there for what cannot wait (`rank.rs`);
//! - those who wait at the same rank share by weight, the places to wait in too (`queue.rs`), and no burst of reads takes the
//!   room of a whole minute (`pace.rs`), nor of one's cancels the whole reserve (`rank.rs`);
//! - while the venue asks us to wait, nothing leaves that it would punish (`freeze.rs`).

mod ask;
mod freeze;
mod meter;
mod pace;
mod queue;
mod rank;
mod shaper;
mod shares;
mod window;

pub use ask::{Answer, Ask, Paid, Refusal, Served, Use, Whose};
pub use freeze::Frozen;
pub use queue::Ticket;
pub use rank::{Payer, Rank};
pub use shaper::Shaper;
