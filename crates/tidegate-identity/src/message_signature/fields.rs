//! What of Structured Fields (RFC 9651) signatures and digests are written in: dictionaries of byte
//! sequences and of inner lists of strings. Anything else is not read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// A bare item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Bare {
    Integer(i64),
    Text(String),
    Token(String),
    Bytes(Vec<u8>),
    Bool(bool),
}

/// An inner list of strings, with its parameters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct List {
    items: Vec<Bare>,
    params: Vec<(String, Bare)>,
}

/// A member of a dictionary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Member {
    Item(Bare),
    List(List),
}

impl List {
    /// Its items, if all are strings.
    pub(super) fn texts(&self) -> Option<Vec<String>> {
        let text = |item: &Bare| match item {
            Bare::Text(text) => Some(text.clone()),
            _ => None,
        };
        self.items.iter().map(text).collect()
    }

    /// A parameter.
    pub(super) fn param(&self, name: &str) -> Option<&Bare> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }
}

/// Reads a dictionary. No name may be there twice, no parameter either, and items bear none.
pub(super) fn dictionary(text: &str) -> Option<Vec<(String, Member)>> {
    let mut rest = Rest(text.trim_matches(' '));
    let mut members: Vec<(String, Member)> = Vec::new();
    loop {
        let name = rest.key()?;
        if members.iter().any(|(n, _)| *n == name) {
            return None;
        }
        rest.take("=")?;
        let member = if rest.take("(").is_some() {
            Member::List(rest.list()?)
        } else {
            Member::Item(rest.bare()?)
        };
        members.push((name, member));
        rest.blank();
        if rest.0.is_empty() {
            return Some(members);
        }
        rest.take(",")?;
        rest.blank();
    }
}

/// What is left to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn take(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    fn blank(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    /// As long as the characters are such.
    fn run(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !is(c)).unwrap_or(self.0.len());
        let (run, rest) = self.0.split_at(end);
        self.0 = rest;
        run
    }

    fn key(&mut self) -> Option<String> {
        let first = self.0.chars().next()?;
        let is = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.*".contains(c);
        (first.is_ascii_lowercase() || first == '*').then(|| self.run(is).to_owned())
    }

    /// After the parenthesis.
    fn list(&mut self) -> Option<List> {
        let mut items = Vec::new();
        loop {
            self.run(|c| c == ' ');
            if self.take(")").is_some() {
                break;
            }
            items.push(self.bare()?);
            if !self.0.starts_with([' ', ')']) {
                return None;
            }
        }
        let mut params: Vec<(String, Bare)> = Vec::new();
        while self.take(";").is_some() {
            self.run(|c| c == ' ');
            let name = self.key()?;
            if params.iter().any(|(n, _)| *n == name) {
                return None;
            }
            let value = if self.take("=").is_some() { self.bare()? } else { Bare::Bool(true) };
            params.push((name, value));
        }
        Some(List { items, params })
    }

    fn bare(&mut self) -> Option<Bare> {
        match self.0.chars().next()? {
            '"' => self.text(),
            ':' => {
                self.take(":")?;
                let bytes = STANDARD.decode(self.run(|c| c != ':')).ok()?;
                self.take(":").map(|()| Bare::Bytes(bytes))
            }
            '?' => {
                self.take("?")?;
                match self.run(|c| c.is_ascii_alphanumeric()) {
                    "1" => Some(Bare::Bool(true)),
                    "0" => Some(Bare::Bool(false)),
                    _ => None,
                }
            }
            c if c == '-' || c.is_ascii_digit() => {
                let sign = if self.take("-").is_some() { -1 } else { 1 };
                let digits = self.run(|c| c.is_ascii_digit());
                let number: i64 = (digits.len() <= 15).then(|| digits.parse().ok())??;
                (!self.0.starts_with('.')).then_some(Bare::Integer(sign * number))
            }
            c if c.is_ascii_alphabetic() || c == '*' => {
                let is = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(c);
                Some(Bare::Token(self.run(is).to_owned()))
            }
            _ => None,
        }
    }

    fn text(&mut self) -> Option<Bare> {
        self.take("\"")?;
        let mut text = String::new();
        loop {
            text.push_str(self.run(|c| (' '..='~').contains(&c) && c != '"' && c != '\\'));
            if self.take("\"").is_some() {
                return Some(Bare::Text(text));
            }
            self.take("\\")?;
            let escaped = self.0.chars().next().filter(|c| *c == '"' || *c == '\\')?;
            text.push(escaped);
            self.0 = self.0.get(1..)?;
        }
    }
}

impl fmt::Display for Bare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bare::Integer(number) => write!(f, "{number}"),
            Bare::Text(text) => {
                write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
            }
            Bare::Token(token) => f.write_str(token),
            Bare::Bytes(bytes) => write!(f, ":{}:", STANDARD.encode(bytes)),
            Bare::Bool(truth) => write!(f, "?{}", u8::from(*truth)),
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (at, item) in self.items.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{item}")?;
        }
        f.write_str(")")?;
        for (name, value) in &self.params {
            match value {
                Bare::Bool(true) => write!(f, ";{name}")?,
                value => write!(f, ";{name}={value}")?,
            }
        }
        Ok(())
    }
}
