//! Values options for a comparison with another library. Each line that comes in has what an option is, `c` or `p`,
//! forward, strike, years and volatility, each after a space; each line that goes out is a JSON object of
//! its price, its greeks, and the volatility that the price implies.
//!
//! ```text
//! echo c 60000 70000 0.0821917808219178 0.65 | cargo run -p tidegate-options --example values
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::BufRead;
use std::process::ExitCode;
use tidegate_options::black::European;
use tidegate_options::implied;

fn main() -> ExitCode {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let Some(option) = read(&line) else {
            eprintln!("{line:?} is no option: write it as `c FORWARD STRIKE YEARS VOLATILITY`");
            return ExitCode::FAILURE;
        };
        println!("{}", shown(&option));
    }
    ExitCode::SUCCESS
}

fn read(line: &str) -> Option<European> {
    let mut words = line.split_whitespace();
    let call = match words.next()? {
        "c" => true,
        "p" => false,
        _ => return None,
    };
    let mut number = || words.next()?.parse::<f64>().ok();
    let (forward, strike) = (number()?, number()?);
    let (years, volatility) = (number()?, number()?);
    Some(European { call, forward, strike, years, volatility })
}

fn shown(option: &European) -> String {
    let (price, greeks) = (option.price(), option.greeks());
    let implied = match implied::volatility(option, price) {
        Ok(found) => format!("{found:e}"),
        Err(_) => "null".to_owned(),
    };
    format!(
        r#"{{"price":{price:e},"delta":{:e},"gamma":{:e},"vega":{:e},"theta":{:e},"implied":{implied}}}"#,
        greeks.delta, greeks.gamma, greeks.vega, greeks.theta,
    )
}
