//! Placing, amending and cancelling: an intent goes to the core as from every other door, and what came of
//! it is told from the table of orders.

use super::ask::{Ask, content};
use super::idempotency::{self, Begun, Seat};
use super::orders::{
    Amend, CancelOrders, Cancelled, Order, PlaceOrder, caller_order_id, instrument_id, is_undecided,
};
use super::problem::{Problem, VenueWords};
use super::{Api, Change, json, order_name};
use tidegate_core::action::Answer;
use tidegate_core::orders::{Ending, Order as Known, Stage, Terms};
use tidegate_identity::Named;
use tidegate_types::call::CallBody;
use tidegate_types::ids::{CallerOrderId, OrderId, VenueName};
use tidegate_types::order::{CancelFilter, CancelOrder, Intent, NewOrder, OrderName};
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::Outcome;
use tidegate_types::request::{RawRequest, Reply};
use tidegate_types::time::Time;
use tidegate_venues::front::Instruments;
use tidegate_venues::registry;

impl Api {
    /// Places an order. Under an idempotency key it is placed once, also over a restart: the order
    /// bears the key as its id, and is found by that.
    pub(super) async fn place(&self, asked: Change<'_>) -> Result<Reply, Problem> {
        let Change { who, named, request, now } = asked;
        let read = || {
            let key = key_of(request)?;
            let id = match &key {
                Some(key) => caller_order_id(key)?,
                None => made_up()?,
            };
            Ok::<_, Problem>((key, content::<PlaceOrder>(request)?.into_order(&id)?))
        };
        let (key, order) = read().inspect_err(|problem| self.note(&named, problem))?;
        let Some(key) = key else { return self.place_new(who, order, now).await };
        let work = match self.answers.begin(&self.seat(&named, now)?, &key, request, now)? {
            // What nobody knew then may be known by now.
            Begun::Before(reply) if reply.status == 202 => {
                let known = self.placed_before(&named, &order, |_| true)?;
                return Ok(again(known.unwrap_or(reply)));
            }
            Begun::Before(reply) => return Ok(again(reply)),
            Begun::New(work) => work,
        };
        // Under an id of its own an order of since the start came under another key, which is known.
        let by_key = order.caller_id.as_ref().is_some_and(|id| id.as_str() == key);
        let may_be = |known: &Known| by_key || self.answers.is_before(known.placed);
        if let Some(reply) = self.placed_before(&named, &order, may_be)? {
            return Ok(again(reply));
        }
        let reply = self.place_new(who, order, now).await?;
        work.end(&reply);
        Ok(reply)
    }

    /// Whose answers are looked for: nobody's who may not read them now.
    fn seat(&self, who: &Named, now: Time) -> Result<Seat, Problem> {
        self.desk.may_read(who.caller(), who.account(), now)?;
        Ok((who.caller().clone(), who.account().clone()))
    }

    /// An order under a key whose answer is not kept any more. What never came to be is none: its request
    /// may come again.
    fn placed_before(
        &self,
        who: &Named,
        order: &NewOrder,
        may_be: impl Fn(&Known) -> bool,
    ) -> Result<Option<Reply>, Problem> {
        let Some(id) = &order.caller_id else { return Ok(None) };
        let found = self.look(|state| {
            let mut known = state.orders().by_caller(who.caller(), who.account(), id);
            let known = known.find(|known| came_to_be(known) && may_be(known))?;
            Some(if is_same(known, order) { Ok(Order::from(known)) } else { Err(()) })
        });
        match found {
            None => Ok(None),
            Some(Ok(order)) => shown(200, &order).map(Some),
            Some(Err(())) => Err(idempotency::reused()),
        }
    }

    async fn place_new(
        &self,
        who: Authenticated,
        order: NewOrder,
        now: Time,
    ) -> Result<Reply, Problem> {
        let (named, venue) = (Named::from(&who), who.venue().clone());
        let id = order.caller_id.clone();
        let repeats = registry::find(&venue).is_some_and(|venue| venue.repeats_order_ids());
        let signed_at = who.signed_at().filter(|_| !repeats);
        let who = self.callers.place_in_time(who, &order, signed_at, now);
        let who = who.map_err(|reject| self.refused(Some(&named), &reject))?;
        let answer = self.desk.submit(who, None, Intent::New { order }).await;
        match answer {
            Answer::Refused { reject } if reject.code == Code::OutcomeUnknown => self.unknown(
                &named,
                |state| {
                    let id = id.as_ref()?;
                    state.orders().by_caller(named.caller(), named.account(), id).next()
                },
                &reject,
            ),
            answer => self.told(&venue, answer, 201),
        }
    }

