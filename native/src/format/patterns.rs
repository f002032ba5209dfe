//! Patterns with named groups, many of them at once, on an engine that takes linear time.
//!
//! All patterns are first tried in one pass over the text, which says which match; the first in order
//! counts, and only its groups are looked for. Bytes are matched, not Unicode: `\w` and `(?i)` are
//! ASCII. Bounds: a pattern's length and compiled size, that of all, and how much of a text is looked
//! at; so the most work that a line can cost is known whatever the pattern.
use regex::bytes::{CaptureLocations, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use crate::error::{Error, Result};

/// Most patterns of one set.
pub const MAX_PATTERNS: usize = 256;
/// Longest pattern, bytes.
pub const MAX_PATTERN_BYTES: usize = 2048;
/// Most memory of one compiled pattern, and of the set.
pub const MAX_COMPILED_BYTES: usize = 64 << 10;
pub const MAX_SET_BYTES: usize = 4 << 20;
/// Patterns see so much of a text and no more.
pub const MAX_TEXT_BYTES: usize = 4096;
const MAX_NESTING: u32 = 32;

/// Compiled patterns in order. They hold nothing of any text, so that many readers may share them.
#[derive(Debug)]
pub struct Patterns {
    set: RegexSet,
    patterns: Vec<Regex>,
}

impl Patterns {
    /// Compiles patterns; the error is the place of the wrong one and what is wrong.
    pub fn new<T: AsRef<str>>(texts: &[T]) -> std::result::Result<Self, (usize, Error)> {
        let mut patterns = Vec::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            patterns.push(compile(text.as_ref()).map_err(|error| (place, error))?);
        }
        let set = RegexSetBuilder::new(texts)
            .unicode(false)
            .nest_limit(MAX_NESTING)
            .size_limit(MAX_SET_BYTES)
            .dfa_size_limit(MAX_SET_BYTES)
            .build();
        let too_big =
            |_| (0, Error::new("all patterns together are too big: use fewer, or smaller repeats"));
        Ok(Self { set: set.map_err(too_big)?, patterns })
    }

    /// The first pattern that matches.
    pub fn first_match(&self, text: &[u8]) -> Option<usize> {
        self.first_match_where(text, |_| true)
    }

    /// The first pattern that matches and may.
    pub fn first_match_where(&self, text: &[u8], may: impl Fn(&usize) -> bool) -> Option<usize> {
        self.set.matches(shown(text)).iter().find(may)
    }

    /// Names of a pattern's groups with their numbers.
    pub fn groups(&self, place: usize) -> impl Iterator<Item = (usize, &str)> {
        let names = self.patterns[place].capture_names().enumerate();
        names.filter_map(|(group, name)| name.map(|name| (group, name)))
    }

    /// Finds a pattern's groups in a text that it matches.
    pub fn find_groups(&self, place: usize, text: &[u8], groups: &mut Groups) {
        let regex = &self.patterns[place];
        if groups.0.as_ref().is_none_or(|(last, _)| *last != place) {
            groups.0 = Some((place, regex.capture_locations()));
        }
        if let Some((_, locations)) = &mut groups.0 {
            regex.captures_read(locations, shown(text));
        }
    }
}

/// Where the groups of the last match are.
#[derive(Debug, Default)]
pub struct Groups(Option<(usize, CaptureLocations)>);

impl Groups {
    /// A group's part of the text.
    pub fn get<'a>(&self, group: usize, text: &'a [u8]) -> Option<&'a [u8]> {
        let (from, to) = self.0.as_ref()?.1.get(group)?;
        text.get(from..to)
    }
}

fn shown(text: &[u8]) -> &[u8] {
    &text[..text.len().min(MAX_TEXT_BYTES)]
}

fn compile(text: &str) -> Result<Regex> {
    if text.len() > MAX_PATTERN_BYTES {
        return Err(Error::new(format!("the pattern is longer than {MAX_PATTERN_BYTES} bytes")));
    }
    let built = RegexBuilder::new(text)
        .unicode(false)
        .nest_limit(MAX_NESTING)
        .size_limit(MAX_COMPILED_BYTES)
        .dfa_size_limit(MAX_COMPILED_BYTES)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            Error::new("the compiled pattern is too big: make its repeats {n,m} smaller")
        }
        other => Error::new(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pattern_in_order_counts_and_gives_its_groups() {
        let patterns = Patterns::new(&[r"time=(?P<rtt>[\d.]+)", r"(?P<word>\w+)", "time"]).unwrap();
        assert_eq!(patterns.first_match(b"a time=2.5"), Some(0));
        assert_eq!(patterns.first_match(b"a\xff"), Some(1));
        assert_eq!(patterns.first_match(b"--"), None);
        assert_eq!(patterns.groups(0).collect::<Vec<_>>(), [(1, "rtt")]);
        let mut groups = Groups::default();
        patterns.find_groups(0, b"a time=2.5", &mut groups);
        assert_eq!(groups.get(1, b"a time=2.5"), Some(&b"2.5"[..]));
    }

    #[test]
    fn hostile_patterns_are_refused_with_their_place() {
        for (pattern, text) in [
            ("(", "unclosed group"),
            (r"(\w{1000}){1000}", "too big"),
            (r"(((((a{20}){20}){20}){20}){20})", "too big"),
            (r"(?=a)", "look-around"),
            (r"(a)\1", "backreferences"),
            (&format!("{}a{}", "(".repeat(60), ")".repeat(60)), "nest"),
            (&"a".repeat(3000), "longer than"),
        ] {
            let (place, error) = Patterns::new(&["fine", pattern]).unwrap_err();
            assert_eq!(place, 1);
            assert!(error.to_string().contains(text), "{pattern}: {error}");
        }
        let many: Vec<String> = (0..MAX_PATTERNS).map(|i| format!("{i}[ab]{{1500}}")).collect();
        assert!(Patterns::new(&many).is_err(), "each fits, all do not");
    }
}
