//! Every route of the unified API, in one table: what is served, documented and tested comes from here.

use super::approvals::Approval;
use super::halts::{Halt, Halts, NewHalt};
use super::journal::Entry;
use super::lists::Fill;
use super::orders::{Amend, CancelOrders, Cancelled, Order, PlaceOrder};
use super::page::Page;
use super::problem::{Problem, ProblemKind};
use super::reads::{Balance, Instrument, Limits, Position};
use super::resume::{Lifted, Resume};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use tidegate_types::reject::Code;
use tidegate_types::request::Method;

/// What a route does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    OpenApi,
    Problem,
    Instruments,
    Instrument,
    Place,
    Orders,
    Order,
    Amend,
    Cancel,
    CancelAll,
    Positions,
    Balances,
    Limits,
    Fills,
    Halts,
    Halt,
    Resume,
    Approvals,
    Approval,
    Withdraw,
    Journal,
    Stream,
    AsyncApi,
}

/// Who may use a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    /// Anybody.
    Public,
    /// Whoever proves to be a caller.
    Caller,
}

/// A parameter of the query.
#[derive(Clone, Copy, Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) form: Form,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// How many rows.
    Limit,
    /// Where the page begins.
    Cursor,
    /// One of these.
    Words(&'static [&'static str]),
    /// A text of this pattern.
    Text(&'static str),
}

/// Most characters of a cursor, and of a text in the query.
pub(super) const LONGEST_CURSOR: usize = 200;
pub(super) const LONGEST_TEXT: usize = 97;

/// Makes the schema of a type.
pub(super) type Make = fn(&mut SchemaGenerator) -> Schema;

/// A good answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Good {
    pub(super) status: u16,
    pub(super) about: &'static str,
    pub(super) schema: Make,
}

/// A route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) op: Op,
    pub(super) method: Method,
    /// Its path; a part in braces stands for anything without a slash.
    pub(super) path: &'static str,
    /// Its name in the OpenAPI document.
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) access: Access,
    /// It changes something: it leaves a record, and takes an idempotency key when it is a POST.
    pub(super) changes: bool,
    pub(super) query: &'static [Param],
    pub(super) body: Option<Make>,
    pub(super) good: &'static [Good],
    /// The statuses of its problems, beside those that every route has.
    pub(super) problems: &'static [u16],
}

impl Route {
    /// The parameters of the query.
    pub(super) fn params(&self) -> impl Iterator<Item = &'static Param> {
        let about_one = self.access == Access::Caller && self.op != Op::Place;
        self.query.iter().chain(about_one.then_some(&ACCOUNT))
    }
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn anything(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "object" })
}

const LIMIT: Param =
    Param { name: "limit", about: "Most rows in the page; 100 unless given.", form: Form::Limit };
const CURSOR: Param =
    Param { name: "cursor", about: "`next` of the page before.", form: Form::Cursor };
pub(super) const ID: &str = "^[A-Za-z0-9._:/-]{1,36}$";
/// Which account it is about, where who asks has several.
pub(super) const ACCOUNT: Param = Param {
    name: "account",
    about: "On which account: needed with a token for several, and else the one there is. An order names \
            it in its content.",
    form: Form::Text("^[A-Za-z0-9_.-]{1,32}$"),
};
const INSTRUMENT: &str = "^[A-Za-z0-9_.-]{1,32}/[!-~]{1,64}$";

const fn ok(about: &'static str, schema: Make) -> Good {
    Good { status: 200, about, schema }
}

const BASE: Route = Route {
    op: Op::OpenApi,
    method: Method::Get,
    path: "",
    name: "",
    about: "",
    access: Access::Caller,
    changes: false,
    query: &[],
    body: None,
    good: &[],
    problems: &[],
};

const UNDECIDED: Good = Good {
    status: 202,
    about: "It may or may not have been done: the venue has not told. The order stands as `unknown` (or \
            its change as `amending.unknown`) until Tidegate has asked; look at it again, and do not \
            repeat the request under another key.",
    schema: schema::<Order>,
};

