//! Four eyes: what waits for a second person, and every way in which it ends.

use super::roles::{desk, person};
use super::world::*;
use crate::action::Answer;
use crate::approvals::{Denial, Stage, Word, next};
use crate::event::Event;
use tidegate_types::approval::{Factor, Showing, Verdict};
use tidegate_types::codec::from_bytes;
use tidegate_types::grant::{AccountLimits, Grant, Pattern};
use tidegate_types::ids::{ApprovalId, Ticket};
use tidegate_types::instrument::Usd;
use tidegate_types::person::Role;
use tidegate_types::record::{Approvals, ApproveBy, Body, Change};
use tidegate_types::reject::Code;
use tidegate_types::text::is_hidden;

impl World {
    fn two() -> World {
        let mut world = desk();
        world.change_by("ada", Change::ApprovalsSet { approvals: Approvals::Two });
        world
    }

    fn ask_by(&mut self, by: &str, change: Change) -> ApprovalId {
        let ticket = self.ticket();
        self.event(Event::Administer { ticket, by: name(by), showing: Showing::Door, change });
        self.pending(ticket)
    }

    fn pending(&mut self, ticket: Ticket) -> ApprovalId {
        self.flush();
        match &self.answers[&ticket] {
            Answer::Pending { id } => *id,
            other => panic!("{other:?}"),
        }
    }

    /// Halts `caller:ann`.
    fn halt_for(&mut self, by: &str, reason: &str) {
        let (by, scope, reason) = (name(by), "caller:ann".parse().unwrap(), reason.to_owned());
        let (allow_reduce, flatten) = (false, false);
        self.event(Event::Halt { ticket: None, by, scope, reason, allow_reduce, flatten });
    }

    /// Asks to lift the halt of `caller:ann`.
    fn ask_to_lift(&mut self, reason: &str) -> ApprovalId {
        let (ticket, showing) = (self.ticket(), Showing::Door);
        let (by, scope) = (name("ray"), "caller:ann".parse().unwrap());
        self.event(Event::Resume { ticket, by, showing, scope, reason: reason.to_owned() });
        self.pending(ticket)
    }

    fn digest(&self, id: ApprovalId) -> [u8; 32] {
        self.core.state().approvals().get(id).unwrap().digest
    }

    fn stage(&self, id: ApprovalId) -> Stage {
        self.core.state().approvals().get(id).unwrap().stage
    }

    fn approve_with(&mut self, by: &str, id: ApprovalId, digest: [u8; 32]) -> Result<(), Denial> {
        let ticket = self.ticket();
        let word = Word { by: name(by), id, digest, factor: Factor::LocalSocket };
        self.event(Event::Approve { ticket, word });
        self.outcome(ticket)
    }

    /// By passkey, over the request's digest; whether it still waits then.
    fn show_passkey(&mut self, by: &str, id: ApprovalId) -> Result<bool, Denial> {
        let ticket = self.ticket();
        let factor = Factor::Passkey { credential: [7; 32] };
        let word = Word { by: name(by), id, digest: self.digest(id), factor };
        self.event(Event::Approve { ticket, word });
        self.flush();
        if let Answer::Pending { .. } = self.answers[&ticket] {
            return Ok(true);
        }
        self.outcome(ticket).map(|()| false)
    }

    /// Asks as the console does, or as a door does.
    fn ask_showing(&mut self, by: &str, showing: Showing, change: Change) -> ApprovalId {
        let ticket = self.ticket();
        self.event(Event::Administer { ticket, by: name(by), showing, change });
        self.pending(ticket)
    }

    fn approve(&mut self, by: &str, id: ApprovalId) -> Result<(), Denial> {
        self.approve_with(by, id, self.digest(id))
    }

    fn deny(&mut self, by: &str, id: ApprovalId) -> Result<(), Denial> {
        let ticket = self.ticket();
        self.event(Event::Deny { ticket, by: name(by), id });
        self.outcome(ticket)
    }

    fn outcome(&mut self, ticket: Ticket) -> Result<(), Denial> {
        self.flush();
        match &self.answers[&ticket] {
            Answer::Done => Ok(()),
            Answer::Denied { denial } => Err(denial.clone()),
            other => panic!("{other:?}"),
        }
    }

    fn collar(&self) -> u32 {
        self.core.state().limits()[&name(MAIN)].collar_bps
    }
}

fn collar(collar_bps: u32) -> Change {
    Change::LimitsSet { limits: AccountLimits { collar_bps, ..limits() } }
}

