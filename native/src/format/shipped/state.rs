//! The state that a message says was reached: `old state Established … new state Idle`, `(connected ->
//! disconnecting)`, `changed state to down → up`, `Alarm: down -> none`.
//!
//! The last transition in a message counts. What it means depends on where it came from: from `connected` to
//! `registered` is a loss, from `searching` to `registered` is none. States have ranks for that, which are compared;
//! a word that is no known state says nothing.
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

/// What a transition means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Up, or nearer to it.
    Better,
    Worse,
}

/// So much of a message is looked at, and so many transitions.
const MAX_BYTES: usize = 1024;
const MAX_TRANSITIONS: usize = 8;

/// All is as it should be.
const UP: &str = "up established full connected online ok normal none clear cleared reachable alive activated enabled \
    forwarding master running ready healthy synced locked operational showtime associated authenticated good \
    available recovered primary";
/// Half of it.
const BETWEEN: &str = "registered home roaming backup standby two-way 2-way";
/// On the way there.
const BEGUN: &str = "connecting registering searching enabling initializing init attempt exstart exchange loading \
    connect active opensent openconfirm prepare config ip-config ip-check need-auth secondaries handshake training \
    starting associating authenticating 4way_handshake learning listening";
const DOWN: &str = "down idle failed fail failure fault faulty offline disconnected disconnecting unreachable lost dead \
    unavailable disabled disabling denied inactive broken error critical delay loss highdelay highloss delay+loss \
    expired stopped deactivating deactivated deleted notpresent lowerlayerdown unsynced bad unregistered";

const TOP: u8 = 3;

static TRANSITION: LazyLock<Regex> = LazyLock::new(|| {
    let text = concat!(
        r"(?:\b(?P<a>[\w+-]+?)[)\]]? ?(?:->|=>|\xe2\x86\x92) ?[(\[]?",
        r"|\bfrom (?:state )?(?P<c>[\w+-]+) (?:state )?(?:in)?to (?:state )?",
        r#"|\bold[ _-]state[:=]? ?"?(?P<d>[\w+-]+)\b.{0,100}?\bnew[ _-]state[:=]? ?"#,
        r"|\bchanged (?:its )?(?:state )?to |\bstate (?:has )?(?:changed |turned )?(?:in)?to ",
        r"|\b(?:new|current|oper\w*|link)[ _-]?(?:state|status)[:= ] ?(?:is )?(?:now )?|, state:? |\bis now )",
        r#"["']?(?P<b>[A-Za-z0-9_+-]+)"#
    );
    let built = RegexBuilder::new(text).unicode(false).case_insensitive(true).build();
    built.expect("the pattern is right")
});

/// Words that say that it is over.
static GOOD_NEWS: LazyLock<Regex> = LazyLock::new(|| {
    let text = concat!(
        r"\b(?:alarms?|faults?|alerts?|conditions?|problems?|failures?|traps?|LO[SFM])\b.{0,80}\bclear(?:s|ed)?\b|",
        r"\bcleared\b.{0,40}\b(?:alarm|fault|alert|condition|problem|failure)s?\b|",
        r"\b(?:recovered|restored|resolved)\b|\bback (?:up|online|to normal)\b|\bno longer (?:down|lost|failed|unreachable|offline)\b|",
        r"\b(?:up|online)\b.{0,9}\b(?:after|was|had been|previously)\b.{0,20}\b(?:down|offline|outage)\b|",
        r"\b(?:0|no|zero|without(?: any)?) (?:errors?|failures?|problems?|alarms?|faults?)\b|",
        r"\b(?:errors?|failed|failures?) ?[=:] ?0(?:[^\d.]|$)"
    );
    let built = RegexBuilder::new(text).unicode(false).case_insensitive(true).build();
    built.expect("the pattern is right")
});

/// Whether a message that names a fault says that it is over.
pub fn is_good_news(message: &[u8]) -> bool {
    let message = &message[..message.len().min(MAX_BYTES)];
    let denied = [&b" not "[..], b"n't ", b"annot ", b"nable to"];
    let denied = denied.into_iter().any(|word| memchr::memmem::find(message, word).is_some());
    !denied && GOOD_NEWS.is_match(message)
}