/// Every route.
pub(super) const ROUTES: &[Route] = &[
    Route {
        op: Op::OpenApi,
        path: "/v1/openapi.json",
        name: "getOpenApi",
        about: "This document.",
        access: Access::Public,
        good: &[ok("The OpenAPI document.", anything)],
        ..BASE
    },
    Route {
        op: Op::AsyncApi,
        path: "/v1/asyncapi.json",
        name: "getAsyncApi",
        about: "The same of the stream: the AsyncAPI document.",
        access: Access::Public,
        good: &[ok("The AsyncAPI document.", anything)],
        ..BASE
    },
    Route {
        op: Op::Problem,
        path: "/v1/problems/{kind}",
        name: "getProblem",
        about: "What a kind of problem means.",
        access: Access::Public,
        good: &[ok("The kind.", schema::<ProblemKind>)],
        problems: &[404],
        ..BASE
    },
    Route {
        op: Op::Instruments,
        path: "/v1/instruments",
        name: "listInstruments",
        about: "The instruments of the venue of one's account, by name.",
        query: &[LIMIT, CURSOR],
        good: &[ok("A page.", schema::<Page<Instrument>>)],
        ..BASE
    },
    Route {
        op: Op::Instrument,
        path: "/v1/instruments/{venue}/{name}",
        name: "getInstrument",
        about: "The terms of an instrument, with its last mark.",
        good: &[ok("The instrument.", schema::<Instrument>)],
        problems: &[404],
        ..BASE
    },
    Route {
        op: Op::Place,
        method: Method::Post,
        path: "/v1/orders",
        name: "placeOrder",
        about: "Places an order. It goes through every gate, is written to the journal, and is sent once.",
        changes: true,
        body: Some(schema::<PlaceOrder>),
        good: &[
            Good { status: 201, about: "The venue took it.", schema: schema::<Order> },
            ok(
                "The order was placed before under the same idempotency key; as it stands now.",
                schema::<Order>,
            ),
            UNDECIDED,
        ],
        problems: &[404, 409, 422, 502, 504],
        ..BASE
    },
    Route {
        op: Op::Orders,
        path: "/v1/orders",
        name: "listOrders",
        about: "One's own orders, the newest first; with an account-wide grant, the account's.",
        query: &[
            Param {
                name: "state",
                about: "Those that are live or may be, those that ended, or all; `open` unless given.",
                form: Form::Words(&["open", "done", "all"]),
            },
            Param { name: "instrument", about: "Of this one only.", form: Form::Text(INSTRUMENT) },
            Param { name: "client_order_id", about: "Under this id only.", form: Form::Text(ID) },
            LIMIT,
            CURSOR,
        ],
        good: &[ok("A page.", schema::<Page<Order>>)],
        ..BASE
    },
    Route {
        op: Op::Order,
        path: "/v1/orders/{id}",
        name: "getOrder",
        about: "One order, by Tidegate's number.",
        good: &[ok("The order.", schema::<Order>)],
        problems: &[404],
        ..BASE
    },
    Route {
        op: Op::Amend,
        method: Method::Post,
        path: "/v1/orders/{id}/amend",
        name: "amendOrder",
        about: "Changes a live order.",
        changes: true,
        body: Some(schema::<Amend>),
        good: &[ok("It is changed.", schema::<Order>), UNDECIDED],
        problems: &[404, 409, 422, 502, 504],
        ..BASE
    },
    Route {
        op: Op::Cancel,
        method: Method::Delete,
        path: "/v1/orders/{id}",
        name: "cancelOrder",
        about: "Cancels a live order. Cancels pass every limit and every halt.",
        changes: true,
        good: &[
            ok("It is cancelled, or was done before the cancel came.", schema::<Order>),
            UNDECIDED,
        ],
        problems: &[404, 409, 422, 502, 504],
        ..BASE
    },
    Route {
        op: Op::CancelAll,
        method: Method::Post,
        path: "/v1/orders/cancel",
        name: "cancelOrders",
        about: "Cancels one's own live orders: all, of an instrument, or under an id.",
        changes: true,
        body: Some(schema::<CancelOrders>),
        good: &[
            ok("They are cancelled.", schema::<Cancelled>),
            Good {
                status: 202,
                about: "Some could not be cancelled, or are not known to be.",
                schema: schema::<Cancelled>,
            },
        ],
        problems: &[404, 409, 422, 502, 504],
        ..BASE
    },
    Route {
        op: Op::Positions,
        path: "/v1/positions",
        name: "listPositions",
        about: "The account's positions, all callers' together, by instrument.",
        query: &[LIMIT, CURSOR],
        good: &[ok("A page.", schema::<Page<Position>>)],
        ..BASE
    },
    Route {
        op: Op::Balances,
        path: "/v1/balances",
        name: "listBalances",
        about: "What the account's wallet holds, by asset.",
        query: &[LIMIT, CURSOR],
        good: &[ok("A page.", schema::<Page<Balance>>)],
        ..BASE
    },
    Route {
        op: Op::Limits,
        path: "/v1/limits",
        name: "getLimits",
        about: "What one may do and what the account may bear, and what of it is used.",
        good: &[ok("The limits.", schema::<Limits>)],
        ..BASE
    },
    Route {
        op: Op::Fills,
        path: "/v1/fills",
        name: "listFills",
        about: "The trades of one's own orders, the newest first, for as long as Tidegate keeps the order in its table.",
        query: &[
            Param { name: "instrument", about: "Of this one only.", form: Form::Text(INSTRUMENT) },
            LIMIT,
            CURSOR,
        ],
        good: &[ok("A page.", schema::<Page<Fill>>)],
        ..BASE
    },
    Route {
        op: Op::Halts,
        path: "/v1/halts",
        name: "listHalts",
        about: "The halts in force and the circuit breakers that are not closed, as far as they stand in one's way.",
        good: &[ok("The halts and breakers.", schema::<Halts>)],
        ..BASE
    },
    Route {
        op: Op::Halt,
        method: Method::Post,
        path: "/v1/halts",
        name: "haltSelf",
        about: "Halts oneself: no order passes any more, and the live ones are cancelled. Who is halted cannot lift it: a person of the desk does.",
        changes: true,
        body: Some(schema::<NewHalt>),
        good: &[
            Good {
                status: 201,
                about: "In force and proven: the venue shows no live order.",
                schema: schema::<Halt>,
            },
            Good {
                status: 202,
                about: "In force; the venue has not shown yet that nothing is open. Tidegate goes on trying.",
                schema: schema::<Halt>,
            },
        ],
        problems: &[409, 422],
        ..BASE
    },
    Route {
        op: Op::Resume,
        method: Method::Post,
        path: "/v1/halts/{scope}/resume",
        name: "resume",
        about: "Lifts a halt that stands in one's way, in the name of the person whose token it is, as far as that person may and the token says `lift_halts`. Takes a login by passkey of the last five minutes (RFC 9470), or the person's confirmation afterwards.",
        changes: true,
        body: Some(schema::<Resume>),
        good: &[
            ok("It is lifted.", schema::<Lifted>),
            Good {
                status: 202,
                about: "It waits: for a second person, or for who asked to confirm it, on the page that is named.",
                schema: schema::<Approval>,
            },
        ],
        problems: &[404, 409, 422],
        ..BASE
    },
    Route {
        op: Op::Approvals,
        path: "/v1/approvals",
        name: "listApprovals",
        about: "The requests for approval that are about oneself or the account, the newest first, as far as the person may see them whose token it is; with a key or an app's own token, who owns the caller.",
        query: &[
            Param {
                name: "state",
                about: "Those that wait, those that ended, or all; `waiting` unless given.",
                form: Form::Words(&["waiting", "ended", "all"]),
            },
            LIMIT,
            CURSOR,
        ],
        good: &[ok("A page.", schema::<Page<Approval>>)],
        ..BASE
    },
    Route {
        op: Op::Approval,
        path: "/v1/approvals/{number}",
        name: "getApproval",
        about: "One request for approval, with the statement that is signed and the page on which a person does so.",
        good: &[ok("The request.", schema::<Approval>)],
        problems: &[404],
        ..BASE
    },
    Route {
        op: Op::Withdraw,
        method: Method::Delete,
        path: "/v1/approvals/{number}",
        name: "withdrawApproval",
        about: "Takes back a request for approval that the person asked for whose token it is.",
        changes: true,
        good: &[ok("It is taken back.", schema::<Approval>)],
        problems: &[404, 409],
        ..BASE
    },
    Route {
        op: Op::Journal,
        path: "/v1/journal",
        name: "listRecords",
        about: "The records of the journal that name the caller or its orders, the oldest first. `next` is always there: at the end it waits for what comes.",
        query: &[LIMIT, CURSOR],
        good: &[ok("A page.", schema::<Page<Entry>>)],
        ..BASE
    },
];