#[test]
fn a_loosening_waits_for_a_second_person_and_a_tightening_does_not() {
    let mut world = World::two();
    world.change_by("ray", collar(400));
    assert_eq!(world.collar(), 400);
    let id = world.ask_by("ray", collar(450));
    assert_eq!((world.collar(), world.stage(id)), (400, Stage::Waiting));
    let statement = &world.core.state().approvals().get(id).unwrap().approval.statement;
    assert_eq!(
        statement,
        "desk desk: ray asks to set the limits of main\n  collar, bp: 400 -> 450"
    );
    // The same again is the same request.
    assert_eq!(world.ask_by("ray", collar(450)), id);
    assert_eq!(world.approve("pia", id), Ok(()));
    assert_eq!((world.collar(), world.stage(id)), (450, Stage::CarriedOut));
    // Once.
    let ended = Err(Denial::Ended { id, stage: Stage::CarriedOut });
    assert_eq!(world.approve("pia", id), ended);
    assert_eq!(world.deny("pia", id), ended);
    world.check_replay();
}

#[test]
fn every_transition_there_is() {
    let by = || name("pia");
    let factor = Factor::LocalSocket;
    let verdicts = [
        (Verdict::CarriedOut { by: by(), factor }, Stage::CarriedOut),
        (Verdict::Denied { by: by() }, Stage::Denied),
        (Verdict::Expired, Stage::Expired),
        (Verdict::Outdated { why: String::new() }, Stage::Outdated),
        (Verdict::Spoiled, Stage::Spoiled),
    ];
    for (verdict, ended) in &verdicts {
        assert_eq!(next(Stage::Waiting, verdict), Some(*ended));
        for (other, _) in &verdicts {
            assert_eq!(next(*ended, other), None, "{ended:?} and then {other:?}");
        }
    }
}

#[test]
fn nobody_approves_its_own_and_none_but_approvers_do() {
    let mut world = World::two();
    let admin = person("ivy", &[Role::Risk, Role::Approver], &[]);
    let id = world.ask_by("ada", admin);
    assert_eq!(world.approve("pia", id), Ok(()));
    let id = world.ask_by("ivy", collar(600));
    assert!(matches!(world.approve("ivy", id), Err(Denial::Forbidden { .. })));
    for by in ["ray", "ada", "udo"] {
        assert!(matches!(world.approve(by, id), Err(Denial::Forbidden { .. })), "{by}");
    }
    // For those who do not see it, there is none.
    for by in ["tom", "stranger"] {
        assert_eq!(world.approve(by, id), Err(Denial::NoRequest { id }), "{by}");
        assert_eq!(world.deny(by, id), Err(Denial::NoRequest { id }), "{by}");
    }
    assert!(matches!(world.deny("udo", id), Err(Denial::Forbidden { .. })));
    assert_eq!(world.stage(id), Stage::Waiting);
    assert_eq!(world.approve("pia", id), Ok(()));
    assert_eq!(world.collar(), 600);
}

#[test]
fn it_is_denied_or_taken_back() {
    let mut world = World::two();
    let id = world.ask_by("ray", collar(600));
    assert!(matches!(world.deny("rita", id), Err(Denial::Forbidden { .. })));
    assert_eq!(world.deny("ray", id), Ok(()));
    assert_eq!(world.approve("pia", id), Err(Denial::Ended { id, stage: Stage::Denied }));
    let id = world.ask_by("ray", collar(600));
    assert_eq!(world.deny("pia", id), Ok(()));
    assert_eq!((world.stage(id), world.collar()), (Stage::Denied, 500));
    world.check_replay();
}

#[test]
fn it_ends_when_nobody_approves_in_time() {
    let mut world = World::two();
    let id = world.ask_by("ray", collar(600));
    world.pass(899_000);
    assert_eq!(world.stage(id), Stage::Waiting);
    world.pass(2_000);
    assert_eq!(world.stage(id), Stage::Expired);
    assert_eq!(world.approve("pia", id), Err(Denial::Ended { id, stage: Stage::Expired }));
    world.check_replay();
}

#[test]
fn it_is_void_when_what_it_is_about_has_changed() {
    let mut world = World::two();
    let id = world.ask_by("ray", collar(600));
    // Something else changed: no matter.
    world.change_by("ada", Change::CallerAdded { caller: name("new") });
    world.change_by("rita", collar(300));
    assert!(matches!(world.approve("pia", id), Err(Denial::Outdated { .. })));
    assert_eq!((world.stage(id), world.collar()), (Stage::Outdated, 300));

    // Who asked may not any more.
    let id = world.ask_by("ray", collar(600));
    world.change_by("ada", Change::PersonRemoved { person: name("ray") });
    let Err(Denial::Outdated { why }) = world.approve("pia", id) else { panic!("it is void") };
    assert!(why.contains("ray"), "{why}");
    world.check_replay();
}

