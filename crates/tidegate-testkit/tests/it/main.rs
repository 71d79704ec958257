//! The tests of the whole, in one binary.

#[cfg(test)]
mod approve;
#[cfg(test)]
mod breakers;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod client;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod http11;
#[cfg(test)]
mod login;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod program;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod why;
