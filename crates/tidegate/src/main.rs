//! The one binary: the gateway, the simulator, the signer, the demo and the command line.

#![expect(
    unreachable_pub,
    reason = "a program has no interface; `pub` says what other modules use"
)]

mod bench;
mod bots;
mod cli;
mod demo;
mod http;
mod process;

use std::process::ExitCode;

/// An order takes buffers and tasks of some kilobytes, which the system's allocator finds slowly.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::main()
}
