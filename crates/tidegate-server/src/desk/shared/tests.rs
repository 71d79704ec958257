use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Venue {
    asked: AtomicUsize,
    refusal: Option<Code>,
}

impl Venue {
    async fn fetch(self: Arc<Venue>) -> Result<Reply, Reject> {
        let n = self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(50)).await;
        match self.refusal {
            Some(code) => Err(Reject::new(code, n.to_string())),
            None => {
                Ok(Reply { status: 200, headers: Vec::new(), body: n.to_string().into_bytes() })
            }
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn ask(shared: &Shared, venue: &Arc<Venue>, resource: &str, times: usize) {
    let asked =
        (0..times).map(|_| shared.get(resource.to_owned(), PATIENCE, || Arc::clone(venue).fetch()));
    futures_util::future::join_all(asked).await;
}

#[tokio::test]
async fn fifty_who_ask_at_once_cost_the_venue_one_fetch() {
    let (shared, venue) = (Shared::default(), Arc::<Venue>::default());
    ask(&shared, &venue, "GET /depth", 50).await;
    assert_eq!(venue.asked(), 1);
    ask(&shared, &venue, "GET /trades", 50).await;
    assert_eq!(venue.asked(), 2, "another resource");
}

#[tokio::test]
async fn an_answer_that_is_too_old_serves_nobody() {
    let (shared, venue) = (Shared::default(), Arc::<Venue>::default());
    ask(&shared, &venue, "GET /depth", 1).await;
    tokio::time::sleep(age() + Duration::from_millis(20)).await;
    ask(&shared, &venue, "GET /depth", 1).await;
    assert_eq!(venue.asked(), 2);
}

#[tokio::test]
async fn who_waited_for_a_failure_has_it_and_who_comes_later_asks_anew() {
    let (shared, venue) = (
        Shared::default(),
        Arc::new(Venue { refusal: Some(Code::VenueUnreachable), ..Venue::default() }),
    );
    ask(&shared, &venue, "GET /depth", 1).await;
    assert_eq!(venue.asked(), 1);
    ask(&shared, &venue, "GET /depth", 1).await;
    assert_eq!(venue.asked(), 2, "a failure is not kept");
    // One's own share of the rate limit is nobody else's.
    let (shared, venue) = (
        Shared::default(),
        Arc::new(Venue { refusal: Some(Code::VenueBudget), ..Venue::default() }),
    );
    ask(&shared, &venue, "GET /depth", 5).await;
    assert_eq!(venue.asked(), 5);
}

#[tokio::test]
async fn what_nobody_wants_any_more_is_let_go_of() {
    let (shared, venue) = (Shared::default(), Arc::<Venue>::default());
    let resources = (0..ENOUGH)
        .map(|n| shared.get(format!("GET /{n}"), PATIENCE, || Arc::clone(&venue).fetch()));
    futures_util::future::join_all(resources).await;
    assert_eq!(shared.0.lock().unwrap().len(), ENOUGH);
    tokio::time::sleep(age() + Duration::from_millis(20)).await;
    ask(&shared, &venue, "GET /more", 1).await;
    assert_eq!(shared.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_fetch_goes_on_for_others_when_whoever_began_it_is_gone() {
    let (shared, venue) = (Shared::default(), Arc::<Venue>::default());
    let first = ask(&shared, &venue, "GET /depth", 1);
    assert!(tokio::time::timeout(Duration::from_millis(10), first).await.is_err());
    ask(&shared, &venue, "GET /depth", 5).await;
    assert_eq!(venue.asked(), 1);
}

#[tokio::test]
async fn nobody_waits_for_others_longer_than_it_may() {
    let (shared, venue) = (Shared::default(), Arc::<Venue>::default());
    let hangs = || async {
        std::future::pending::<()>().await;
        Err(Reject::new(Code::VenueUnreachable, ""))
    };
    let first = shared.get("GET /depth".to_owned(), PATIENCE, hangs);
    assert!(tokio::time::timeout(Duration::from_millis(10), first).await.is_err());
    let patience = Duration::from_millis(50);
    let refused = shared.get("GET /depth".to_owned(), patience, || Arc::clone(&venue).fetch());
    assert_eq!(refused.await.unwrap_err().code, Code::WaitedTooLong);
    assert_eq!(venue.asked(), 0);
}