    /// Changes a live order.
    pub(super) async fn amend(&self, asked: Change<'_>, ask: &Ask) -> Result<Reply, Problem> {
        let Change { who, named, request, now } = asked;
        let read = || {
            self.desk.may_read(named.caller(), named.account(), now)?;
            Ok::<_, Problem>((
                key_of(request)?,
                order_name(ask.part(0))?,
                content::<Amend>(request)?,
            ))
        };
        let (key, name, amend) = read().inspect_err(|problem| self.note(&named, problem))?;
        let amend = Intent::Amend { amend: amend.of(name.clone()) };
        let change = self.change(who, &name, amend);
        self.once(&named, key, request, now, change).await
    }

    /// Cancels a live order.
    pub(super) async fn cancel(&self, who: Authenticated, ask: &Ask) -> Result<Reply, Problem> {
        let named = Named::from(&who);
        let name = order_name(ask.part(0)).inspect_err(|problem| self.note(&named, problem))?;
        let cancel = CancelOrder { order: name.clone(), instrument: None };
        self.change(who, &name, Intent::Cancel { cancel }).await
    }

    /// Cancels several of the caller's live orders.
    pub(super) async fn cancel_all(&self, asked: Change<'_>) -> Result<Reply, Problem> {
        let Change { who, named, request, now } = asked;
        let venue = who.venue().clone();
        let read = || {
            let asked = content::<CancelOrders>(request)?;
            let filter = CancelFilter {
                instrument: asked.instrument.as_deref().map(instrument_id).transpose()?,
                caller_id: asked.client_order_id.as_deref().map(caller_order_id).transpose()?,
                ..CancelFilter::default()
            };
            Ok::<_, Problem>((key_of(request)?, filter))
        };
        let (key, filter) = read().inspect_err(|problem| self.note(&named, problem))?;
        let work = async {
            let answer = self.desk.submit(who, None, Intent::CancelMany { filter }).await;
            self.told(&venue, answer, 200)
        };
        self.once(&named, key, request, now, work).await
    }

    /// Has a request that changes something done once under its key.
    pub(super) async fn once(
        &self,
        who: &Named,
        key: Option<String>,
        request: &RawRequest,
        now: Time,
        work: impl Future<Output = Result<Reply, Problem>>,
    ) -> Result<Reply, Problem> {
        let Some(key) = key else { return work.await };
        match self.answers.begin(&self.seat(who, now)?, &key, request, now)? {
            Begun::Before(reply) => Ok(again(reply)),
            Begun::New(begun) => {
                let reply = work.await?;
                begun.end(&reply);
                Ok(reply)
            }
        }
    }

    /// Amends or cancels one order.
    async fn change(
        &self,
        who: Authenticated,
        name: &OrderName,
        intent: Intent,
    ) -> Result<Reply, Problem> {
        let (named, venue) = (Named::from(&who), who.venue().clone());
        let answer = self.desk.submit(who, None, intent).await;
        match answer {
            Answer::Refused { reject } if reject.code == Code::OutcomeUnknown => self.unknown(
                &named,
                |state| match name {
                    OrderName::Own { id } => state.orders().get(*id),
                    OrderName::Venue { .. } | OrderName::Caller { .. } => None,
                },
                &reject,
            ),
            answer => self.told(&venue, answer, 200),
        }
    }

