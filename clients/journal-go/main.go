// Verifies a Tidegate journal with the Go project's own transparency-log packages
// (golang.org/x/mod/sumdb/note and tlog, the code behind the Go checksum database).
//
// Usage: journal-go [--archive FOLDER] DIR [VERIFIER-KEY]
//
// DIR is the journal's folder. The verifier key is read from it unless one kept elsewhere is given.
// Bundles that were archived are read from FOLDER.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const width = 256

type folder string

// archive is where the bundles are that were moved away.
var archive folder

func (dir folder) Height() int { return 8 }

func (dir folder) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles gives exactly the bytes asked for: an unfinished tile from its own file, or the front
// of the full one.
func (dir folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		// These packages put the tile height into the path, the C2SP layout does not.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(dir), path))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

// entries reads bundle n, which holds count records.
func (dir folder) entries(n, count int64) ([][]byte, error) {
	tile := tlog.Tile{H: 8, L: 0, N: n, W: int(count)}
	path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(string(dir), path))
	if os.IsNotExist(err) && archive != "" {
		data, err = os.ReadFile(filepath.Join(string(archive), path))
	}
	if err != nil {
		return nil, err
	}
	var records [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s is cut short", path)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		records = append(records, data[2:end])
		data = data[end:]
	}
	if int64(len(records)) != count {
		return nil, fmt.Errorf("%s has %d records, not %d", path, len(records), count)
	}
	return records, nil
}

func main() {
	args := os.Args[1:]
	if len(args) > 1 && args[0] == "--archive" {
		archive, args = folder(args[1]), args[2:]
	}
	if len(args) < 1 || len(args) > 2 {
		fmt.Fprintln(os.Stderr, "usage: journal-go [--archive FOLDER] DIR [VERIFIER-KEY]")
		os.Exit(64)
	}
	if err := verify(folder(args[0]), args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "not whole:", err)
		os.Exit(1)
	}
}

func verify(dir folder, given []string) error {
	tree, origin, err := openCheckpoint(dir, given)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, dir)
	if err := checkRecords(dir, tree, hashes); err != nil {
		return err
	}
	proofs := 0
	for n := int64(0); n < tree.N; n += tree.N/64 + 1 {
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		if err != nil {
			return err
		}
		proof, err := tlog.ProveRecord(tree.N, n, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaf[0]); err != nil {
			return fmt.Errorf("record %d is not included: %w", n, err)
		}
		old := n + 1
		root, err := tlog.TreeHash(old, hashes)
		if err != nil {
			return err
		}
		extension, err := tlog.ProveTree(tree.N, old, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(extension, tree.N, tree.Hash, old, root); err != nil {
			return fmt.Errorf("the tree does not extend that of %d records: %w", old, err)
		}
		proofs += 2
	}
	fmt.Printf("whole: %s, %d records, root %s, %d proofs\n", origin, tree.N, tree.Hash, proofs)
	return nil
}

func openCheckpoint(dir folder, given []string) (tree tlog.Tree, origin string, err error) {
	signed, err := os.ReadFile(filepath.Join(string(dir), "checkpoint"))
	if err != nil {
		return tree, "", err
	}
	if len(given) == 0 {
		key, err := os.ReadFile(filepath.Join(string(dir), "verifier-key"))
		if err != nil {
			return tree, "", err
		}
		given = []string{string(key)}
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(given[0]))
	if err != nil {
		return tree, "", err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tree, "", err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tree, "", fmt.Errorf("the checkpoint is not of %s", verifier.Name())
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, "", err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tree, "", fmt.Errorf("the checkpoint's root is not a hash")
	}
	copy(tree.Hash[:], root)
	return tree, lines[0], nil
}

// checkRecords holds every record against its leaf hash, which the reader authenticates up to the
// signed root.
func checkRecords(dir folder, tree tlog.Tree, hashes tlog.HashReader) error {
	for first := int64(0); first < tree.N; first += width {
		count := tree.N - first
		if count > width {
			count = width
		}
		records, err := dir.entries(first/width, count)
		if err != nil {
			return err
		}
		var indexes []int64
		for n := first; n < first+count; n++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, n))
		}
		leaves, err := hashes.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, record := range records {
			if tlog.RecordHash(record) != leaves[i] {
				return fmt.Errorf("record %d is not the one that was signed", first+int64(i))
			}
		}
	}
	return nil
}
