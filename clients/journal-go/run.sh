#!/bin/sh
# Verifies a journal with Go's own transparency-log packages; with no folder given, one made on
# the spot, and a copy of it with one flipped bit, which must not pass. With `--if-there` a machine
# without Go and its packages is no failure. Nothing is downloaded.
set -eu
cd "$(dirname "$0")"
packages=/usr/share/gocode/src/golang.org/x/mod/sumdb
may_skip=
if [ "${1:-}" = --if-there ]; then may_skip=yes; shift; fi
if ! command -v go >/dev/null || [ ! -d "$packages" ]; then
    echo "skipped: apt-get install golang-go golang-golang-x-mod-dev" >&2
    [ -n "$may_skip" ]
    exit
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$work/cache" go build -o "$work/journal-go" main.go
if [ $# -gt 0 ]; then
    "$work/journal-go" "$@"
    exit
fi
# The whole workspace, so that what the tests built is used as it is: one package alone would have
# other features of its dependencies and build them all again.
(cd ../.. && cargo build --quiet --workspace --example speed)
"${CARGO_TARGET_DIR:-../../target}/debug/examples/speed" "$work/journal" 70000
"$work/journal-go" "$work/journal"
"$work/journal-go" "$work/journal" "$(cat "$work/journal/verifier-key")"
printf '\377' | dd of="$work/journal/tile/entries/017" bs=1 seek=1000 conv=notrunc status=none
if "$work/journal-go" "$work/journal" 2>"$work/said"; then
    echo "a changed record was not found" >&2
    exit 1
fi
echo "a changed record is found: $(cat "$work/said")"
