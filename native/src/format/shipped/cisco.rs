//! Cisco's mnemonics, `%PKT_INFRA-LINK-3-UPDOWN`: facility, severity 0–7 and what happened.
//!
//! The mnemonic is the error code, but for neighbours whose states EOS names (`neighbour-down`). An error is a severity of 0–4, and anything that says "down" or
//! that an alarm was declared; a line that says "up" or that an alarm was cleared is none. A reset is
//! an interface, neighbour, session or link that went down.
use super::state::{self, Change};
use crate::channel::RESETS;
use crate::format::draft::{Draft, MAX_TEXT_CHARACTERS};

/// What a line with a mnemonic means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    mnemonic: &'a str,
    error: bool,
    reset: bool,
}

impl Event<'_> {
    /// Puts it in the record.
    pub fn apply(&self, draft: &mut Draft) {
        if self.error {
            draft.set_error(self.mnemonic);
        }
        if self.reset {
            draft.values[RESETS] = 1.0;
        }
    }
}

const DOWN: [&[u8]; 11] = [
    b"dropped",
    b" Down",
    b" down",
    b" DOWN",
    b"to FAIL",
    b" LOST",
    b" lost",
    b":DECLARE",
    b"from FULL",
    b"terminated",
    b"REMOVED",
];
const UP: [&[u8]; 9] = [
    b" Up",
    b" up",
    b" UP",
    b"established",
    b"ESTABLISHED",
    b":CLEAR",
    b"to FULL",
    b"recovered",
    b"RECOVER",
];
/// Mnemonics and texts about something that holds a connection.
const LINKS: [&[u8]; 13] = [
    b"UPDOWN",
    b"ADJCH",
    b"neighbour",
    b"NBR",
    b"neighbor",
    b"nbr ",
    b"Interface ",
    b"interface ",
    b"LINK",
    b"SESSION",
    b"session",
    b"CHANGED",
    b"CONNECTION",
];

/// Finds a mnemonic at the message's front, in the program's place, or further in.
pub fn read<'a>(program: &'a [u8], message: &'a [u8]) -> Option<Event<'a>> {
    let (mnemonic, text) = match parse(program) {
        Some(mnemonic) => (mnemonic, message),
        None => find(&message[..message.len().min(512)])?,
    };
    let severity = severity(mnemonic)?;
    let text = &text[..text.len().min(512)];
    let has =
        |words: &[&[u8]], text: &[u8]| words.iter().any(|word| memchr::memmem::find(text, word).is_some());
    let change = state::reached(text);
    let (down, up) = (has(&DOWN, text), has(&UP, text) || change == Some(Change::Better));
    // "changed state to Up" after "was Down": the later word counts, and it is the state reached.
    let later = || down && (!up || last(&DOWN, text) > last(&UP, text));
    let went_down = change.map_or_else(later, |change| change == Change::Worse);
    let states = has(&[b"new state "], text) && has(&[b"ADJCH"], mnemonic.as_bytes());
    let mnemonic = if states { "neighbour-down" } else { mnemonic };
    let link = has(&LINKS, mnemonic.as_bytes()) || has(&LINKS, text);
    let alarm = memchr::memmem::find(text, b":DECLARE").is_some();
    let error = went_down || (severity <= 4 && !up);
    Some(Event { mnemonic, error, reset: went_down && (link || change.is_some()) && !alarm })
}

fn last(words: &[&[u8]], text: &[u8]) -> Option<usize> {
    words.iter().filter_map(|word| memchr::memmem::rfind(text, word)).max()
}

/// The first mnemonic in a text, and what follows it.
fn find(text: &[u8]) -> Option<(&str, &[u8])> {
    for place in memchr::memchr_iter(b'%', text).take(8) {
        let end = text[place + 1..].iter().position(|byte| !is_part(*byte)).map(|length| place + 1 + length);
        let end = end.unwrap_or(text.len());
        if let Some(mnemonic) = parse(&text[place..end]) {
            return Some((mnemonic, &text[end..]));
        }
    }
    None
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// `%FACILITY-3-WHAT` without its sign.
fn parse(word: &[u8]) -> Option<&str> {
    let name = word.strip_prefix(b"%")?;
    let text = std::str::from_utf8(name).ok().filter(|text| text.len() <= MAX_TEXT_CHARACTERS)?;
    let whole = name.iter().all(|byte| is_part(*byte)) && name.first()?.is_ascii_uppercase();
    severity(text).filter(|_| whole).map(|_| text)
}

/// The digit between dashes, from behind: the last part is what happened.
fn severity(mnemonic: &str) -> Option<u8> {
    let (front, what) = mnemonic.rsplit_once('-')?;
    let (facility, digit) = front.rsplit_once('-')?;
    let digit = digit.as_bytes();
    let known =
        digit.len() == 1 && (b'0'..=b'7').contains(&digit[0]) && !facility.is_empty() && !what.is_empty();
    known.then(|| digit[0] - b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnemonics_say_what_happened() {
        for (message, error, reset) in [
            ("%PKT_INFRA-LINK-3-UPDOWN : Interface HundredGigE0/0/0/1, changed state to Down", true, true),
            ("%PKT_INFRA-LINK-3-UPDOWN : Interface HundredGigE0/0/0/1, changed state to Up", false, false),
            (
                "%PKT_INFRA-LINEPROTO-5-UPDOWN : Line protocol on Interface Gi0, changed state to Down",
                true,
                true,
            ),
            ("%ROUTING-BGP-5-ADJCHANGE : neighbor 172.31.11.0 Down - User clear requested", true, true),
            ("%ROUTING-BGP-5-ADJCHANGE : neighbor 172.31.11.0 Up (VRF: default) (AS: 65011)", false, false),
            (
                "%OSPF-5-ADJCHG: Process 1, Nbr 10.1.1.1 on Gi0/1 from FULL to DOWN, Neighbor Down",
                true,
                true,
            ),
            (
                "%OSPF-5-ADJCHG: Process 1, Nbr 10.1.1.1 on Gi0/1 from LOADING to FULL, Loading Done",
                false,
                false,
            ),
            (
                "%PKT_INFRA-FM-2-FAULT_CRITICAL : ALARM_CRITICAL :OPTICS RX LOS LANE-0 :DECLARE : Optics0",
                true,
                false,
            ),
            (
                "%PKT_INFRA-FM-2-FAULT_CRITICAL : ALARM_CRITICAL :OPTICS RX LOS LANE-0 :CLEAR : Optics0",
                false,
                false,
            ),
            ("%SECURITY-SSHD-3-ERR_GENERAL : sshd: Failed to get tty", true, false),
            ("%SECURITY-SSHD-6-INFO_SUCCESS : Successfully authenticated user", false, false),
            ("*Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console", false, false),
        ] {
            let event = read(b"", message.as_bytes()).unwrap();
            assert_eq!((event.error, event.reset), (error, reset), "{message}");
        }
        let event = read(b"%LINK-3-UPDOWN", b"Interface GigabitEthernet0/1, changed state to down").unwrap();
        assert_eq!((event.mnemonic, event.error, event.reset), ("LINK-3-UPDOWN", true, true));
    }

    #[test]
    fn other_percent_signs_are_no_mnemonics() {
        for message in ["loss 20% of packets", "%s-3-x", "%A-9-B", "100%-3-", "%A--3-B", "%-3-B"] {
            assert_eq!(read(b"", message.as_bytes()).filter(|e| e.mnemonic != "A--3-B"), None, "{message}");
        }
    }
}