#[test]
fn a_few_wrong_digests_and_it_is_void() {
    let mut world = World::two();
    let (id, other) = (world.ask_by("ray", collar(600)), world.ask_by("ray", collar(700)));
    let wrong = world.digest(other);
    assert_ne!(wrong, world.digest(id));
    for left in [2, 1, 0] {
        assert_eq!(world.approve_with("pia", id, wrong), Err(Denial::WrongDigest { left }));
    }
    assert_eq!(world.approve("pia", id), Err(Denial::Ended { id, stage: Stage::Spoiled }));
    assert_eq!((world.stage(other), world.collar()), (Stage::Waiting, 500));
    world.check_replay();
}

#[test]
fn a_resume_takes_two_and_a_halt_one() {
    let mut world = World::two();
    world.halt("caller:ann", false);
    world.settle();
    let id = world.ask_to_lift("fine");
    // Somebody else halts it as well meanwhile: that one's reason was not stated.
    world.halt_for("rita", "theft");
    world.settle();
    assert!(matches!(world.approve("pia", id), Err(Denial::Outdated { .. })));
    let id = world.ask_to_lift("fine");
    world.settle_for(2);
    assert_eq!(world.approve("pia", id), Ok(()));
    assert!(world.core.state().halts().is_empty());
    let placed = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(placed), None);
    world.check_replay();
}

#[test]
fn a_resume_lifts_the_halt_that_it_states_and_no_later_one() {
    let mut world = World::two();
    world.halt_for("ray", "routine");
    world.settle_for(2);
    let (first, second) = (world.ask_to_lift("over"), world.ask_to_lift("over, really"));
    assert_eq!(world.approve("pia", first), Ok(()));
    assert!(world.core.state().halts().is_empty());
    world.halt_for("rita", "theft");
    world.settle_for(2);
    assert!(matches!(world.approve("pia", second), Err(Denial::Outdated { .. })));
    assert_eq!(world.core.state().halts().len(), 1);
    world.kill(false);
    world.start();
    world.check_replay();
}

#[test]
fn who_halted_first_and_why_stays_and_the_statement_tells_everybody() {
    let mut world = World::two();
    world.halt_for("ray", "key stolen: do not resume");
    world.settle_for(2);
    world.halt_for("caller.ann", "short test, over at noon");
    world.settle_for(2);
    let id = world.ask_to_lift("explained (halted by rita: planned test)");
    let statement = &world.core.state().approvals().get(id).unwrap().approval.statement;
    assert_eq!(
        statement,
        "desk desk: ray asks to lift the halt of caller:ann: \"explained (halted by rita: planned \
         test)\"\n  halted by ray: \"key stolen: do not resume\"\n  halted by caller.ann: \"short test, \
         over at noon\""
    );
    // What the same ones say again voids nothing that waits: else a caller keeps its halt for ever.
    world.halt_for("caller.ann", "another test");
    world.halt_for("ray", "key stolen: do not resume");
    world.settle_for(2);
    let halt = &world.core.state().halts()[&"caller:ann".parse().unwrap()];
    assert_eq!((halt.by.as_str(), halt.reason.as_str()), ("ray", "key stolen: do not resume"));
    let too: Vec<_> = halt.too.iter().map(|(by, (why, _))| (by.as_str(), why.as_str())).collect();
    assert_eq!(too, [("caller.ann", "another test")]);
    assert_eq!(world.approve("pia", id), Ok(()));
    assert!(world.core.state().halts().is_empty());
    world.check_replay();
}

#[test]
fn nobodys_words_look_like_a_row_of_the_statement() {
    let mut world = World::two();
    world.halt("caller:ann", false);
    world.settle();
    let forged = "fine\n  largest order, USD: 1 -> 2\r\u{1b}[2K\u{202e}x";
    let ticket = world.ticket();
    let (by, scope) = (name("ray"), "caller:ann".parse().unwrap());
    world.event(Event::Resume {
        ticket,
        by,
        showing: Showing::Door,
        scope,
        reason: forged.to_owned(),
    });
    let resume = world.pending(ticket);
    let (account, key, rights) = (name(MAIN), forged.to_owned(), vec![forged.to_owned()]);
    let import = world.ask_by("ada", Change::VenueKeyImported { account, key, rights });
    for (id, lines) in [(resume, 2), (import, 2)] {
        let statement = &world.core.state().approvals().get(id).unwrap().approval.statement;
        assert_eq!(statement.lines().count(), lines, "{statement}");
        assert!(!statement.chars().any(|c| c != '\n' && is_hidden(c)), "{statement:?}");
    }
}

