//! A data folder, and the gateway on it.

use super::{Approvals, FirstBreakers};
use clap::Args;
use std::net::SocketAddr;

#[derive(Args, Debug)]
pub struct Init {
    /// The desk's name.
    #[arg(long, default_value = "desk")]
    pub desk: String,
    /// Where callers connect. Callers on other machines need an address of this one.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// Names and addresses by which callers reach this machine, beside the one listened at and
    /// localhost. The certificate and its authority are made for these alone.
    #[arg(long, value_delimiter = ',')]
    pub names: Vec<String>,
    /// How many people it takes to loosen something.
    #[arg(long, value_enum, default_value = "one")]
    pub approvals: Approvals,
    /// Who becomes the desk's first administrator, by the link that is printed; otherwise the name of the
    /// user who runs this.
    #[arg(long)]
    pub admin: Option<String>,
    /// Which circuit breakers the desk begins with.
    #[arg(long, value_enum, default_value = "standard")]
    pub breakers: FirstBreakers,
    /// Unlock the vault with a key file in the data folder instead of a passphrase: for
    /// unattended start.
    #[arg(long)]
    pub key_file: bool,
}

#[derive(Args, Debug)]
pub struct Serve {
    /// Where callers connect, instead of what the configuration says.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
}

#[derive(Args, Debug)]
pub struct Status {
    /// Show it again every second.
    #[arg(long)]
    pub watch: bool,
}
