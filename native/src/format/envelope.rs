//! The envelope around a message: who wrote it, when, and how grave it is.
//!
//! Known: RFC 5424; RFC 3164 with or without PRI and host, with the year or a fraction that many
//! daemons add; lines stamped in ISO 8601 or in numbers; OpenWrt's `logread`; what routers and switches put before
//! the time (sequence numbers, `host:`, `RP/0/RP0/CPU0:`, `*Mar 1`), also inside of another envelope.
//! All are told apart by their fronts alone, in one pass; texts are borrowed from the line.
use super::stamp;
use super::time::civil::{Civil, Scanner};

/// Longest program name.
const MAX_TAG_BYTES: usize = 64;
const SEVERITIES: [(&[u8], u8); 16] = [
    (b"fatal", 2),
    (b"trace", 7),
    (b"emerg", 0),
    (b"panic", 0),
    (b"alert", 1),
    (b"crit", 2),
    (b"err", 3),
    (b"error", 3),
    (b"warn", 4),
    (b"warning", 4),
    (b"notice", 5),
    (b"info", 6),
    (b"debug", 7),
    (b"informational", 6),
    (b"critical", 2),
    (b"emergency", 0),
];

/// A line taken apart. Empty texts are absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Envelope<'a> {
    pub civil: Option<Civil>,
    /// The writer says that its clock is not set.
    pub clock_unset: bool,
    pub host: &'a [u8],
    pub program: &'a [u8],
    /// 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// MSGID and structured data of RFC 5424, unless they only say how the line was sent.
    pub header: &'a [u8],
    pub message: &'a [u8],
}

/// Takes a line apart; `None` when it has no envelope.
pub fn open(line: &[u8]) -> Option<Envelope<'_>> {
    let mut scanner = Scanner::new(line);
    let severity = priority(&mut scanner);
    if let Some(envelope) = rfc5424(scanner, severity) {
        return Some(envelope);
    }
    let mut envelope = Envelope { severity, ..Envelope::default() };
    let found = stamp::read(&mut scanner, &mut envelope);
    if found.is_none() && severity.is_none() {
        return None;
    }
    header(scanner, found.is_some(), &mut envelope);
    Some(envelope)
}

/// `<134>`: the severity in it.
fn priority(scanner: &mut Scanner<'_>) -> Option<u8> {
    let mut ahead = *scanner;
    ahead.byte(b'<')?;
    let number = ahead.digits(1, 3)?;
    ahead.byte(b'>')?;
    ahead.blanks();
    *scanner = ahead;
    u8::try_from(number % 8).ok().filter(|_| number <= 191)
}

fn rfc5424(mut scanner: Scanner<'_>, severity: Option<u8>) -> Option<Envelope<'_>> {
    scanner.byte(b'1')?;
    scanner.byte(b' ')?;
    let civil = if scanner.text(b"- ").is_some() {
        None
    } else {
        let civil = scanner.iso()?;
        scanner.byte(b' ')?;
        Some(civil)
    };
    let host = field(&mut scanner)?;
    let program = field(&mut scanner)?;
    field(&mut scanner)?;
    let front = scanner.rest;
    let id = field(&mut scanner)?;
    let vendor = structured_data(&mut scanner)?;
    let front = &front[..front.len() - scanner.rest.len()];
    let header = if id.is_empty() && !vendor { b"" } else { front.strip_prefix(b"- ").unwrap_or(front) };
    scanner.blanks();
    let _ = scanner.text(b"\xef\xbb\xbf");
    Some(Envelope { civil, clock_unset: false, host, program, severity, header, message: scanner.rest })
}

/// A field of RFC 5424 and the blank behind it; `-` is absent.
fn field<'a>(scanner: &mut Scanner<'a>) -> Option<&'a [u8]> {
    let word = scanner.word()?;
    scanner.byte(b' ')?;
    Some(if word == b"-" { b"" } else { word })
}

