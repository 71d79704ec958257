//! The one binary: the gateway, the signer and the command line; with the feature `tools`, which is on unless it is
//! turned off, the simulator, the demo and the benchmarks as well.

#![expect(
    unreachable_pub,
    reason = "a program has no interface; `pub` says what other modules use"
)]

#[cfg(feature = "tools")]
mod bench;
#[cfg(feature = "tools")]
mod bots;
mod cli;
#[cfg(feature = "tools")]
mod demo;
mod http;
mod oauth;
mod paper;
#[cfg(feature = "tools")]
mod process;

use std::process::ExitCode;

/// An order takes buffers and tasks of some kilobytes, which the system's allocator finds slowly.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::main()
}