/// Where the stream is: no request is answered there but one that asks for a WebSocket.
pub(super) const STREAM: Route = Route {
    op: Op::Stream,
    path: "/v1/stream",
    name: "stream",
    about: "What happens to one's orders and to the account, told as it happens.",
    ..BASE
};

/// The route of a request, with what stands in the place of its braces, not decoded yet.
pub(super) fn find(method: Method, path: &str) -> Result<(&'static Route, Vec<&str>), Problem> {
    let there = || ROUTES.iter().filter_map(|route| Some((route, matches(route.path, path)?)));
    // A path without braces goes before one with.
    let best = |(route, caught): &(&Route, Vec<&str>)| (route.method != method, caught.len());
    match there().min_by_key(best) {
        Some((route, caught)) if route.method == method => Ok((route, caught)),
        Some(_) => {
            let mut methods: Vec<_> = there().map(|(route, _)| route.method.as_str()).collect();
            methods.dedup();
            let allow = Some(methods.join(", ").into());
            let plain = Problem::plain("method-not-allowed", "the method is not served here", 405);
            Err(Problem { allow, ..plain })
        }
        None if path == STREAM.path => Err(Problem::new(Code::NeedsWebSocket, "")),
        None => Err(Problem::new(Code::UnknownRoute, "")),
    }
}

fn matches<'a>(template: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    let mut caught = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(caught),
            (Some(part), Some(text)) if part.starts_with('{') && !text.is_empty() => {
                caught.push(text);
            }
            (Some(part), Some(text)) if part == text => {}
            _ => return None,
        }
    }
}