/// `-`, or elements `[id name="value" …]` in which `\` escapes the next character. Whether one of them is a
/// vendor's, `[junos@2636.1 …]`: those that IANA registered (`meta`, `origin`, `timeQuality`) have no `@`.
fn structured_data(scanner: &mut Scanner<'_>) -> Option<bool> {
    if scanner.byte(b'-').is_some() {
        return Some(false);
    }
    scanner.byte(b'[')?;
    let mut vendor = false;
    loop {
        let id = scanner.rest.iter().take(64).take_while(|byte| !matches!(byte, b' ' | b']'));
        vendor |= { id }.any(|byte| *byte == b'@');
        let (mut quoted, mut escaped, mut end) = (false, false, None);
        for (place, byte) in scanner.rest.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b']' if !quoted => {
                    end = Some(place);
                    break;
                }
                _ => {}
            }
        }
        scanner.rest = &scanner.rest[end? + 1..];
        if scanner.byte(b'[').is_none() {
            return Some(vendor);
        }
    }
}

/// Host, facility and severity, program: what of them stands before the message. Without a time there is no host:
/// all is message then (RFC 3164, 4.3.3), and its first word would make a device of its own.
fn header<'a>(mut scanner: Scanner<'a>, is_stamped: bool, envelope: &mut Envelope<'a>) {
    scanner.blanks();
    // Where a date is written in numbers a host is rare: it takes a program behind it to make a word one.
    let numeric = envelope.civil.is_some_and(|civil| civil.numeric.is_some());
    let no_host = scanner.byte(b':').is_some()
        || !envelope.host.is_empty()
        || !is_stamped
        || (numeric && !second_word_is_tag(&scanner));
    scanner.blanks();
    let _ = bracketed_number(&mut scanner);
    if !no_host && severity_word(&mut scanner, envelope).is_none() {
        host(&mut scanner, envelope);
        let _ = severity_word(&mut scanner, envelope);
    }
    enveloped_front(&mut scanner, envelope);
    tag(&mut scanner, envelope);
    envelope.message = scanner.rest.trim_ascii();
}

/// `1432: Nov 20 12:50:26.172 CET: ` before a mnemonic: a router's own front, to which a collector added its own.
/// Its time is the device's own, which a relay's may be minutes behind.
fn enveloped_front<'a>(scanner: &mut Scanner<'a>, envelope: &mut Envelope<'a>) {
    if envelope.civil.is_none() || memchr::memchr(b'%', scanner.rest).is_none() {
        return;
    }
    let (mut ahead, mut inner) = (*scanner, Envelope::default());
    if stamp::read(&mut ahead, &mut inner).is_none() {
        return;
    }
    let _ = ahead.byte(b':');
    ahead.blanks();
    if !ahead.rest.starts_with(b"%") {
        return;
    }
    if !inner.clock_unset {
        envelope.civil = inner.civil;
    }
    *scanner = ahead;
}

/// `[1549887755.123]`, as `logread -t` writes it.
fn bracketed_number(scanner: &mut Scanner<'_>) -> Option<()> {
    let mut ahead = *scanner;
    ahead.byte(b'[')?;
    ahead.digits(9, 11)?;
    ahead.byte(b'.')?;
    ahead.digits(1, 9)?;
    ahead.byte(b']')?;
    ahead.blanks();
    *scanner = ahead;
    Some(())
}

/// A severity by its name, whatever its case.
pub fn severity_named(name: &[u8]) -> Option<u8> {
    let known = SEVERITIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map(|(_, severity)| *severity)
}

/// `daemon.notice`.
fn severity_word(scanner: &mut Scanner<'_>, envelope: &mut Envelope<'_>) -> Option<()> {
    let mut ahead = *scanner;
    let word = ahead.word()?;
    let dot = word.iter().position(|byte| *byte == b'.')?;
    let (_, severity) = SEVERITIES.iter().find(|(name, _)| *name == &word[dot + 1..])?;
    word[..dot].iter().all(u8::is_ascii_alphanumeric).then_some(())?;
    ahead.blanks();
    envelope.severity = Some(*severity);
    *scanner = ahead;
    Some(())
}

