//! Comparisons whose duration tells nothing about what is compared.

use aws_lc_rs::constant_time::verify_slices_are_equal;

/// Whether both are the same. Only their lengths show in the time it takes.
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}

/// Whether any of `candidates` is `expected`. Every one is looked at, whatever the ones before were.
pub(crate) fn any_equal(expected: &[u8], candidates: &[Vec<u8>]) -> bool {
    candidates.iter().fold(false, |found, candidate| found | equal(expected, candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares() {
        assert!(equal(b"", b""));
        assert!(equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd"));
        assert!(!equal(b"abc", b"abcd"));
        let candidates = [b"x".to_vec(), b"abc".to_vec(), Vec::new()];
        assert!(any_equal(b"abc", &candidates));
        assert!(!any_equal(b"abd", &candidates));
        assert!(!any_equal(b"abc", &[]));
    }
}