/// What the last transition in a message means; `None` when there is none between known states.
pub fn reached(message: &[u8]) -> Option<Change> {
    let message = &message[..message.len().min(MAX_BYTES)];
    let has = |text: &[u8]| memchr::memmem::find(message, text).is_some();
    if ![&b"->"[..], b"=>", b"\xe2\x86\x92", b" to ", b"to ", b"tate", b"tatus", b"TAT", b"now "]
        .into_iter()
        .any(has)
    {
        return None;
    }
    let mut change = None;
    let (mut from, mut count) = (0, 0);
    while let Some(found) = TRANSITION.captures_at(message, from).filter(|_| count < MAX_TRANSITIONS) {
        let reached = found.name("b")?;
        // What one transition reached may be what the next one began with.
        (from, count) = (reached.start(), count + 1);
        let before = ["a", "c", "d"].iter().find_map(|name| found.name(name));
        let Some(to) = rank(reached.as_bytes()) else { continue };
        change = match before.and_then(|word| rank(word.as_bytes())) {
            Some(began) if to < began => Some(Change::Worse),
            Some(began) if to > began => Some(Change::Better),
            Some(_) => None,
            None if to == 0 => Some(Change::Worse),
            None if to == TOP => Some(Change::Better),
            None => change,
        };
    }
    change
}

/// 3 is up, 0 is down.
fn rank(word: &[u8]) -> Option<u8> {
    let is_in =
        |list: &str| list.split_ascii_whitespace().any(|known| known.as_bytes().eq_ignore_ascii_case(word));
    let place = [DOWN, BEGUN, BETWEEN, UP].into_iter().position(is_in)?;
    u8::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_reached_and_where_it_came_from_decide() {
        for (message, expected) in [
            ("changed state to down", Some(Change::Worse)),
            ("changed state to down \u{2192} up", Some(Change::Better)),
            ("old state Established event AdminReset new state Idle", Some(Change::Worse)),
            ("old state OpenConfirm event KeepAlive new state Established", Some(Change::Better)),
            ("state changed (connected -> disconnecting)", Some(Change::Worse)),
            ("state changed (connected -> registered)", Some(Change::Worse)),
            ("state changed (searching -> registered)", Some(Change::Better)),
            ("state changed (connecting -> connected)", Some(Change::Better)),
            ("Alarm: none -> down RTT: 0.0 ms", Some(Change::Worse)),
            ("Alarm: down -> none RTT: 9.1 ms", Some(Change::Better)),
            ("Alarm: loss -> down RTT: 0 ms", None),
            ("changed state from Established to Idle (event HoldTime)", Some(Change::Worse)),
            ("from FULL to DOWN, Neighbor Down", Some(Change::Worse)),
            ("from LOADING to FULL, Loading Done", Some(Change::Better)),
            ("interface state ENABLED->DISABLED", Some(Change::Worse)),
            ("old-state=\"Established\" new-state=\"Idle\"", Some(Change::Worse)),
            ("operational-status=\"up(1)\"", Some(Change::Better)),
            ("new state: down, interface: ge-0/0/0.0", Some(Change::Worse)),
            ("nbr state changed, rid 192.0.2.14, state down", Some(Change::Worse)),
            ("link went from home to work", None),
            ("moved to bed", None),
            ("no transition at all", None),
        ] {
            assert_eq!(reached(message.as_bytes()), expected, "{message}");
        }
    }

    #[test]
    fn the_end_of_a_fault_is_good_news_and_its_denial_is_not() {
        for message in [
            "LOS alarm cleared on pon0",
            "Clearing: alarm clear",
            "service restored",
            "WAN is back online",
            "link up, was down for 9 s",
        ] {
            assert!(is_good_news(message.as_bytes()), "{message}");
        }
        for message in [
            "session cleared by peer",
            "peer no longer responding",
            "could not be restored",
            "neighbor Down - User clear requested",
        ] {
            assert!(!is_good_news(message.as_bytes()), "{message}");
        }
    }
}