fn second_word_is_tag(scanner: &Scanner<'_>) -> bool {
    let mut ahead = *scanner;
    ahead.blanks();
    ahead.word().is_some_and(|word| !word.ends_with(b":"))
        && ahead.blanks() > 0
        && ahead.word().is_some_and(|word| word.ends_with(b":"))
}

/// The first word, unless it cannot be a host's name ([`is_host`]).
fn host<'a>(scanner: &mut Scanner<'a>, envelope: &mut Envelope<'a>) {
    let mut ahead = *scanner;
    let Some(word) = ahead.word() else { return };
    // UniFi's ends in a colon, and the program stands behind it.
    let word = word.strip_suffix(b":").filter(|word| word.contains(&b',')).unwrap_or(word);
    if ahead.rest.is_empty() || !is_host(word) {
        return;
    }
    ahead.blanks();
    envelope.host = word;
    *scanner = ahead;
}

/// A program's name ends in a colon or has its number in brackets, and a list of topics (RouterOS) has commas, as
/// have no hosts' names but UniFi's, which writes its address and its version behind them. Nor is a host's name
/// anything in quotes, an assignment or a mnemonic.
fn is_host(word: &[u8]) -> bool {
    let inner = word.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")")).unwrap_or(word);
    let inner = inner.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(inner);
    if memchr::memchr(b',', inner).is_some() {
        let address = inner.split(|byte| *byte == b',').nth(1).unwrap_or_default();
        return address.len() == 12 && address.iter().all(u8::is_ascii_hexdigit);
    }
    // An address in brackets is one, `[2001:db8::1]`.
    let numbered = word.contains(&b'[') && !word.starts_with(b"[");
    let wrong = |byte: &u8| matches!(byte, b'=' | b'"' | b'\'' | b'<' | b'>' | b'{' | b'}' | b';');
    let named = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    !word.ends_with(b":")
        && !numbered
        && !word.starts_with(b"%")
        && !inner.iter().any(wrong)
        && inner.iter().any(named)
}

/// `pppoe,ppp,info`: RouterOS's topics.
pub fn are_topics(word: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-,!".contains(byte);
    let begins = word.first().is_some_and(u8::is_ascii_lowercase);
    begins && word.contains(&b',') && word.iter().all(is_part)
}

/// The severity among topics.
fn severity_of_topics(word: &[u8]) -> Option<u8> {
    let known =
        |topic: &[u8]| SEVERITIES.iter().find(|(name, _)| *name == topic).map(|(_, severity)| *severity);
    word.split(|byte| *byte == b',').filter_map(known).min()
}

