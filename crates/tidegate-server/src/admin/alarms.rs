//! The alarms as an operator reads them: in the status, and a line of the log for each.

use super::protocol::AlarmStatus;
use crate::desk::Desk;
use crate::oplog;
use std::collections::HashMap;
use std::fmt::Display;
use std::time::{Duration, Instant};
use tidegate_core::Alarm;
use tidegate_core::state::State;
use tidegate_types::order::Side;

/// How often the same alarm is logged again while it goes on.
const AGAIN: Duration = Duration::from_secs(60);

/// The alarms that nobody has seen yet, the newest last.
pub(super) fn alarms(state: &State) -> Vec<AlarmStatus> {
    state.alarms().unseen().iter().map(told).collect()
}

fn told(alarm: &Alarm) -> AlarmStatus {
    let about = &alarm.about;
    AlarmStatus {
        kind: alarm.kind.word().to_owned(),
        account: about.account.to_string(),
        instrument: about.instrument.as_ref().map(ToString::to_string),
        asset: about.asset.as_ref().map(ToString::to_string),
        caller: about.caller.as_ref().map(ToString::to_string),
        order: alarm.order.map(|order| order.0),
        venue_id: alarm.venue_id.as_ref().map(ToString::to_string),
        side: alarm.side.map(|side| match side {
            Side::Buy => "buy".to_owned(),
            Side::Sell => "sell".to_owned(),
        }),
        qty: alarm.qty.to_string(),
        counted: alarm.counted.map(|counted| counted.to_string()),
        first_ms: alarm.first.millis(),
        last_ms: alarm.last.millis(),
        count: alarm.count,
    }
}

/// Which alarms were logged, and when.
#[derive(Default)]
pub(crate) struct Logged {
    begun: bool,
    at: HashMap<String, (u64, Instant)>,
}

impl Logged {
    /// Logs the alarms that are new, and once a minute those that go on.
    pub(crate) fn look(&mut self, desk: &Desk) {
        let alarms = desk.look(alarms);
        if !std::mem::replace(&mut self.begun, true) && !alarms.is_empty() {
            let hint = "`tidegate alarms` lists them";
            oplog::warn("alarms-unseen", &[("count", &alarms.len()), ("hint", &hint)]);
            let told = alarms.iter().map(|alarm| (alarm.key(), (alarm.count, Instant::now())));
            self.at = told.collect();
        }
        let mut kept = HashMap::new();
        for alarm in alarms {
            let key = alarm.key();
            let before = self.at.remove(&key);
            let due = before.is_none_or(|(count, at)| alarm.count > count && at.elapsed() > AGAIN);
            if due {
                log(&alarm);
            }
            let told = before.filter(|_| !due).unwrap_or((alarm.count, Instant::now()));
            kept.insert(key, told);
        }
        self.at = kept;
    }
}

fn log(alarm: &AlarmStatus) {
    let optional = [
        ("instrument", &alarm.instrument),
        ("asset", &alarm.asset),
        ("caller", &alarm.caller),
        ("venue_id", &alarm.venue_id),
        ("side", &alarm.side),
        ("counted", &alarm.counted),
    ];
    let mut fields: Vec<(&str, &dyn Display)> = vec![("account", &alarm.account)];
    for (name, value) in &optional {
        fields.extend(value.as_ref().map(|value| (*name, value as &dyn Display)));
    }
    fields.extend([("qty", &alarm.qty as &dyn Display), ("count", &alarm.count)]);
    oplog::alarm(&alarm.kind, &fields);
}
