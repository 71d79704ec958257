//! The one binary: the gateway, the simulator, the signer, the demo and the command line.

mod bench;
mod bots;
mod cli;

fn main() {}