    /// Nobody knows yet what became of it: the order as it stands, which says so.
    fn unknown(
        &self,
        who: &Named,
        find: impl for<'a> FnOnce(&'a tidegate_core::state::State) -> Option<&'a Known>,
        reject: &Reject,
    ) -> Result<Reply, Problem> {
        let order = self.look(|state| {
            let order = find(state).filter(|order| order.account == *who.account());
            order.map(Order::from)
        });
        let order = order.ok_or_else(|| Problem::of(reject))?;
        json(202, &order)
    }

    /// What the core answered.
    fn told(&self, venue: &VenueName, answer: Answer, done: u16) -> Result<Reply, Problem> {
        match answer {
            Answer::Venue { reply, order: Some(id), .. } => {
                self.order_told(venue, id, &reply, done)
            }
            Answer::Cancelled { orders, failed } => {
                let texts = |ids: &[OrderId]| ids.iter().map(ToString::to_string).collect();
                let status = if failed.is_empty() { 200 } else { 202 };
                json(status, &Cancelled { cancelled: texts(&orders), failed: texts(&failed) })
            }
            Answer::Refused { reject } => Err(Problem::of(&reject)),
            // What callers ask of orders has no other answers.
            _ => Err(Problem::new(Code::BadParameter, "this is for the administration")),
        }
    }

    /// The venue answered about an order.
    fn order_told(
        &self,
        venue: &VenueName,
        id: OrderId,
        reply: &Reply,
        done: u16,
    ) -> Result<Reply, Problem> {
        let gone = || Problem::new(Code::OrderNotFound, "");
        let known = self.look(|state| {
            let order = state.orders().get(id)?;
            Some((Order::from(order), order.reference()))
        });
        let (order, reference) = known.ok_or_else(gone)?;
        let dialect = registry::find(venue).ok_or_else(gone)?;
        let asked = CallBody::QueryOrder { order: reference };
        match dialect.outcome(&asked, reply, &Instruments::default()) {
            Outcome::Rejected { code, message, .. } => {
                Err(Problem::refused_by_venue(VenueWords { code, message }, Some(order)))
            }
            _ => shown(done, &order),
        }
    }
}

/// An order as an answer: undecided ones say so by their status.
fn shown(done: u16, order: &Order) -> Result<Reply, Problem> {
    let status = if is_undecided(order) { 202 } else { done };
    let mut reply = json(status, order)?;
    if done == 201 {
        reply.headers.push(("location".to_owned(), format!("/v1/orders/{}", order.id)));
    }
    Ok(reply)
}

/// Marks an answer as one that was given before.
fn again(mut reply: Reply) -> Reply {
    reply.headers.push(("idempotency-replayed".to_owned(), "true".to_owned()));
    reply
}

/// Whether the venue took an order, or may have.
fn came_to_be(known: &Known) -> bool {
    use Ending::{Cancelled, Filled, Gone, NeverArrived, NotSent, Rejected};
    match known.stage {
        Stage::Pending | Stage::Sent | Stage::Unknown | Stage::Live => true,
        Stage::Done { how } => match how {
            Filled | Cancelled | Gone => true,
            NotSent | Rejected | NeverArrived => false,
        },
    }
}

fn is_same(known: &Known, order: &NewOrder) -> bool {
    let request = &known.request;
    request.instrument == order.instrument
        && request.side == order.side
        && request.order_type == order.order_type
        && request.time_in_force == order.time_in_force
        && known.asked == Terms::of(order)
}

/// The idempotency key of a request, with or without the quotes of a structured field.
pub(super) fn key_of(request: &RawRequest) -> Result<Option<String>, Problem> {
    let bad = |why: &str| Problem::new(Code::BadParameter, format!("Idempotency-Key: {why}"));
    let mut found = request.headers.iter().filter(|(name, _)| name == idempotency::HEADER);
    let Some((_, value)) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(bad("it is there twice"));
    }
    let value = value.trim();
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let key = quoted.unwrap_or(value);
    caller_order_id(key).map_err(|_| bad("1 to 36 letters, digits and . _ : / -"))?;
    Ok(Some(key.to_owned()))
}

/// An id for an order whose caller gave none, so that it can be found whatever becomes of it.
fn made_up() -> Result<CallerOrderId, Problem> {
    let mut random = [0_u8; 12];
    getrandom::fill(&mut random)
        .map_err(|e| Problem::new(Code::TooManyInFlight, format!("no random numbers: {e}")))?;
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    caller_order_id(&format!("v1-{digits}"))
}
