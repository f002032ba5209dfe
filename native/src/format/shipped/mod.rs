//! The shipped patterns: what programs on gateways really write, and what it means for a record.
//!
//! A family is the programs that write alike and their rules in order, one file a kind. A rule's name
//! is the error code when it is an error. What counts as what:
//! - **error**: a warning or failure that someone looking after the line would want to know;
//! - **reset**: a link, lease, session, tunnel or process that went down or was begun anew;
//! - **reboot**: a reset of the whole device, whose windows no model learns from;
//! - **retry**: something sent again, or waited for in vain;
//! - groups named `latency_s`, `latency_ms`, `latency_us`, `packet_loss_pct`, `retries`, `bytes`,
//!   `more_bytes` (added) and `error_code` carry the line's own figures.
//!
//! Each rule has sample lines, which a test reads by all the rules.
pub mod cisco;
mod docsis;
mod firewall;
mod german;
mod kernel;
pub mod names;
mod network;
mod routing;
mod services;
pub mod state;
mod system;
mod vpn;
mod wireless;

use std::collections::HashMap;

use super::patterns::Patterns;

/// One pattern and what its match means.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Name, and the error code when it is an error.
    pub name: &'static str,
    pub pattern: &'static str,
    pub error: bool,
    pub resets: u8,
    pub retries: u8,
    /// The device itself began anew.
    pub rebooted: bool,
    /// Messages that it is there for.
    pub samples: &'static [&'static str],
}

/// A rule for lines that mean nothing bad.
const fn event(name: &'static str, pattern: &'static str, samples: &'static [&'static str]) -> Rule {
    Rule { name, pattern, error: false, resets: 0, retries: 0, rebooted: false, samples }
}

/// A rule for errors.
const fn error(name: &'static str, pattern: &'static str, samples: &'static [&'static str]) -> Rule {
    Rule { name, pattern, error: true, resets: 0, retries: 0, rebooted: false, samples }
}

impl Rule {
    /// The same, and it is a reset.
    const fn reset(self) -> Self {
        Self { resets: 1, ..self }
    }

    /// The same, and it is a reset: the device rebooted.
    const fn reboot(self) -> Self {
        Self { rebooted: true, ..self.reset() }
    }

    /// The same, and it is a retry.
    const fn retry(self) -> Self {
        Self { retries: 1, ..self }
    }
}

/// One list behind the other.
const fn joined<const A: usize, const B: usize, const N: usize>(a: [Rule; A], b: [Rule; B]) -> [Rule; N] {
    assert!(A + B == N);
    let mut all = [a[0]; N];
    let mut place = 0;
    while place < N {
        all[place] = if place < A { a[place] } else { b[place - A] };
        place += 1;
    }
    all
}

/// Programs that write alike.
#[derive(Debug)]
pub struct Family {
    /// Names as their envelopes have them, whatever their case; none is every program.
    pub programs: &'static [&'static str],
    /// The error when a message that no rule calls one says that a worse state was reached; none when empty.
    pub worse: &'static str,
    pub rules: &'static [Rule],
}

/// Every family; the last is for any program.
static FAMILIES: [&Family; 19] = [
    &kernel::KERNEL,
    &network::INTERFACES,
    &network::PPP,
    &network::DHCP,
    &network::DNS,
    &network::TIME,
    &network::MONITORS,
    &wireless::WIFI,
    &wireless::CELLULAR,
    &docsis::DOCSIS,
    &firewall::FIREWALL,
    &vpn::VPN,
    &routing::ROUTING,
    &services::SSH,
    &services::MAIL,
    &services::WEB,
    &services::LOGIN,
    &system::SYSTEM,
    &system::ANY,
];

const ANY: usize = FAMILIES.len() - 1;
/// Longest name of a program that is looked up.
const MAX_PROGRAM_BYTES: usize = 128;

/// Every sample message with its program and its rule.
pub fn samples() -> impl Iterator<Item = (&'static str, &'static Rule, &'static str)> {
    FAMILIES.iter().flat_map(|family| {
        let program = family.programs.first().copied().unwrap_or_default();
        let rules = family.rules.iter();
        rules.flat_map(move |rule| rule.samples.iter().map(move |sample| (program, rule, *sample)))
    })
}

