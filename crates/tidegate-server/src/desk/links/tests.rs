//! A link to a venue whose answers to public reads never come.

use super::*;
use crate::desk::{BoxedSocket, CALLED_BACK};
use futures_util::future::BoxFuture;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use tidegate_types::limits::MAX_QUEUED_READS;
use tidegate_venues::registry;
use tidegate_venues::upstream::Stops;
use tokio::sync::watch;

const LEAVE: Duration = Duration::from_millis(500);

#[derive(Default)]
struct Slow {
    /// Whether everything hangs before it leaves, not public reads alone.
    unreachable: AtomicBool,
    /// Whether what came waits before it leaves, and how many do.
    held: AtomicBool,
    holding: AtomicUsize,
    arrived: AtomicUsize,
    answer: Mutex<Option<Reply>>,
    /// What a handshake is answered with.
    shut: Mutex<Option<Reply>>,
}

impl Transport for Arc<Slow> {
    fn send<'a>(
        &'a self,
        request: WireRequest,
        departure: Departure<'a>,
    ) -> BoxFuture<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            if self.unreachable.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            self.holding.fetch_add(1, Ordering::Relaxed);
            while self.held.load(Ordering::Relaxed) {
                tokio::task::yield_now().await;
            }
            if !(departure.may_leave)() {
                return Err(Failure::NotSent(CALLED_BACK.to_owned()));
            }
            (departure.left)();
            self.arrived.fetch_add(1, Ordering::Relaxed);
            if request.target.starts_with("/fapi/v1/depth") {
                std::future::pending::<()>().await;
            }
            let told = self.answer.lock().unwrap().clone();
            Ok(told.unwrap_or(Reply { status: 200, headers: Vec::new(), body: Vec::new() }))
        })
    }

    fn socket<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<BoxedSocket, NotOpen>> {
        let answer = self.shut.lock().unwrap().clone();
        Box::pin(async { Err(NotOpen { why: "no sockets here".to_owned(), answer }) })
    }
}

fn link(venue: &str) -> (Arc<Link>, Arc<Slow>) {
    link_with_patience(venue, Duration::ZERO)
}

fn link_with_patience(venue: &str, patience: Duration) -> (Arc<Link>, Arc<Slow>) {
    let venue = registry::find(&VenueName::new(venue).unwrap()).unwrap();
    let slow = Arc::new(Slow::default());
    let mut link = Link::new(venue, Box::new(Arc::clone(&slow)));
    (link.leave_within, link.answer_within) = (LEAVE + 8 * patience, 2 * LEAVE);
    let read_patience = Span::from_micros(patience.as_micros() as u64);
    let link = link.shared(Shares { read_patience, ..Shares::default() }, None);
    (Arc::new(link), slow)
}

/// What a venue tells as its minute turns is not believed: tests do not begin then.
async fn within_a_minute() {
    let second = clock::now().millis() % 60_000;
    if !(1_500..40_000).contains(&second) {
        tokio::time::sleep(Duration::from_millis((61_500 - second) % 60_000)).await;
    }
}

fn order_on(account: &AccountName) -> Errand<'_> {
    Errand::Order { caller: None, account, reduces: false }
}

fn request(target: &str) -> WireRequest {
    let (method, target) = target.split_once(' ').unwrap();
    WireRequest {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
        body: String::new(),
    }
}

fn account() -> AccountName {
    AccountName::new("main").unwrap()
}

fn stranger(n: usize) -> Errand<'static> {
    Errand::Public { peer: [10, 0, (n / 256) as u8, (n % 256) as u8].into() }
}

