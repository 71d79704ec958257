use super::*;

/// What is handed on, when the bytes come in pieces of this size.
fn handed_on(text: &str, piece: usize) -> String {
    let mut lines = Lines::default();
    let mut bytes = text.as_bytes().to_vec();
    for piece in bytes.chunks_mut(piece) {
        lines.watch(piece);
    }
    String::from_utf8(bytes).unwrap()
}

const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

#[test]
fn the_first_line_that_is_not_to_be_taken_is_spoilt_and_nothing_else() {
    let post = |length: &str, body: &str| format!("POST /a HTTP/1.1\r\n{length}\r\n\r\n{body}");
    // `~` stands for the line's end that is spoilt.
    let table = [
        GET.to_owned(),
        GET.repeat(3),
        format!("\r\n\r\n{GET}"),
        "GET /a HTTP/1.1~Host: h\n\n".to_owned(),
        "GET /a HTTP/1.1\r\nHost: h~X: y\r\n\r\n".to_owned(),
        "GET /a HTTP/1.1\r\nHost: h\r\n~".to_owned(),
        format!("~{GET}"),
        format!("{GET}GET /a HTTP/1.1~Host: h\r\n\r\n"),
        post("Content-Length: 6", "a\nb\n\nc") + GET,
        post("Content-Length: 6", "a\nb\n\nc") + "GET /a HTTP/1.1~\r\n",
        post("Content-Length: 30", GET) + "GET /a HTTP/1.1~\r\n",
        post("content-LENGTH:\t007 ", "a\nb\n\ncd") + GET,
        post("Content-Length: 0", GET),
        post("Content-Length: 3\r\nContent-Length: 3\r~", "\n\nabc"),
        post("Content-Length: 3\r\ncontent-length:3\r~", "\n\nabc"),
        post("Content-Length: 3\r\nX: y\r\nContent-Length: 3\r~", "\n\nabc"),
        post("Content-Length: 3\r\nContent-Length : 3\r~", "\n\nabc"),
        post("Content-Length: 3, 3\r~", "\n\nabc"),
        post("Content-Length: +3\r~", "\n\nabc"),
        post("Content-Length:\r~", "\n\nabc"),
        post("Content-Length\r~", "\n\nabc"),
        post(&format!("Content-Length: {}\r~", "9".repeat(20)), "\n\nabc"),
        post(&format!("Content-Length: {}3\r~", "0".repeat(60)), "\n\nabc"),
        post(&format!("Content-Lengthy: {}", "a".repeat(90)), "") + GET,
    ];
    for expected in table {
        // What stands for an end that lost its CR, or had none, was an LF.
        let expected = expected.replace("\r~\r\n", "\r~");
        let text = expected.replace('~', "\n");
        for piece in [1, 2, 7, text.len()] {
            let seen = handed_on(&text, piece).replace('\0', "~");
            assert_eq!(seen, expected, "in pieces of {piece}: {text:?}");
        }
    }
}
