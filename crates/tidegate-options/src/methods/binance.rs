//! Binance's margin of options sold, in dollars for one coin.
//!
//! The four rates are told for each option by `GET /eapi/v1/exchangeInfo` (`initialMargin`, `maintenanceMargin`,
//! `minInitialMargin`, `minMaintenanceMargin`: 0.15, 0.075, 0.10 and 0.05 for BTC). What is out of the money
//! lessens the first of each pair down to the second, and the mark is added: the buyer could ask for it at once.

/// An option's rates, as the venue tells them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rates {
    /// `initialMargin`.
    pub initial: f64,
    /// `minInitialMargin`.
    pub least_initial: f64,
    /// `maintenanceMargin`.
    pub maintenance: f64,
    /// `minMaintenanceMargin`.
    pub least_maintenance: f64,
}

/// A short option.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Short {
    /// Whether it is a call.
    pub call: bool,
    /// The index, in dollars.
    pub index: f64,
    /// The strike, in dollars.
    pub strike: f64,
    /// The mark, in dollars.
    pub mark: f64,
}

impl Short {
    /// What must be there to sell one.
    pub fn initial(&self, rates: &Rates) -> f64 {
        self.margin(rates.initial, rates.least_initial)
    }

    /// What must stay there.
    pub fn maintenance(&self, rates: &Rates) -> f64 {
        self.margin(rates.maintenance, rates.least_maintenance)
    }

    fn margin(&self, rate: f64, least: f64) -> f64 {
        let out = if self.call { self.strike - self.index } else { self.index - self.strike };
        (rate * self.index - out.max(0.0)).max(least * self.index) + self.mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BTC: Rates =
        Rates { initial: 0.15, least_initial: 0.10, maintenance: 0.075, least_maintenance: 0.05 };

    #[test]
    fn far_out_of_the_money_the_least_holds() {
        let short = Short { call: true, index: 60_000.0, strike: 70_000.0, mark: 1200.0 };
        assert!((short.initial(&BTC) - 7200.0).abs() < 1e-9);
        assert!((short.maintenance(&BTC) - 4200.0).abs() < 1e-9);
    }

    #[test]
    fn near_the_money_the_distance_counts() {
        let short = Short { call: true, index: 60_000.0, strike: 61_000.0, mark: 3000.0 };
        assert!((short.initial(&BTC) - 11_000.0).abs() < 1e-9);
        assert!((short.maintenance(&BTC) - 6500.0).abs() < 1e-9);
        let inside = Short { call: false, strike: 62_000.0, mark: 2000.0, ..short };
        assert!((inside.initial(&BTC) - 11_000.0).abs() < 1e-9);
    }
}
