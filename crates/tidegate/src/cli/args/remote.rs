//! A gateway from another machine, by a token that a person granted to this one.

use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct Login {
    /// The address that the gateway is known by, as https://gate.example:8443; without one the gateway of
    /// the last login.
    pub url: Option<String>,
    /// Say where this machine is logged in, for how long, and what it may do.
    #[arg(long)]
    pub status: bool,
    #[command(flatten)]
    pub new: LoginNew,
}

#[derive(Args, Debug)]
pub struct LoginNew {
    /// The app that this machine is registered as: a caller of the desk. Without one that of the last login
    /// there, or `cli-` and the name of the user.
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// What to ask for: an account, to read only unless --max-order and --max-open are given. May be given
    /// several times; without any, what was asked for at the last login.
    #[arg(long = "account", value_name = "VENUE/ACCOUNT")]
    pub accounts: Vec<String>,
    /// Which instruments; `*` stands for anything.
    #[arg(long, value_delimiter = ',', default_value = "*")]
    pub instruments: Vec<String>,
    /// Trade as well, orders of so many dollars at most.
    #[arg(long, requires = "max_open", requires = "accounts")]
    pub max_order: Option<String>,
    /// Most that the open orders may be worth, in dollars.
    #[arg(long, requires = "max_order")]
    pub max_open: Option<String>,
    /// Which sides.
    #[arg(long, value_delimiter = ',', default_value = "buy,sell")]
    pub sides: Vec<String>,
    /// Which order types: limit, market, market-limit, stop-market, stop-limit, take-market, take-limit.
    #[arg(long, value_delimiter = ',', default_value = "limit,market")]
    pub order_types: Vec<String>,
    /// Ask for what this file says instead, in the words of authorization_details.
    #[arg(long, value_name = "FILE", conflicts_with = "accounts")]
    pub details: Option<PathBuf>,
    /// How well the person has to be known who says yes: pwd, mfa, phr (a passkey) or phrh.
    #[arg(long, value_name = "LEVEL", value_parser = ["pwd", "mfa", "phr", "phrh"])]
    pub acr: Option<String>,
    /// How many seconds ago that person may have logged in.
    #[arg(long, value_name = "SECONDS")]
    pub max_age: Option<u32>,
    /// The gateway's certificate authority (PEM file), its `ca.pem`; it is kept. Without one that of the data
    /// folder, or those that this machine trusts.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Logout {
    /// From which gateway; without one from that of the last login.
    pub url: Option<String>,
}

#[derive(Args, Debug)]
pub struct Api {
    /// The method, if it is not GET (POST with --data), and the path: `/v1/orders`, or `orders` for short.
    #[arg(value_names = ["METHOD", "PATH"], num_args = 1..=2, required = true)]
    pub request: Vec<String>,
    /// What is sent, as JSON; `@FILE` reads a file, `-` standard input.
    #[arg(long, value_name = "JSON")]
    pub data: Option<String>,
    /// The same request under the same key is carried out once; for a POST.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}