#[test]
fn two_turn_off_what_one_turned_on() {
    let mut world = World::two();
    let one = Change::ApprovalsSet { approvals: Approvals::One };
    let id = world.ask_by("ada", one);
    assert_eq!(world.core.state().approvals_needed(), Approvals::Two);
    assert_eq!(world.approve("pia", id), Ok(()));
    assert_eq!(world.core.state().approvals_needed(), Approvals::One);
    world.change_by("ray", collar(600));
    assert_eq!(world.collar(), 600);
}

#[test]
fn it_waits_over_a_restart_and_as_long_as_before() {
    let mut world = World::two();
    let first = world.ask_by("ray", collar(600));
    let second = world.ask_by("ray", collar(700));
    world.pass(600_000);
    world.kill(false);
    world.start();
    assert_eq!(world.stage(first), Stage::Waiting);
    assert_eq!(world.approve("pia", first), Ok(()));
    assert_eq!(world.collar(), 600);
    world.pass(301_000);
    assert_eq!(world.stage(second), Stage::Expired);
    world.check_replay();
}

#[test]
fn too_many_of_one_person_are_refused_and_ended_ones_are_forgotten() {
    let mut world = World::two();
    for bps in 0..16 {
        world.ask_by("ray", collar(600 + bps));
    }
    let ticket = world.ticket();
    world.event(Event::Administer {
        ticket,
        by: name("ray"),
        showing: Showing::Door,
        change: collar(700),
    });
    assert!(matches!(world.outcome(ticket), Err(Denial::TooMany { .. })));
    let ids =
        |world: &World| world.core.state().approvals().iter().map(|r| r.approval.id).collect();
    let all: Vec<ApprovalId> = ids(&world);
    for id in all {
        world.deny("ray", id).unwrap();
    }
    for bps in 0..250 {
        let id = world.ask_by("ray", collar(700 + bps));
        world.deny("ray", id).unwrap();
    }
    let kept: Vec<ApprovalId> = ids(&world);
    assert!(kept.len() <= 201 && *kept.last().unwrap() == ApprovalId(265), "{}", kept.len());
    world.check_replay();
}

#[test]
fn the_record_holds_all_that_was_approved() {
    let mut world = World::two();
    let grant = Grant { burst: 2000, ..grant("ann") };
    let id = world.ask_by("ray", Change::GrantSet { grant });
    let asked = world.journal.iter().find_map(|record| match &record.body {
        Body::ApprovalAsked { approval, digest } => Some((approval.clone(), *digest)),
        _ => None,
    });
    let (approval, digest) = asked.unwrap();
    assert_eq!(digest, world.digest(id));
    let bytes = tidegate_types::codec::to_bytes(&approval);
    assert_eq!(from_bytes::<tidegate_types::approval::Approval>(&bytes).unwrap(), approval);
    let mut message = b"tidegate approval 1\n".to_vec();
    message.extend(bytes);
    use sha2::Digest;
    assert_eq!(digest, <[u8; 32]>::from(sha2::Sha256::digest(message)));
    assert!(approval.statement.contains("orders at once: 1000 -> 2000"), "{}", approval.statement);
}

#[test]
fn whoever_gains_by_a_request_is_not_its_second_person() {
    let mut world = World::two();
    let roles = [Role::Approver, Role::Risk];
    // Her own role; the grant of a caller of her own, even when that is hers only since.
    let id = world.ask_by("ada", person("pia", &roles, &[]));
    assert!(matches!(world.approve("pia", id), Err(Denial::Forbidden { .. })));
    let id = world.ask_by("ada", person("pip", &[Role::Approver, Role::Trader], &["bob"]));
    world.approve("pia", id).unwrap();
    let wider = Grant { max_order_notional: Usd(d("2000000")), ..grant("bob") };
    let id = world.ask_by("ray", Change::GrantSet { grant: wider });
    assert!(matches!(world.approve("pip", id), Err(Denial::Forbidden { .. })));
    // Taking the caller from her first takes two as well.
    let without = world.ask_by("ada", person("pip", &[Role::Approver, Role::Trader], &[]));
    assert!(matches!(world.approve("pip", without), Err(Denial::Forbidden { .. })));
    world.approve("pia", id).unwrap();
}

