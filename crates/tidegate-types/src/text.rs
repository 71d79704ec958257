//! Somebody's words on their way to people: what a terminal acts on, what breaks a line and what
//! turns the order of letters around is not shown as it came, so that no text looks like another.

use std::fmt::Write as _;

/// Longest text of somebody's that a record holds, in characters.
const MAX_WORDS: usize = 200;

/// Whether a character does something else than show: a control character, one that ends a line, turns the
/// direction of writing (Unicode TR 36, section 2.3) or has no width.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Somebody's words, fit for a record and for people: one line of at most 200 characters that all show.
pub fn one_line(text: &str) -> String {
    shown(text).take(MAX_WORDS).collect()
}

/// A text as one line of characters that all show, however long it is.
pub fn whole_line(text: &str) -> String {
    shown(text).collect()
}

/// A text for a terminal: of what is hidden its code, as JSON writes it; lines stay lines.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if is_hidden(c) && c != '\n' => escape(c, &mut out),
            c => out.push(c),
        }
    }
    out
}

fn shown(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if is_hidden(c) { ' ' } else { c })
}

/// Appends the code of a character as JSON writes it.
pub(crate) fn escape(c: char, out: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORGED: &str = "ok\r\n  approved\x1b[2K\u{9b}1A\u{202e}live\u{2028}x\u{e0041}";

    #[test]
    fn words_for_a_record_are_one_line_that_shows() {
        let line = one_line(FORGED);
        assert_eq!(line, "ok    approved [2K 1A live x ");
        assert_eq!(one_line(&"x".repeat(300)).len(), MAX_WORDS);
        assert_eq!(one_line("Grüße, 東京 – 5 €"), "Grüße, 東京 – 5 €");
    }

    #[test]
    fn a_terminal_gets_nothing_that_it_acts_on() {
        let text = visible(FORGED);
        assert!(text.chars().all(|c| c == '\n' || !is_hidden(c)), "{text:?}");
        assert!(text.contains("\\u000d\n") && text.contains("\\u001b[2K\\u009b1A\\u202elive"));
        assert!(text.ends_with("\\udb40\\udc41"), "{text:?}");
    }

    #[test]
    fn json_of_records_is_the_same_when_it_is_read() {
        let mut json = String::new();
        crate::codec::show_text(FORGED, &mut json);
        assert!(!json.chars().any(is_hidden), "{json:?}");
        assert!(json.contains("\\u000d\\u000a") && json.contains("\\udb40\\udc41"));
    }
}
