//! The bill of materials, in CycloneDX 1.6.

use cargo_metadata::{Metadata, Package, PackageId};
use serde_json::{Value, json};

/// The bill: every crate with its version, licence, source and digest, and who needs whom.
pub(super) fn of(metadata: &Metadata, shipped: &[&Package], lock: &str) -> Value {
    let program = shipped.iter().find(|package| package.name.as_str() == super::PROGRAM);
    let others = shipped.iter().filter(|package| package.name.as_str() != super::PROGRAM);
    let components: Vec<Value> = others.map(|package| component(package, lock)).collect();
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let named = |id: &PackageId| {
        shipped.iter().find(|package| package.id == *id).map(|package| purl(package))
    };
    let dependencies: Vec<Value> = nodes
        .filter_map(|node| {
            let on: Vec<String> = node.dependencies.iter().filter_map(named).collect();
            Some(json!({ "ref": named(&node.id)?, "dependsOn": on }))
        })
        .collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": program.map(|package| json!({
            "type": "application", "bom-ref": purl(package), "name": package.name.as_str(),
            "version": package.version.to_string(), "purl": purl(package),
            "licenses": [{ "expression": package.license }],
        })) },
        "components": components,
        "dependencies": dependencies,
    })
}

fn component(package: &Package, lock: &str) -> Value {
    let mut component = json!({
        "type": "library", "bom-ref": purl(package), "name": package.name.as_str(),
        "version": package.version.to_string(), "purl": purl(package),
        // Older crates name two licences with a stroke between them.
        "licenses": [{ "expression": package.license.as_deref().map(|it| it.replace('/', " OR ")) }],
    });
    if let Some(digest) = digest(package, lock) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": digest }]);
    }
    component
}

fn purl(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}

/// The digest that `Cargo.lock` has of a crate's archive.
fn digest<'a>(package: &Package, lock: &'a str) -> Option<&'a str> {
    let head = format!("name = \"{}\"\nversion = \"{}\"\n", package.name, package.version);
    let (_, rest) = lock.split_once(&head)?;
    let block = rest.split("[[package]]").next()?;
    block.lines().find_map(|line| line.strip_prefix("checksum = \"")?.strip_suffix('"'))
}
