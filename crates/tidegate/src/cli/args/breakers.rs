//! Circuit breakers.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Subcommand, Debug)]
pub enum Breaker {
    /// List the breakers: what they measure, their limits, and those that tripped
    List,
    /// Set a breaker, or set it anew; or the standard set, as far as it is not there yet
    Set(BreakerSet),
    /// Remove a breaker, tripped or not
    Remove {
        /// Which: KIND@SCOPE or KIND@each-…
        breaker: String,
    },
    /// Let few orders pass a tripped breaker, which measures anew
    HalfOpen(BreakerTurn),
    /// Close a half-open breaker
    Close(BreakerTurn),
    /// Have a closed breaker measure anew from here on
    Reset {
        /// Which: KIND@SCOPE or KIND@each-…
        breaker: String,
        /// Where, of a breaker over each of a sort.
        scope: Option<String>,
    },
}

#[derive(Args, Debug)]
pub struct BreakerSet {
    /// KIND@SCOPE, as loss@account:main, or KIND@each-venue, each-account, each-caller or
    /// each-instrument. Kinds: loss, drawdown, rejects, errors, stray-fills, mark-jump, spread, depth,
    /// data-age, latency, venue-errors, clock-skew, repeats.
    #[arg(required_unless_present = "standard", conflicts_with = "standard")]
    pub breaker: Option<String>,
    /// The standard set; what is set already stays as it is.
    #[arg(long)]
    pub standard: bool,
    /// The value at which it trips: dollars, percent, times, deviations, basis points or milliseconds,
    /// by its kind.
    #[arg(long, required_unless_present = "standard")]
    pub limit: Option<String>,
    /// How far back it measures, in seconds.
    #[arg(long, default_value_t = 60)]
    pub window_s: u64,
    /// It does not trip by fewer measurements.
    #[arg(long, default_value_t = 1)]
    pub least: u64,
    /// What it stops.
    #[arg(long, value_enum, default_value_t = Stops::Increases)]
    pub stops: Stops,
    /// A trip cancels the callers' open orders.
    #[arg(long)]
    pub cancel: bool,
    /// How many orders pass within a minute while it is half-open.
    #[arg(long, default_value_t = 6)]
    pub trial: u64,
}

/// What a breaker stops.
#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum Stops {
    /// Orders, but not those that reduce a position.
    Increases,
    /// All orders.
    All,
}

#[derive(Args, Debug)]
pub struct BreakerTurn {
    /// Which: KIND@SCOPE or KIND@each-…
    pub breaker: String,
    /// For what it tripped, of a breaker over each of a sort.
    pub scope: Option<String>,
    /// Why.
    #[arg(long)]
    pub reason: String,
}

/// Which breakers a desk begins with.
#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum FirstBreakers {
    /// The standard set.
    Standard,
    /// The standard set without those that a slow machine trips by itself.
    Untimed,
    /// None.
    None,
}
