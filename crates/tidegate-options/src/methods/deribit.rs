//! Deribit's standard margin of options that are settled in coin, in coin for one coin.
//!
//! Source: Deribit's description of margins as carried by clients' documentation (initial margin of a short call
//! `max(0.15 - out of the money / underlying, 0.1) + mark`, maintenance `0.075 + mark`; of a short put at least
//! the maintenance, `max(0.075, 0.075 × mark) + mark`). A bought option is paid for and needs none.

/// A short option.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Short {
    /// Whether it is a call.
    pub call: bool,
    /// The underlying's price, in dollars.
    pub underlying: f64,
    /// The strike, in dollars.
    pub strike: f64,
    /// The mark, in coin.
    pub mark: f64,
}

impl Short {
    /// What must be there to sell one.
    pub fn initial(&self) -> f64 {
        let out =
            if self.call { self.strike - self.underlying } else { self.underlying - self.strike };
        let margin = (0.15 - out.max(0.0) / self.underlying).max(0.1) + self.mark;
        if self.call { margin } else { margin.max(self.maintenance()) }
    }

    /// What must stay there.
    pub fn maintenance(&self) -> f64 {
        if self.call { 0.075 + self.mark } else { 0.075_f64.max(0.075 * self.mark) + self.mark }
    }
}

/// What an option that is paid in coin pays at its expiry, in coin: a put's payment has no bound as the
/// underlying goes to nothing.
pub fn payoff(call: bool, strike: f64, settled: f64) -> f64 {
    let gain = if call { settled - strike } else { strike - settled };
    gain.max(0.0) / settled
}

/// What an inverse future over so many dollars gains between two prices, in coin.
pub fn inverse_gain(dollars: f64, from: f64, to: f64) -> f64 {
    dollars * (1.0 / from - 1.0 / to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(is: f64, should: f64) {
        assert!((is - should).abs() < 1e-10, "{is} is not {should}");
    }

    #[test]
    fn short_calls_of_the_description() {
        let far = Short { call: true, underlying: 60_000.0, strike: 70_000.0, mark: 0.02 };
        near(far.initial(), 0.12);
        near(far.maintenance(), 0.095);
        let close = Short { strike: 61_000.0, mark: 0.05, ..far };
        near(close.initial(), 0.183_333_333_333_3);
    }

    #[test]
    fn a_short_put_needs_its_maintenance_at_least() {
        let deep = Short { call: false, underlying: 10_000.0, strike: 40_000.0, mark: 3.0 };
        near(deep.maintenance(), 3.225);
        near(deep.initial(), 3.225);
        let far = Short { strike: 5_000.0, mark: 0.01, ..deep };
        near(far.initial(), 0.11);
    }

    #[test]
    fn payments_in_coin() {
        near(payoff(true, 100_000.0, 125_000.0), 0.2);
        near(payoff(false, 50_000.0, 40_000.0), 0.25);
        near(payoff(true, 100_000.0, 90_000.0), 0.0);
        near(inverse_gain(10_000.0, 60_000.0, 54_000.0), -0.018_518_518_518_518_5);
        near(inverse_gain(-10_000.0, 60_000.0, 54_000.0), 0.018_518_518_518_518_5);
    }
}