/// `program[12]:`; without the colon the first word is the program and stays part of the message.
fn tag<'a>(scanner: &mut Scanner<'a>, envelope: &mut Envelope<'a>) {
    let window = &scanner.rest[..scanner.rest.len().min(MAX_TAG_BYTES)];
    let Some(end) = window.iter().position(|byte| matches!(byte, b':' | b'[' | b' ' | b'(' | b'\t')) else {
        return;
    };
    envelope.program = &window[..end];
    if are_topics(envelope.program) {
        envelope.severity = severity_of_topics(envelope.program).or(envelope.severity);
    }
    let mut ahead = Scanner::new(&scanner.rest[end..]);
    if ahead.rest.starts_with(b"(") {
        let Some(close) = memchr::memchr(b')', ahead.rest) else { return };
        ahead.rest = &ahead.rest[close + 1..];
    }
    let mut numbered = false;
    if ahead.rest.starts_with(b"[") {
        let Some(close) = memchr::memchr(b']', ahead.rest) else { return };
        numbered = ahead.rest[1..close].iter().all(u8::is_ascii_digit);
        ahead.rest = &ahead.rest[close + 1..];
    }
    // OpenWrt's logread leaves away a name that is not known: `[2209]: text`.
    if (end > 0 || numbered) && ahead.byte(b':').is_some() {
        *scanner = ahead;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Option<(String, String, Option<u8>, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        open(line.as_bytes()).map(|e| (text(e.host), text(e.program), e.severity, text(e.message)))
    }

    fn expect(line: &str, host: &str, program: &str, severity: Option<u8>, message: &str) {
        let expected = Some((host.to_owned(), program.to_owned(), severity, message.to_owned()));
        assert_eq!(shown(line), expected, "{line}");
    }

    #[test]
    fn envelopes_of_every_kind_are_opened() {
        expect("Nov  2 15:40:14 gw sshd[28]: hello: x", "gw", "sshd", None, "hello: x");
        expect("<30>Nov 2 15:40:14 gw dnsmasq: a", "gw", "dnsmasq", Some(6), "a");
        expect("<30>Nov 2 15:40:14 dnsmasq[1]: a", "", "dnsmasq", Some(6), "a");
        expect("<30>dnsmasq[1]: a", "", "dnsmasq", Some(6), "a");
        expect("<30>Line down on wan0", "", "Line", Some(6), "Line down on wan0");
        expect("<30>system,info router rebooted", "", "system,info", Some(6), "system,info router rebooted");
        expect("Nov 22 10:06:33.123456 gw a.out: x", "gw", "a.out", None, "x");
        expect("2026-11-22T10:06:33.123456+01:00 gw postfix/smtpd[9]: x", "gw", "postfix/smtpd", None, "x");
        expect("Nov 22 2026 10:06:33 gw app: x", "gw", "app", None, "x");
        expect("2026 Nov 22 10:06:33 sw %ETH-5-UP: x", "sw", "%ETH-5-UP", None, "x");
        expect("22 Nov 2026 10:06:33 gw app: x", "gw", "app", None, "x");
        expect(
            "<134>1 2022-09-06T18:37:34+02:00 opn filterlog 69805 - [meta a=\"x\\]\" b=\"]\"][o c=\"\"] 10,,,0",
            "opn",
            "filterlog",
            Some(6),
            "10,,,0",
        );
        expect("<171>1 - - nginx - - - \u{feff}hi", "", "nginx", Some(3), "hi");
        expect("Thu Jan  1 00:00:25 1970 kern.err kernel: [ 5.1] x", "", "kernel", Some(3), "[ 5.1] x");
        expect(
            "Sat Nov 21 10:00:00 2026 [1795255200.123] daemon.notice netifd: x",
            "",
            "netifd",
            Some(5),
            "x",
        );
        expect("Nov 21 10:00:00 OpenWrt kern.warn kernel: x", "OpenWrt", "kernel", Some(4), "x");
        expect(
            "RP/0/RP0/CPU0:Aug  4 10:14:32.450 : SSHD_[68]: %SEC-6-A : x",
            "",
            "SSHD_",
            None,
            "%SEC-6-A : x",
        );
        expect("<189>12: r1 RP/0/RP0/CPU0:Aug  4 10:14:32.450 PDT: bgp[1]: x", "r1", "bgp", Some(5), "x");
        expect("000123: *Mar  1 18:46:11.123 UTC: %SYS-5-A: x", "", "%SYS-5-A", None, "x");
        let line = "Sat Nov 21 10:00:00 2026 daemon.info [2209]: <info> x";
        expect(line, "", "", Some(6), "<info> x");
        expect("20.11.26 16:41:16 PPPoE-Fehler: Zeit", "", "PPPoE-Fehler", None, "Zeit");
        expect("20.11.26 16:38:40 Internet wurde getrennt", "", "Internet", None, "Internet wurde getrennt");
        expect("11/20/2026 16:38:40 gw sshd[2]: x", "gw", "sshd", None, "x");
        expect("Nov 22 10:06:33 gw no tag here", "gw", "no", None, "no tag here");
        expect("Nov 22 10:06:33 gw CRON(pam)[12]: x", "gw", "CRON", None, "x");
    }

    #[test]
    fn a_word_that_is_no_hosts_name_is_never_taken_for_one() {
        for (line, host, program, severity) in [
            ("2026-11-20 10:31:00 pppoe,ppp,info pppoe-out1: down", "", "pppoe,ppp,info", Some(6)),
            ("2026-11-20 10:31:04 interface,info ether1 link down", "", "interface,info", Some(6)),
            (
                "nov/20/2026 10:31:09 system,error,critical login failure",
                "",
                "system,error,critical",
                Some(2),
            ),
            ("nov/20 10:31:09 system,info x y", "", "system,info", Some(6)),
            ("11-20 10:31:09 wireless,debug x y", "", "wireless,debug", Some(7)),
            ("Nov 20 10:28:00 mt pppoe,ppp,info x: y", "mt", "pppoe,ppp,info", Some(6)),
            ("<30>Nov 20 10:28:00 mt script,warning x y", "mt", "script,warning", Some(4)),
            ("Nov 20 10:28:00 rtt=5 loss=1", "", "rtt=5", None),
            ("Nov 20 10:28:00 \"a b\" c", "", "\"a", None),
            ("Nov 20 10:28:00 -- c d", "", "--", None),
            ("Nov 20 10:28:00 %SYS-5-A: c d", "", "%SYS-5-A", None),
            ("Nov 20 10:28:00 [2001:db8::1] app: d", "[2001:db8::1]", "app", None),
            ("Nov 20 10:28:00 U7LT,788a2056e301,v3.9.27 app: d", "U7LT,788a2056e301,v3.9.27", "app", None),
        ] {
            let found = open(line.as_bytes()).unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let shown = (text(found.host), text(found.program), found.severity);
            assert_eq!(shown, (host.to_owned(), program.to_owned(), severity), "{line}");
        }
    }

    #[test]
    fn message_id_and_a_vendors_data_are_kept_and_what_only_tells_of_the_sending_is_not() {
        for (middle, header) in [
            ("SNMP_TRAP_LINK_DOWN [j@2636.1 a=\"b\"]", "SNMP_TRAP_LINK_DOWN [j@2636.1 a=\"b\"]"),
            ("- [meta sequenceId=\"17\"]", ""),
            ("- [timeQuality tzKnown=\"1\"][origin ip=\"192.0.2.1\"]", ""),
            ("- [meta a=\"x@y\"][j@2636 a=\"b]\\\"\"]", "[meta a=\"x@y\"][j@2636 a=\"b]\\\"\"]"),
            ("ID47 -", "ID47 -"),
            ("- -", ""),
        ] {
            let line = format!("<28>1 2026-11-20T14:25:07.466+01:00 fw-1 mib2d 8956 {middle} text");
            let found = open(line.as_bytes()).unwrap();
            assert_eq!(String::from_utf8_lossy(found.header), header, "{middle}");
            assert_eq!(found.message, b"text", "{middle}");
        }
    }

    #[test]
    fn clocks_that_are_not_set_are_told() {
        assert!(open(b"*Mar  1 00:00:12.345: %LINK-3-UPDOWN: x").unwrap().clock_unset);
        assert!(!open(b".Mar  1 00:00:12.345: %LINK-3-UPDOWN: x").unwrap().clock_unset);
        let zone = open(b"Aug  4 10:14:32.450 PDT: x").unwrap().civil.unwrap().offset_minutes;
        assert_eq!(zone, Some(-420));
    }

    #[test]
    fn what_has_no_envelope_is_told() {
        for line in ["", "hello", "<999", "1 2 3", "Jan", "{\"a\":1}", "Nov 22 10:06", "Nov 22 10:06:33x"] {
            assert_eq!(shown(line), None, "{line}");
        }
    }
}
