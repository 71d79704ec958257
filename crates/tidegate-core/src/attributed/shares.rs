//! What callers hold, when an account's position changes by nobody's order: a halt's flattening, somebody at
//! the venue's own screen, a correction.

/// By how much each caller's part changes when the account's position of `total` changes by `change` that no
/// caller ordered. What no caller holds goes first; what is left comes off the callers in proportion; what
/// adds is the account's alone. An account that holds nothing has no caller that does.
pub(crate) fn shares(total: i64, callers: &[i64], change: i64) -> Vec<i64> {
    let (total, change) = (i128::from(total), i128::from(change));
    let held: i128 = callers.iter().copied().map(i128::from).sum();
    let nobodys = total - held;
    let rest = match change.signum() * nobodys.signum() {
        -1 => change.signum() * (change.abs() - nobodys.abs()).max(0),
        _ => change,
    };
    let left = held + rest;
    let scaled = |part: i64| {
        let part = i128::from(part);
        if total + change == 0 || (rest != 0 && left.signum() == -held.signum()) {
            return -part;
        }
        if rest.signum() * held.signum() >= 0 {
            return 0;
        }
        // Cut towards zero: what does not divide is nobody's.
        (part * left).checked_div(held).unwrap_or(0) - part
    };
    callers.iter().map(|part| i64::try_from(scaled(*part)).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn what_a_flattening_closes_is_taken_off_in_proportion() {
        assert_eq!(shares(9, &[6, 3], -3), [-2, -1]);
        assert_eq!(shares(9, &[6, 3], -9), [-6, -3]);
        assert_eq!(shares(-9, &[-6, -3], 6), [4, 2]);
        assert_eq!(shares(6, &[10, -4], -3), [-5, 2], "those on both sides halve");
        assert_eq!(shares(3, &[10, -4], -3), [-10, 4], "nothing is left, so nobody has any");
    }

    #[test]
    fn what_is_nobodys_goes_first_and_what_adds_is_nobodys() {
        assert_eq!(shares(10, &[6], -4), [0]);
        assert_eq!(shares(10, &[6], -5), [-1]);
        assert_eq!(shares(6, &[6], 5), [0]);
        assert_eq!(shares(0, &[5, -5], 3), [0, 0]);
        assert_eq!(shares(6, &[6], -8), [-6], "what goes beyond is nobody's");
        assert_eq!(shares(5, &[3, 2], -1), [-1, -1], "cut towards zero");
        assert_eq!(shares(4, &[], -4), [0; 0]);
    }
}
