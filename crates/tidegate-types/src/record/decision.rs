//! The numbers behind an answer.

use crate::codec::{Codec, CodecError, show_text};
use crate::instrument::{Price, SignedQty, Usd};
use crate::policy::{Measure, PolicyVersion};
use crate::time::Span;

/// The version of the rules that decide; part of every decision. Those of version 1 knew no policy.
pub const RULES: u32 = 7;

/// From this version of the rules on, decisions tell what a policy's rules measured.
const MEASURED: u32 = 2;

/// The numbers a decision was made from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Decision {
    /// The version of the rules.
    pub rules: u32,
    /// The mark in force.
    pub mark: Option<Price>,
    /// The index in force.
    pub index: Option<Price>,
    /// How old the mark was.
    pub mark_age: Option<Span>,
    /// The worst price the order may trade at.
    pub worst_price: Option<Price>,
    /// What one unit of quantity is worth at worst, in dollars.
    pub unit_value: Option<Price>,
    /// What the order is worth at worst.
    pub notional: Option<Usd>,
    /// What the caller's open orders are worth, this one included.
    pub caller_open: Option<Usd>,
    /// What the caller traded today (UTC) and its open orders are worth, this one included.
    pub caller_day: Option<Usd>,
    /// What the account's open orders are worth, this one included.
    pub account_open: Option<Usd>,
    /// What the position may come to be worth, open orders and this one included.
    pub position_worst: Option<Usd>,
    /// What all of the account's positions may come to be worth, open orders and this one included.
    pub exposure: Option<Usd>,
    /// The account's position in the instrument before.
    pub position: Option<SignedQty>,
    /// The order was taken as reducing the position.
    pub reducing: bool,
    /// The policy in force.
    pub policy: Option<PolicyVersion>,
    /// What its rules measured: of a refusal the rule that refused, else those nearest to their limits.
    pub measures: Vec<Measure>,
}

/// The byte form and JSON: the fields in order, as far as the version of the rules has them.
macro_rules! fields {
    ($($field:ident),* ; $($later:ident),*) => {
        impl Codec for Decision {
            fn encode(&self, out: &mut Vec<u8>) {
                $(self.$field.encode(out);)*
                if self.rules >= MEASURED {
                    $(self.$later.encode(out);)*
                }
            }

            fn decode(input: &mut &[u8]) -> Result<Decision, CodecError> {
                $(let $field = Codec::decode(input)?;)*
                let mut decision = Decision { $($field,)* ..Decision::default() };
                if decision.rules >= MEASURED {
                    $(decision.$later = Codec::decode(input)?;)*
                }
                Ok(decision)
            }

            fn show(&self, out: &mut String) {
                let mut first = true;
                $(
                    out.push(if std::mem::take(&mut first) { '{' } else { ',' });
                    show_text(stringify!($field), out);
                    out.push(':');
                    self.$field.show(out);
                )*
                if self.rules >= MEASURED {
                    $(
                        out.push(',');
                        show_text(stringify!($later), out);
                        out.push(':');
                        self.$later.show(out);
                    )*
                }
                out.push('}');
            }
        }
    };
}
fields!(
    rules, mark, index, mark_age, worst_price, unit_value, notional, caller_open, caller_day,
    account_open, position_worst, exposure, position, reducing;
    policy, measures
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{from_bytes, to_bytes};

    #[test]
    fn a_decision_from_before_policies_is_read() {
        let old = Decision { rules: 1, reducing: true, ..Decision::default() };
        let bytes = to_bytes(&old);
        assert_eq!(bytes.len(), 14, "a version and thirteen fields of a byte each");
        assert_eq!(from_bytes(&bytes), Ok(old.clone()));
        let new = Decision { rules: RULES, ..old };
        assert_eq!(from_bytes(&to_bytes(&new)), Ok(new));
    }
}
