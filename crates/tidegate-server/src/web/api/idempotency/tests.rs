use super::*;
use tidegate_types::request::Method;
use tidegate_types::time::Span;

fn request(body: &str) -> RawRequest {
    RawRequest {
        method: Method::Post,
        path: "/v1/orders".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
        peer: [127, 0, 0, 1].into(),
        certificate: None,
    }
}

fn reply(text: &str) -> Reply {
    Reply { status: 201, headers: Vec::new(), body: text.as_bytes().to_vec() }
}

fn begin(
    answers: &Answers,
    caller: &str,
    key: &str,
    body: &str,
    at: u64,
) -> Result<Begun, Problem> {
    let now = Time::from_millis(at);
    let (caller, account) = caller.split_once('@').unwrap_or((caller, "main"));
    let seat = (caller.parse().unwrap(), account.parse().unwrap());
    answers.begin(&seat, key, &request(body), now)
}

fn answered(begun: Result<Begun, Problem>) -> Option<Reply> {
    match begun.unwrap() {
        Begun::New(_) => None,
        Begun::Before(reply) => Some(reply),
    }
}

#[test]
fn the_same_is_answered_the_same_and_another_is_refused() {
    let answers = Answers::since(Time::default());
    let Begun::New(work) = begin(&answers, "ann", "k", "{}", 0).unwrap() else { panic!("known") };
    assert_eq!(begin(&answers, "ann", "k", "{}", 1).unwrap_err().status, 409);
    assert_eq!(begin(&answers, "ann", "k", "{ }", 1).unwrap_err().status, 422);
    work.end(&reply("a"));
    assert_eq!(answered(begin(&answers, "ann", "k", "{}", 2)), Some(reply("a")));
    assert_eq!(begin(&answers, "ann", "k", "{ }", 2).unwrap_err().status, 422);
    assert_eq!(answered(begin(&answers, "bob", "k", "{ }", 2)), None, "keys are their caller's");
    assert_eq!(answered(begin(&answers, "ann@sub", "k", "{}", 2)), None, "and their account's");
    let later = IDEMPOTENCY_LIFETIME.millis() + 3;
    assert_eq!(answered(begin(&answers, "ann", "k", "{ }", later)), None, "a day later it is new");
}

#[test]
fn what_was_given_up_may_come_again() {
    let answers = Answers::since(Time::default());
    drop(begin(&answers, "ann", "k", "{}", 0).unwrap());
    assert_eq!(answered(begin(&answers, "ann", "k", "{ }", 1)), None);
}

#[test]
fn the_oldest_goes_when_there_are_too_many() {
    let answers = Answers::since(Time::default());
    let far = Span::from_millis(1);
    for n in 0..=MAX_IDEMPOTENCY_KEYS {
        let Begun::New(work) = begin(&answers, "ann", &n.to_string(), "{}", far.millis()).unwrap()
        else {
            panic!("known")
        };
        work.end(&reply("a"));
    }
    assert_eq!(answered(begin(&answers, "ann", "0", "{}", 2)), None);
    assert!(answers.tables().values().all(|t| t.entries.len() <= MAX_IDEMPOTENCY_KEYS));
}
