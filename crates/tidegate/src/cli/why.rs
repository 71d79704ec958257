//! `tidegate why`: the story of an order or of a refusal, from the journal alone, also beside a running
//! gateway.

mod show;

use super::args::{Common, Why};
use super::offline::unreadable;
use super::output::{Failure, Progress, print};
use super::reach::data_dir;
use tidegate_core::story::{Finder, Sought, Story, Subject, Teller};
use tidegate_journal::Reader;
use tidegate_server::folder::DataFolder;
use tidegate_server::gateway::core_before;
use tidegate_types::ids::{CallerName, OrderId, Seq};
use tidegate_types::record::Record;

/// After so many records it is said how far the reading is.
const EVERY: u64 = 50_000;

/// `tidegate why ORDER`
pub fn why(common: &Common, args: &Why) -> Result<(), Failure> {
    let folder = DataFolder::new(data_dir(common)?);
    let subject = subject(&folder, args)?;
    let story = tell(&folder, subject)?;
    print(common.json, &show::json(&story), &show::text(&story));
    Ok(())
}

/// What is meant by what was typed.
fn subject(folder: &DataFolder, args: &Why) -> Result<Subject, Failure> {
    if let Some(seq) = args.refusal {
        return Ok(Subject::Refusal(Seq(seq)));
    }
    let caller = args.caller.as_deref().map(CallerName::new).transpose().map_err(|error| {
        let hint = "`tidegate status` lists the callers";
        Failure::usage(format!("--caller: {error}"), hint)
    })?;
    let order = args.order.as_deref().unwrap_or_default();
    if let Some(number) = order.strip_prefix("order:") {
        let number = number.parse().map_err(|_| {
            Failure::usage(format!("{order} is no number"), "write `order:` and digits")
        })?;
        return Ok(Subject::Order(OrderId(number)));
    }
    let (by_caller, sought) = match caller {
        Some(caller) if args.last_refusal => (true, Sought::LastRefusal(caller)),
        Some(caller) => (true, Sought::Own(caller, order.to_owned())),
        None => (false, Sought::Named(order.to_owned())),
    };
    let mut finder = Finder::new(sought);
    read(folder, Seq(0), |seq, record| {
        finder.look(seq, &record);
        true
    })?;
    if args.last_refusal {
        let hint = "only the first refusal of a kind within a second is a record, and what no caller is known \
                    of has none";
        let refusal = finder.refusal().map(Subject::Refusal);
        return refusal.ok_or_else(|| {
            Failure::new("not-found", "the journal has no refusal of that caller", hint)
        });
    }
    let found: Vec<(OrderId, &str)> = finder.orders().collect();
    match (found.as_slice(), found.last()) {
        (_, None) => {
            let hint = "an order's number, the id it was sent with or the venue's; a caller's own id with \
                        --caller; a refusal has no order: --last-refusal --caller NAME";
            Err(Failure::new("not-found", format!("the journal has no order {order}"), hint))
        }
        // A caller may use an id again once its order ended: the newest is meant.
        ([_], Some((order, _))) => Ok(Subject::Order(*order)),
        (_, Some((order, _))) if by_caller => Ok(Subject::Order(*order)),
        (several, _) => {
            let each = several.iter().map(|(order, by)| format!("order:{order} by {by}"));
            let each = each.collect::<Vec<_>>().join(", ");
            Err(Failure::new("ambiguous", format!("{order} means {each}"), "write `order:NUMBER`"))
        }
    }
}

fn tell(folder: &DataFolder, subject: Subject) -> Result<Story, Failure> {
    // Where the decision is in the journal is not known of an order: it may be before the saved state.
    let (core, from) = match subject {
        Subject::Refusal(seq) => core_before(folder, seq),
        Subject::Order(order) => {
            let (core, from) = core_before(folder, Seq(u64::MAX));
            let after = core.state().has_numbered(order);
            if after { core_before(folder, Seq(0)) } else { (core, from) }
        }
    };
    let mut teller = Teller::new(core, subject);
    read(folder, from, |seq, record| {
        teller.hear(seq, &record);
        !teller.is_over()
    })?;
    let (what, hint) = match subject {
        Subject::Order(order) => {
            (format!("order {order}"), "`tidegate journal` prints the records")
        }
        Subject::Refusal(seq) => {
            (format!("refusal in record {seq}"), "--last-refusal --caller NAME finds the newest")
        }
    };
    let missing = || Failure::new("not-found", format!("the journal has no {what}"), hint);
    teller.end().ok_or_else(missing)
}

/// Reads the records from one on, for as long as they are wanted; how many bytes at the end are no whole record.
pub(super) fn read(
    folder: &DataFolder,
    from: Seq,
    mut take: impl FnMut(Seq, Record) -> bool,
) -> Result<u64, Failure> {
    let mut reader = Reader::open(&folder.journal(), from).map_err(|e| unreadable(&e))?;
    let mut progress = Progress::default();
    while let Some((seq, record)) = reader.next_record().map_err(|e| unreadable(&e))? {
        if seq.0.is_multiple_of(EVERY) && seq > from {
            progress.show(&format!("record {seq} …"));
        }
        if !take(seq, record) {
            break;
        }
    }
    Ok(reader.torn())
}