/// The compiled families.
#[derive(Debug)]
pub struct Shipped {
    patterns: Vec<Patterns>,
    by_program: HashMap<&'static str, usize>,
}

impl Shipped {
    /// Compiles all of them.
    pub fn compile() -> Self {
        let (mut patterns, mut by_program) = (Vec::new(), HashMap::new());
        for (place, family) in FAMILIES.iter().enumerate() {
            let texts: Vec<&str> = family.rules.iter().map(|rule| rule.pattern).collect();
            let compiled = Patterns::new(&texts);
            patterns.push(compiled.unwrap_or_else(|(rule, error)| {
                panic!("shipped pattern {}: {error}", family.rules[rule].name)
            }));
            by_program.extend(family.programs.iter().map(|program| (*program, place)));
        }
        Self { patterns, by_program }
    }

    /// The rule for a message: its family's patterns, its place among them and the rule.
    pub fn find(&self, program: &[u8], message: &[u8]) -> Option<(&Patterns, usize, &'static Rule)> {
        let own = self.family(program);
        own.into_iter().chain([ANY]).find_map(|family| {
            let place = self.patterns[family].first_match(message)?;
            Some((&self.patterns[family], place, &FAMILIES[family].rules[place]))
        })
    }

    /// The error of a program's message that says that a worse state was reached.
    pub fn worse(&self, program: &[u8]) -> &'static str {
        FAMILIES[self.family(program).unwrap_or(ANY)].worse
    }

    /// `postfix/smtpd` is postfix's, `/usr/sbin/cron` is cron's, `pppoe,ppp,info` is pppoe's.
    fn family(&self, program: &[u8]) -> Option<usize> {
        let mut lower = [0; MAX_PROGRAM_BYTES];
        let lower = lower.get_mut(..program.len())?;
        lower.copy_from_slice(program);
        lower.make_ascii_lowercase();
        let text = std::str::from_utf8(lower).ok()?;
        let names = [text, text.split(['/', ',']).next()?, text.rsplit('/').next()?];
        names.iter().find_map(|name| self.by_program.get(name)).copied()
    }
}

/// A message without its note that it was repeated, and how often; no message is "the last one".
pub fn repeated(line: &[u8]) -> (Option<&[u8]>, Option<u32>) {
    let front = line.strip_prefix(b"last ").unwrap_or(line);
    let Some(rest) = front.strip_prefix(b"message repeated ") else { return (Some(line), None) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count().min(9);
    let times = std::str::from_utf8(&rest[..digits]).ok().and_then(|text| text.parse().ok());
    let Some((times, after)) = times.zip(rest[digits..].strip_prefix(b" times")) else {
        return (Some(line), None);
    };
    let inner =
        after.strip_prefix(b": [").map(|inner| inner.strip_suffix(b"]").unwrap_or(inner).trim_ascii());
    (inner, Some(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_read_by_the_rule_that_it_belongs_to() {
        let shipped = Shipped::compile();
        let mut wrong = Vec::new();
        for (program, rule, sample) in samples() {
            let found = shipped.find(program.as_bytes(), sample.as_bytes()).map(|(_, _, rule)| rule);
            if found.is_none_or(|found| found.pattern != rule.pattern) {
                wrong.push((rule.name, sample, found.map(|rule| rule.name)));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(samples().count() > 200);
        assert!(FAMILIES.iter().flat_map(|family| family.rules).all(|rule| !rule.samples.is_empty()));
    }

    #[test]
    fn a_program_belongs_to_one_family_and_names_fit_the_wire() {
        let mut seen = std::collections::HashSet::new();
        for family in FAMILIES {
            for program in family.programs {
                assert!(seen.insert(program), "{program} is in two families");
                assert_eq!(*program, program.to_ascii_lowercase());
            }
            for rule in family.rules {
                assert!(
                    rule.name.len() <= 64
                        && rule.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                );
            }
        }
    }

    #[test]
    fn repeated_messages_are_told_from_others() {
        assert_eq!(repeated(b"message repeated 2 times: [ Failed x]"), (Some(&b"Failed x"[..]), Some(2)));
        assert_eq!(repeated(b"last message repeated 4 times"), (None, Some(4)));
        for line in ["message repeated x times", "message repeated 99999999999 times", "a message"] {
            assert_eq!(repeated(line.as_bytes()), (Some(line.as_bytes()), None));
        }
    }
}