#[test]
fn what_no_record_holds_is_refused_and_a_reason_is_cut() {
    let mut world = World::two();
    let halts = |world: &World| world.core.state().halts().values().next().unwrap().reason.clone();
    let reason = format!("\u{1b}[2Jlook\n{}", "x".repeat(70_000));
    let scope = "all".parse().unwrap();
    let (allow_reduce, flatten) = (false, false);
    let by = name("ray");
    world.event(Event::Halt { ticket: None, by, scope, reason, allow_reduce, flatten });
    let reason = halts(&world);
    assert!(reason.starts_with(" [2Jlook xxx") && reason.chars().count() == 200, "{reason}");
    let pattern: Pattern = Pattern::new(&"x".repeat(60)).unwrap();
    let long = Grant { instruments: vec![pattern; 2000], ..grant("bob") };
    let ticket = world.ticket();
    let change = Change::GrantSet { grant: long };
    world.event(Event::Administer { ticket, by: name("ray"), showing: Showing::Door, change });
    let answer = &world.answers[&ticket];
    assert!(
        matches!(answer, Answer::Refused { reject } if reject.code == Code::TooLarge),
        "{answer:?}"
    );
}

const PASSKEY: Change = Change::ApproveBySet { approve_by: ApproveBy::Passkey };

#[test]
fn who_asks_confirms_by_passkey_where_the_desk_wants_that() {
    let mut world = desk();
    world.change_by("ada", PASSKEY);
    // In mode one: it waits for who asked, whom no door stands for.
    let id = world.ask_by("ray", collar(600));
    assert_eq!(world.approve("ray", id), Err(Denial::NeedsPasskey { id }));
    assert_eq!(world.show_passkey("pia", id), Err(Denial::Unconfirmed { id }));
    assert!(matches!(world.show_passkey("ada", id), Err(Denial::Forbidden { .. })));
    assert_eq!((world.stage(id), world.collar()), (Stage::Waiting, 500));
    assert_eq!(world.show_passkey("ray", id), Ok(false));
    assert_eq!((world.stage(id), world.collar()), (Stage::CarriedOut, 600));
    // What tightens waits for nobody.
    world.change_by("ray", collar(400));
    world.check_replay();
}

#[test]
fn with_two_people_both_show_a_passkey() {
    let mut world = World::two();
    // Asked before it was wanted: it is wanted all the same.
    let before = world.ask_by("ray", collar(600));
    world.change_by("ada", PASSKEY);
    assert_eq!(world.approve("pia", before), Err(Denial::NeedsPasskey { id: before }));
    assert_eq!(world.show_passkey("pia", before), Err(Denial::Unconfirmed { id: before }));
    let id = world.ask_by("ray", collar(700));
    assert_eq!(world.show_passkey("ray", id), Ok(true), "the second person is still to come");
    assert!(
        matches!(world.show_passkey("ray", id), Err(Denial::Forbidden { .. })),
        "one is not two"
    );
    assert_eq!(world.approve("pia", id), Err(Denial::NeedsPasskey { id }));
    assert_eq!((world.stage(id), world.collar()), (Stage::Waiting, 500));
    world.check_replay();
    assert_eq!(world.show_passkey("pia", id), Ok(false));
    assert_eq!(world.collar(), 700);
}

#[test]
fn one_asks_for_passkeys_and_two_for_none() {
    let off = Change::ApproveBySet { approve_by: ApproveBy::Any };
    let mut world = World::two();
    world.change_by("ada", PASSKEY);
    let id = world.ask_by("ada", off.clone());
    assert_eq!(world.show_passkey("ada", id), Ok(true));
    assert_eq!(world.core.state().approve_by(), ApproveBy::Passkey);
    assert_eq!(world.show_passkey("pia", id), Ok(false));
    assert_eq!(world.core.state().approve_by(), ApproveBy::Any);
    // Off already: nothing is loosened.
    world.change_by("ada", off);
}

#[test]
fn what_is_asked_in_the_console_is_signed_there_by_who_asks() {
    let mut world = desk();
    let id = world.ask_showing("ray", Showing::Later, collar(600));
    assert_eq!(world.approve("ray", id), Err(Denial::NeedsPasskey { id }));
    // Asked at a door meanwhile, it is what a door can ask.
    world.change_by("ray", collar(550));
    assert!(matches!(world.show_passkey("ray", id), Err(Denial::Outdated { .. })));
    let id = world.ask_showing("ray", Showing::Later, collar(600));
    assert_eq!(world.ask_showing("ray", Showing::Later, collar(600)), id, "the one that waits");
    assert_eq!(world.show_passkey("ray", id), Ok(false));
    assert_eq!(world.collar(), 600);
}
