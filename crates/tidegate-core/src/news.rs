//! What happened to orders of late, in order, for those who follow along. Nothing is decided by it, and it is no
//! part of the state that is saved or compared.

use crate::table::TradePlace;
use std::collections::VecDeque;
use tidegate_types::ids::OrderId;

/// How many are kept.
const KEPT: usize = 8192;

/// A piece of news.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// This order came to be or changed.
    Order(OrderId),
    /// This trade was heard of.
    Trade(TradePlace),
}

/// The newest pieces of news, numbered from the start of the process on.
#[derive(Debug, Default)]
pub struct News {
    kept: VecDeque<Piece>,
    next: u64,
}

impl News {
    /// The number of the piece that comes next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The pieces from this number on; `None` when some of them are kept no more, or there is no such
    /// number yet.
    pub fn since(&self, number: u64) -> Option<impl Iterator<Item = &Piece>> {
        let back = usize::try_from(self.next.checked_sub(number)?).ok()?;
        Some(self.kept.range(self.kept.len().checked_sub(back)?..))
    }

    pub(crate) fn note(&mut self, piece: Piece) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(piece);
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_no_more_is_not_told_as_nothing() {
        let mut news = News::default();
        let orders = |news: &News, from| -> Option<Vec<Piece>> {
            news.since(from).map(|pieces| pieces.cloned().collect())
        };
        assert_eq!(orders(&news, 0), Some(vec![]));
        assert_eq!(orders(&news, 1), None);
        for n in 0..3 {
            news.note(Piece::Order(OrderId(n)));
        }
        assert_eq!(
            orders(&news, 1),
            Some(vec![1, 2].into_iter().map(OrderId).map(Piece::Order).collect())
        );
        assert_eq!(orders(&news, 3), Some(vec![]));
        for n in 0..KEPT as u64 {
            news.note(Piece::Order(OrderId(n)));
        }
        assert_eq!(orders(&news, 2), None);
        assert_eq!(orders(&news, 3).map(|kept| kept.len()), Some(KEPT));
    }
}
