//! Going round a gate does not compile. A binary of its own, because each case is a build, and this
//! crate has the fewest dependencies to build them with.

#[test]
fn proofs_can_be_neither_forged_nor_used_twice() {
    trybuild::TestCases::new().compile_fail("tests/forgery/*.rs");
}
