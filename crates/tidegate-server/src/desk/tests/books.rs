//! The simulator tells its book and leaves a change out.

use super::*;
use crate::upstream::{Pool, Roots, follow_books};
use tidegate_sim::config::SimConfig;
use tidegate_sim::{SimReady, engine};

/// A simulator on a thread of its own, which ends with the test program.
pub(super) async fn simulator(folder: &std::path::Path) -> SimReady {
    let listen = "127.0.0.1:0".parse().unwrap();
    let mut config = SimConfig::standard(folder.to_owned(), listen, 7, &[engine::Venue::Binance]);
    (config.tls, config.control, config.few) = (false, true, true);
    let (tell, ready) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let run = tidegate_sim::run(config, |told| drop(tell.send(told)), std::future::pending());
        runtime.block_on(run).unwrap();
    });
    ready.await.unwrap()
}

async fn faults(sim: &SimReady, method: &str, body: &str) {
    control(sim, method, "/sim/faults", body).await;
}

/// Tells the simulator what it is to do, past its venues.
pub(super) async fn control(sim: &SimReady, method: &str, target: &str, body: &str) {
    let pool = Pool::new(&sim.url, &sim.url.replace("http", "ws"), &Roots::System).unwrap();
    let request = WireRequest {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
        body: body.to_owned(),
    };
    let reply = pool.send(request, Departure::certain()).await.unwrap();
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
}

/// Waits until the books that are lost look so; for how long, other load decides.
async fn until_lost(desk: &Desk, so: impl Fn(Option<bool>) -> bool) {
    for _ in 0..3_000 {
        let whole = |state: &State| state.lost_books().next().map(|(_, lost)| lost.whole.is_some());
        if so(desk.look(whole)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the books do not come to look so");
}

#[tokio::test]
async fn a_change_that_the_exchange_leaves_out_stops_orders_until_the_book_is_whole() {
    let world = world().await;
    let sim = simulator(&world.folder.path().join("sim")).await;
    let pool = Pool::new(&sim.venues[0].rest, &sim.venues[0].ws, &Roots::System).unwrap();
    let link = Arc::new(Link::new(registry::find(&name(VENUE)).unwrap(), Box::new(pool)));
    let sink: Arc<dyn Sink> = world.desk.clone();
    tokio::spawn(follow_books(sink, link));
    // An order makes its book wanted.
    let first = world.desk.submit(ann(), None, buy("1", "100")).await;
    assert!(matches!(first, Answer::Venue { .. }), "{first:?}");
    // Until the book is whole, a change left out is no loss; so one after the other is.
    for _ in 0..300 {
        let gap = r#"{"venue":"binance","path":"btcusdt@depth","fault":"gap"}"#;
        faults(&sim, "POST", gap).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        if world.desk.look(|state| state.lost_books().next().is_some()) {
            break;
        }
    }
    faults(&sim, "DELETE", "").await;
    until_lost(&world.desk, |lost| lost.is_some()).await;
    let refused = world.desk.submit(ann(), None, buy("2", "100")).await;
    assert_eq!(code(&refused), Some(Code::StaleMark));
    // It becomes whole by itself.
    until_lost(&world.desk, |lost| lost == Some(true)).await;
    let refused = world.desk.submit(ann(), None, buy("2", "100")).await;
    assert_eq!(code(&refused), Some(Code::StaleMark), "no mark is newer than the book");
    // One more change may have been left out just then: marks go on.
    until_lost(&world.desk, |lost| {
        mark(&world.desk, "100");
        lost.is_none()
    })
    .await;
    let passes = world.desk.submit(ann(), None, buy("2", "100")).await;
    assert!(matches!(passes, Answer::Venue { .. }), "{passes:?}");
}