async fn flood(link: &Arc<Link>, requests: usize) {
    for n in 0..requests {
        let link = Arc::clone(link);
        tokio::spawn(async move {
            let _ = link.fetch(stranger(n), request("GET /fapi/v1/depth?limit=5")).await;
        });
    }
    // One turn for each, and some to spare.
    for _ in 0..requests {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn public_reads_that_hang_keep_nothing_else_waiting() {
    let (link, slow) = link("binance");
    let most = link.venue().connections().public;
    flood(&link, most + MAX_QUEUED_READS).await;
    assert_eq!(slow.arrived.load(Ordering::Relaxed), most, "the others wait");
    let more = link.fetch(stranger(9999), request("GET /fapi/v1/time")).await.unwrap_err();
    assert_eq!(more.code, Code::TooManyInFlight, "{more}");
    let (main, ann) = (account(), CallerName::new("ann").unwrap());
    for (errand, target) in [
        (Errand::cancel(&main), "DELETE /fapi/v1/order"),
        (Errand::cancel(&main), "GET /fapi/v1/openOrders"),
        (order_on(&main), "POST /fapi/v1/order"),
        (Errand::Upkeep(None), "GET /fapi/v1/exchangeInfo"),
        (Errand::Read { caller: &ann, account: &main }, "GET /fapi/v2/account"),
    ] {
        assert!(link.fetch(errand, request(target)).await.is_ok(), "{target}");
    }
}

#[tokio::test]
async fn a_request_whose_signature_would_be_stale_never_leaves() {
    let (link, slow) = link("binance");
    slow.unreachable.store(true, Ordering::Relaxed);
    let main = account();
    let result = link
        .send(Errand::cancel(&main), request("DELETE /fapi/v1/order"), Departure::certain())
        .await;
    assert!(matches!(result, Err(SendError::NotSent(_))), "{result:?}");
    // One that left is waited for, and its outcome is unknown.
    slow.unreachable.store(false, Ordering::Relaxed);
    let result =
        link.send(order_on(&main), request("GET /fapi/v1/depth"), Departure::certain()).await;
    assert_eq!(result, Err(SendError::Unknown("no answer in time".to_owned())));
    assert_eq!(slow.arrived.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_waits_behind_others_that_hang_is_not_sent() {
    let (link, slow) = link("binance");
    let most = link.venue().connections().public;
    flood(&link, most).await;
    let late = link.send(stranger(999), request("GET /fapi/v1/time"), Departure::certain()).await;
    assert!(matches!(late, Err(SendError::NotSent(_))), "{late:?}");
    assert_eq!(slow.arrived.load(Ordering::Relaxed), most);
}

#[tokio::test]
async fn strangers_cannot_use_up_what_orders_cancels_and_snapshots_need() {
    within_a_minute().await;
    let (link, slow) = link("binance");
    let depth = || request("GET /fapi/v1/trades?symbol=BTCUSDT&limit=1000");
    let mut passed = 0;
    let refused = loop {
        match link.fetch(stranger(passed % 50), depth()).await {
            Ok(_) => passed += 1,
            Err(reject) => break reject,
        }
    };
    assert!((140..=160).contains(&passed), "of five each: {passed}");
    assert_eq!(refused.code, Code::VenueBudget);
    assert!(refused.wait().is_some(), "{refused}");
    let main = account();
    for part in ["v1/openOrders", "v1/openAlgoOrders", "v3/positionRisk", "v3/account"] {
        let part = request(&format!("GET /fapi/{part}"));
        assert!(link.fetch(Errand::cancel(&main), part).await.is_ok());
    }
    // Whatever anybody at this address used, the venue tells.
    let told = vec![("x-mbx-used-weight-1m".to_owned(), "2290".to_owned())];
    *slow.answer.lock().unwrap() = Some(Reply { status: 200, headers: told, body: Vec::new() });
    let order = || request("POST /fapi/v1/order?symbol=BTCUSDT");
    assert!(link.fetch(order_on(&main), order()).await.is_ok());
    let ann = CallerName::new("ann").unwrap();
    let read = Errand::Read { caller: &ann, account: &main };
    let refused = link.fetch(read, request("GET /fapi/v2/account")).await.unwrap_err();
    assert_eq!(refused.code, Code::VenueBudget);
    assert!(link.fetch(order_on(&main), order()).await.is_ok());
}

#[tokio::test]
async fn a_read_waits_for_room_that_is_there_soon_and_for_no_other() {
    within_a_minute().await;
    // All that a stranger may read at once, and what then comes every third of a second.
    let (link, slow) = link_with_patience("binance", LEAVE);
    let trades = || request("GET /fapi/v1/trades?symbol=BTCUSDT&limit=1000");
    for n in 0..134 {
        let read = link.fetch(stranger(0), trades()).await;
        assert!(read.is_ok(), "{n}: {read:?}");
    }
    assert_eq!(slow.arrived.load(Ordering::Relaxed), 134);
    let told = vec![("x-mbx-used-weight-1m".to_owned(), "2290".to_owned())];
    *slow.answer.lock().unwrap() = Some(Reply { status: 200, headers: told, body: Vec::new() });
    assert!(link.fetch(stranger(0), trades()).await.is_ok());
    let refused = link.fetch(stranger(1), trades()).await.unwrap_err();
    assert_eq!(refused.code, Code::VenueBudget);
    assert!(refused.wait().is_some(), "{refused}");
}

#[tokio::test]
async fn what_did_not_leave_costs_nothing() {
    let (link, slow) = link("binance");
    slow.unreachable.store(true, Ordering::Relaxed);
    let (ann, main) = (CallerName::new("ann").unwrap(), account());
    let read = Errand::Read { caller: &ann, account: &main };
    // A venue that is away: everything is tried again and again, more than a minute's weight of it.
    let tries = (0..100).map(|_| async {
        let snapshot = link.fetch(Errand::cancel(&main), request("GET /fapi/v1/openOrders"));
        let account = link.fetch(read, request("GET /fapi/v2/account"));
        let _ = tokio::join!(snapshot, account);
    });
    futures_util::future::join_all(tries).await;
    slow.unreachable.store(false, Ordering::Relaxed);
    for _ in 0..100 {
        let answer = link.fetch(read, request("GET /fapi/v2/account")).await;
        assert!(answer.is_ok(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_venue_that_asks_to_wait_still_gets_cancels_and_snapshots() {
    let (link, slow) = link("binance");
    let main = account();
    let told = vec![("retry-after".to_owned(), "20".to_owned())];
    *slow.answer.lock().unwrap() = Some(Reply { status: 429, headers: told, body: Vec::new() });
    assert!(link.fetch(stranger(1), request("GET /fapi/v1/time")).await.is_ok());
    *slow.answer.lock().unwrap() = None;
    let refused = link.fetch(order_on(&main), request("POST /fapi/v1/order")).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, Code::VenueFrozen);
    assert!(refused.wait().is_some_and(|wait| wait > Span::from_secs(18)), "{refused}");
    assert!(link.fetch(Errand::cancel(&main), request("GET /fapi/v1/openOrders")).await.is_ok());
}

#[tokio::test]
async fn an_order_that_grew_old_on_its_way_here_is_not_sent() {
    let (link, slow) = link("binance");
    let main = account();
    let old = link.order_patience(None);
    let send = |errand, target| {
        let departure =
            Departure { since: std::time::Instant::now() - old, ..Departure::certain() };
        link.send(errand, request(target), departure)
    };
    let refused = send(order_on(&main), "POST /fapi/v1/order").await;
    let Err(SendError::NotSent(reject)) = refused else { panic!("{refused:?}") };
    assert_eq!(reject.code, Code::WaitedTooLong);
    assert_eq!(slow.arrived.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_handshake_that_the_venue_answers_with_a_stop_stops_what_it_says() {
    let (link, slow) = link("binance");
    assert!(link.socket(None, "/ws").await.is_err());
    let stopped = |from| link.weir.stops(&Errand::cancel(&account()), from);
    assert!(stopped(0).is_none(), "a closed door is no stop");
    let headers = vec![("retry-after".to_owned(), "30".to_owned())];
    *slow.shut.lock().unwrap() = Some(Reply { status: 418, headers, body: Vec::new() });
    assert!(link.socket(None, "/ws").await.is_err());
    assert_eq!(stopped(0).map(|reject| reject.code), Some(Code::VenueFrozen), "not even cancels");
    let again = link.socket(None, "/ws").await.err().unwrap();
    assert!(!again.contains("no sockets here"), "not dialled again: {again}");
}

#[tokio::test]
async fn what_paid_before_the_venue_asked_to_wait_does_not_leave_after_it() {
    let (link, slow) = link("binance");
    let main = account();
    slow.held.store(true, Ordering::Relaxed);
    let (order, cancel) = (request("POST /fapi/v1/order"), request("GET /fapi/v1/openOrders"));
    let orders = async {
        let order = link.fetch(order_on(&main), order);
        let cancel = link.fetch(Errand::cancel(&main), cancel);
        tokio::join!(order, cancel)
    };
    let freeze = async {
        while slow.holding.load(Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
        let told = BackOff { stops: Stops::Requests, wait: Span::from_secs(20), until: None };
        link.weir.freeze(told, (0, None));
        slow.held.store(false, Ordering::Relaxed);
    };
    let ((order, cancel), ()) = tokio::join!(orders, freeze);
    assert_eq!(order.unwrap_err().code, Code::VenueFrozen);
    assert!(cancel.is_ok(), "a cancel is worth it");
    assert_eq!(slow.arrived.load(Ordering::Relaxed), 1);
    let socket = link.socket(None, "/ws").await.err().unwrap();
    assert!(socket.contains("stopped requests"), "{socket}");
}

/// A link to a venue where cancels of one payer have used all they may at once; then one comes every twentieth of a
/// second.
async fn spent() -> Arc<Link> {
    let (link, _) = link("deribit");
    let main = account();
    while link.gauge().uses.iter().all(|told| told.used + 500 <= told.limit - told.reserved / 2) {
        let open = request("GET /api/v2/private/get_open_orders");
        assert!(link.fetch(Errand::cancel(&main), open).await.is_ok());
    }
    link
}

#[tokio::test]
async fn the_cancels_of_one_caller_do_not_keep_those_of_another_waiting() {
    let link = spent().await;
    let served = Arc::new(Mutex::new(Vec::new()));
    let cancels = |who: &'static str| {
        let (link, served) = (Arc::clone(&link), Arc::clone(&served));
        tokio::spawn(async move {
            let (main, caller) = (account(), who.parse().unwrap());
            let errand = Errand::Cancel { caller: Some(&caller), account: &main };
            let open = request("GET /api/v2/private/get_open_orders");
            link.send(errand, open, Departure::certain()).await.unwrap();
            served.lock().unwrap().push(who);
        })
    };
    let mut waiting: Vec<_> = (0..20).map(|_| cancels("runaway")).collect();
    while link.gauge().waiting + served.lock().unwrap().len() < 20 {
        tokio::task::yield_now().await;
    }
    let before = served.lock().unwrap().len();
    waiting.push(cancels("other"));
    futures_util::future::join_all(waiting).await;
    let place = served.lock().unwrap().iter().position(|who| *who == "other").unwrap();
    assert!(place <= before + 2 && place < 15, "{place}, {before} before");
}

#[tokio::test]
async fn a_cancel_that_becomes_a_halt_s_while_it_waits_overtakes_the_others() {
    let link = spent().await;
    let open = || request("GET /api/v2/private/get_open_orders");
    let (tell, kill) = watch::channel(false);
    let served = Arc::new(Mutex::new(Vec::new()));
    let waiting = (0..20).map(|n| {
        let (link, served, kill) = (Arc::clone(&link), Arc::clone(&served), kill.clone());
        tokio::spawn(async move {
            let kill = (n == 19).then_some(kill);
            let departure = Departure { kill, ..Departure::certain() };
            let main = account();
            link.send(Errand::cancel(&main), open(), departure).await.unwrap();
            served.lock().unwrap().push(n);
        })
    });
    let waiting: Vec<_> = waiting.collect();
    while link.gauge().waiting + served.lock().unwrap().len() < 20 {
        tokio::task::yield_now().await;
    }
    let before = served.lock().unwrap().len();
    tell.send_replace(true);
    futures_util::future::join_all(waiting).await;
    let served = served.lock().unwrap();
    let place = served.iter().position(|n| *n == 19).unwrap();
    assert!(place <= before + 1 && place < 10, "{served:?}");
}

#[test]
fn shared_sockets_leave_connections_for_the_gateway_s_own_streams() {
    let (link, _) = link("deribit");
    let most = link.venue().connections().sockets;
    let places: Vec<_> = (0..2 * most).map_while(|_| link.reserve_socket().ok()).collect();
    assert_eq!(places.len(), most);
    assert_eq!(link.reserve_socket().unwrap_err().code, Code::TooManyInFlight);
    drop(places);
    assert!(link.reserve_socket().is_ok());
}

#[tokio::test]
async fn no_more_of_an_account_s_are_on_their_way_than_the_venue_queues() {
    let (link, slow) = link("deribit");
    slow.held.store(true, Ordering::Relaxed);
    let send = |kill: bool, account: &'static str| {
        let link = Arc::clone(&link);
        tokio::spawn(async move {
            let account = AccountName::new(account).unwrap();
            let (errand, target) = match kill {
                true => (Errand::Kill(&account), "GET /api/v2/private/cancel?order_id=1"),
                false => (
                    Errand::Order { caller: None, account: &account, reduces: true },
                    "GET /api/v2/private/buy?amount=1",
                ),
            };
            link.send(errand, request(target), Departure::certain()).await.is_ok()
        })
    };
    let mut sent: Vec<_> = (0..4).map(|_| send(false, "main")).collect();
    sent.extend((0..5).map(|_| send(true, "main")));
    let settled = || async {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        slow.holding.load(Ordering::Relaxed)
    };
    assert_eq!(settled().await, 8, "of nine");
    sent.push(send(true, "other"));
    assert_eq!(settled().await, 9, "another account's");
    slow.held.store(false, Ordering::Relaxed);
    for one in sent {
        assert!(one.await.unwrap());
    }
    assert_eq!(settled().await, 10);
}

#[tokio::test]
async fn what_another_product_s_host_answers_tells_nothing_of_this_one() {
    let (link, slow) = link("binance");
    let headers = [("retry-after", "20"), ("x-mbx-used-weight-1m", "6000")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    *slow.answer.lock().unwrap() = Some(Reply { status: 418, headers, body: Vec::new() });
    assert!(link.fetch(stranger(1), request("GET /api/v3/ping")).await.is_ok());
    *slow.answer.lock().unwrap() = None;
    assert!(link.gauge().frozen.is_empty());
    assert!(link.fetch(stranger(1), request("GET /fapi/v1/time")).await.is_ok());
    assert!(link.gauge().uses.iter().all(|told| told.used < 10), "{:?}", link.gauge().uses);
}
