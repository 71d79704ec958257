use super::*;

const NOW: Time = Time::from_millis(1_700_000_000_000);
const ORDER: Class = Class::Order { legs: 1 };

fn limits() -> Limits {
    Limits { caller: (1000, 1000), at_once: 2, waiting: 1, inside: 8, ..Limits::default() }
}

fn caller(name: &str) -> Whose {
    Whose::Caller(CallerName::new(name).unwrap())
}

/// What comes of asking, without waiting for a turn.
async fn asks(turns: &Arc<Turns>, whose: Whose, class: Class) -> Result<Turn, Option<Code>> {
    let taken = turns.take(whose, class, NOW);
    match tokio::time::timeout(Duration::ZERO, taken).await {
        Ok(taken) => taken.map_err(|reject| Some(reject.code)),
        Err(_) => Err(None),
    }
}

#[tokio::test]
async fn a_caller_s_requests_wait_behind_its_own_and_nobody_else_s_do() {
    let turns = Turns::new(limits());
    let first = asks(&turns, caller("flood"), ORDER).await.unwrap();
    let _second = asks(&turns, caller("flood"), ORDER).await.unwrap();
    let behind = Arc::clone(&turns);
    let third = tokio::spawn(async move { behind.take(caller("flood"), ORDER, NOW).await });
    tokio::task::yield_now().await;
    assert!(!third.is_finished(), "it waits");
    let fourth = asks(&turns, caller("flood"), ORDER).await;
    assert_eq!(fourth.err(), Some(Some(Code::OwnQueue)), "the queue has an end");
    let _cancel = asks(&turns, caller("flood"), Class::Cancel).await.expect("its cancels go");
    let _other = asks(&turns, caller("calm"), ORDER).await.expect("others go");
    drop(first);
    assert!(third.await.unwrap().is_ok(), "its turn has come");
}

#[tokio::test]
async fn who_waits_too_long_is_told_and_leaves_no_trace() {
    let turns = Turns::new(limits());
    let held = [
        asks(&turns, caller("a"), ORDER).await.unwrap(),
        asks(&turns, caller("a"), ORDER).await.unwrap(),
    ];
    let refused = turns.take(caller("a"), ORDER, NOW).await.unwrap_err();
    assert_eq!((refused.code, refused.wait()), (Code::OwnQueue, Some(COME_AGAIN)));
    // A caller that goes away while it waits leaves its place too.
    assert_eq!(asks(&turns, caller("a"), ORDER).await.err(), Some(None));
    drop(held);
    let state = turns.state();
    assert_eq!((state.others, state.cancels, state.lanes.len()), (0, 0, 0));
}

#[tokio::test]
async fn when_room_is_short_reads_make_way_for_orders_and_orders_for_cancels() {
    let turns = Turns::new(limits());
    let mut held = Vec::new();
    let mut let_in = Vec::new();
    for (n, class) in [(5, Class::Public), (3, Class::Read), (3, ORDER), (9, Class::Cancel)] {
        let mut passed = 0;
        for at in 0..n {
            match asks(&turns, caller(&format!("c{at}-{n}")), class).await {
                Ok(turn) => {
                    held.push(turn);
                    passed += 1;
                }
                Err(code) => assert_eq!(code, Some(Code::GatewayFull), "{class:?}"),
            }
        }
        let_in.push(passed);
    }
    assert_eq!(let_in, [4, 2, 2, 8], "of room for eight");
}

#[tokio::test]
async fn what_is_asked_costs_by_what_it_is_and_cancels_cost_nothing() {
    let turns = Turns::new(Limits { caller: (1, 5), ..limits() });
    let mut asked = Vec::new();
    for class in [Class::Order { legs: 3 }, Class::Read, ORDER, Class::Cancel] {
        asked.push(asks(&turns, caller("a"), class).await.err().flatten());
    }
    assert_eq!(asked, [None, None, Some(Code::RequestRate), None]);
    assert!(asks(&turns, caller("b"), Class::Order { legs: 99 }).await.is_ok(), "a full bucket");
    let stranger = Whose::Address([192, 0, 2, 1].into());
    let mut passed = 0;
    while asks(&turns, stranger.clone(), Class::Public).await.is_ok() {
        passed += 1;
    }
    assert_eq!(passed, 2, "strangers pay by their address");
}
