//! How urgent a request is, and for whom it is.

use std::net::{IpAddr, Ipv6Addr};
use tidegate_types::ids::{AccountName, CallerName};

/// How urgent a request is, the most urgent first. What waits goes strictly in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rank {
    /// A cancel of a halt's or a breaker's.
    Kill,
    /// A cancel, or a question that proves one.
    Cancel,
    /// An order that can only reduce a position.
    Reduce,
    /// Any other order, change or setting.
    New,
    /// What the gateway must know or keep up.
    Upkeep,
    /// A caller's private read.
    Read,
    /// A public read.
    Public,
}

impl Rank {
    /// Whether it may use what is reserved.
    pub fn may_use_reserve(self) -> bool {
        self <= Rank::Reduce
    }

    /// How much of what is reserved is kept from it. Callers' cancels leave something for those of a halt, where
    /// cancels cost anything; it is less than what is spared where others use all of a limit.
    pub(crate) fn kept_from(self, reserved: u64, cancels: bool) -> u64 {
        match self {
            Rank::Kill => 0,
            Rank::Cancel | Rank::Reduce if cancels => reserved / 16,
            Rank::Cancel | Rank::Reduce => 0,
            Rank::New | Rank::Upkeep | Rank::Read | Rank::Public => reserved,
        }
    }

    /// How much of it is kept from a payer besides who had more than half of all there is of late: for others'.
    pub(crate) fn kept_from_greedy(self, reserved: u64, cancels: bool) -> u64 {
        match self {
            Rank::Cancel | Rank::Reduce => reserved / 2,
            _ => self.kept_from(reserved, cancels),
        }
    }

    /// Whether it is a read of somebody's behind the gateway, which is spread over time.
    pub fn is_paced(self) -> bool {
        self >= Rank::Read
    }
}

/// For whom a request is: those of one payer wait for each other, different payers share.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Payer {
    /// The gateway itself.
    Gateway,
    /// An account, where no caller is known.
    Account(AccountName),
    /// A caller.
    Caller(CallerName),
    /// Somebody unknown, by address.
    Address(IpAddr),
}

impl Payer {
    /// Somebody at this address: of IPv6 a whole /64 counts as one, since one host has that.
    pub fn at(peer: IpAddr) -> Payer {
        Payer::Address(match peer.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            v4 => v4,
        })
    }
}
