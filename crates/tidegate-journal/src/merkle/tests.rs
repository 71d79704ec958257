use super::*;
use std::convert::Infallible;

/// The definitions of RFC 6962 section 2.1, word for word.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(split(many.len() as u64) as usize);
            node_hash(&mth(left), &mth(right))
        }
    }
}

fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let k = split(leaves.len() as u64) as usize;
    let (mut proof, other) = if m < k {
        (path(m, &leaves[..k]), mth(&leaves[k..]))
    } else {
        (path(m - k, &leaves[k..]), mth(&leaves[..k]))
    };
    proof.push(other);
    proof
}

fn subproof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole { Vec::new() } else { vec![mth(leaves)] };
    }
    let k = split(leaves.len() as u64) as usize;
    let (mut proof, other) = if m <= k {
        (subproof(m, &leaves[..k], whole), mth(&leaves[k..]))
    } else {
        (subproof(m - k, &leaves[k..], false), mth(&leaves[..k]))
    };
    proof.push(other);
    proof
}

struct Leaves(Vec<Hash>);

impl Hashes for Leaves {
    type Error = Infallible;
    fn subtree(&self, height: u8, index: u64) -> Result<Hash, Infallible> {
        let width = 1 << height;
        let start = index as usize * width;
        Ok(mth(&self.0[start..start + width]))
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

/// The roots of the eight inputs that certificate-transparency implementations test with.
#[test]
fn known_roots() {
    let inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"];
    let mut leaves: Vec<Hash> = inputs.iter().map(|text| leaf_hash(&bytes(text))).collect();
    leaves.push(leaf_hash(&bytes("606162636465666768696a6b6c6d6e6f")));
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    for (count, root) in roots.iter().enumerate() {
        assert_eq!(crate::checkpoint::hex(&mth(&leaves[..count])), *root);
        let mut edge = Edge::default();
        for leaf in &leaves[..count] {
            edge.push(*leaf, |_, _, _| Ok::<(), Infallible>(())).unwrap();
        }
        assert_eq!(edge.root(), mth(&leaves[..count]));
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn the_edge_has_the_root_of_every_size() {
    let leaves = leaves(1100);
    let mut edge = Edge::default();
    let mut filled = Vec::new();
    for (leaf, size) in leaves.iter().zip(1..) {
        edge.push(*leaf, |level, index, hashes| {
            assert_eq!(hashes.len(), TILE_WIDTH);
            filled.push((level, index));
            Ok::<(), Infallible>(())
        })
        .unwrap();
        assert_eq!(edge.size(), size as u64);
        if size % 7 == 0 || size % 256 < 2 {
            assert_eq!(edge.root(), mth(&leaves[..size]), "{size}");
        }
    }
    assert_eq!(filled, [(0, 0), (0, 1), (0, 2), (0, 3)]);
    assert_eq!(Edge::new(1100, edge.levels().to_vec()), Some(edge.clone()));
    assert_eq!(Edge::new(1101, edge.levels().to_vec()), None);
}

#[test]
fn proofs_are_those_of_the_definition_and_verify() {
    let all = leaves(40);
    for size in 1..=40 {
        let tree = Leaves(all[..size].to_vec());
        let top = mth(&tree.0);
        assert_eq!(root(size as u64, &tree), Ok(top));
        for index in 0..size {
            let proof = inclusion_proof(index as u64, size as u64, &tree).unwrap();
            assert_eq!(proof, path(index, &tree.0));
            let (index, size) = (index as u64, size as u64);
            assert!(includes(index, size, &all[index as usize], &proof, &top));
            assert!(!includes(index, size, &empty_root(), &proof, &top));
            assert!(!includes(index + 1, size, &all[index as usize], &proof, &top));
            let mut long = proof.clone();
            long.push(top);
            assert!(!includes(index, size, &all[index as usize], &long, &top));
        }
        for old in 1..size {
            let proof = consistency_proof(old as u64, size as u64, &tree).unwrap();
            assert_eq!(proof, subproof(old, &tree.0, true), "{old} {size}");
            let before = mth(&all[..old]);
            let (old, size) = (old as u64, size as u64);
            assert!(extends(old, &before, size, &top, &proof));
            assert!(!extends(old, &top, size, &top, &proof));
            assert!(!extends(old, &before, size, &before, &proof));
            for broken in 0..proof.len() {
                let mut proof = proof.clone();
                proof[broken][0] ^= 1;
                assert!(!extends(old, &before, size, &top, &proof));
            }
            assert!(proof.is_empty() || !extends(old, &before, size, &top, &proof[1..]));
        }
    }
}

#[test]
fn a_tree_extends_itself_and_the_empty_one() {
    let top = mth(&leaves(5));
    assert!(extends(5, &top, 5, &top, &[]));
    assert!(!extends(5, &top, 5, &empty_root(), &[]));
    assert!(extends(0, &empty_root(), 5, &top, &[]));
    assert!(!extends(0, &top, 5, &top, &[]));
    assert!(!extends(6, &top, 5, &top, &[]));
}
