//! Which host serves which path: venues spread their interface over several.

/// Something per path prefix, and what serves every other path.
pub(super) struct ByPath<T> {
    otherwise: T,
    /// The longest prefix first.
    prefixes: Vec<(String, T)>,
}

impl<T> ByPath<T> {
    /// `otherwise` for every path.
    pub(super) fn new(otherwise: T) -> ByPath<T> {
        ByPath { otherwise, prefixes: Vec::new() }
    }

    /// `it` for the paths under `prefix`.
    pub(super) fn insert(&mut self, prefix: &str, it: T) {
        self.prefixes.push((prefix.to_owned(), it));
        self.prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
    }

    /// Does something to each.
    pub(super) fn each(&mut self, mut change: impl FnMut(&mut T)) {
        change(&mut self.otherwise);
        self.prefixes.iter_mut().for_each(|(_, it)| change(it));
    }

    /// What serves a target: the longest prefix of its path, in whole segments.
    pub(super) fn of(&self, target: &str) -> &T {
        let path = target.split('?').next().unwrap_or_default();
        let under = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let found = self.prefixes.iter().find(|(prefix, _)| under(prefix));
        found.map_or(&self.otherwise, |(_, it)| it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_in_whole_segments_wins() {
        let mut hosts = ByPath::new("other");
        hosts.insert("/sapi", "spot");
        hosts.insert("/sapi/v9", "new");
        hosts.insert("/ws", "stream");
        let table = [
            ("/sapi/v1/account?x=/sapi/v9", "spot"),
            ("/sapi/v9/account", "new"),
            ("/sapi/v91", "spot"),
            ("/sapi", "spot"),
            ("/sapi?x=1", "spot"),
            ("/sapis/v1", "other"),
            ("/fapi/v1/order", "other"),
            ("/ws/key", "stream"),
            ("/ws-fapi/v1", "other"),
            ("", "other"),
        ];
        for (target, host) in table {
            assert_eq!(*hosts.of(target), host, "{target}");
        }
    }
}
