//! Takes what may not leave a gateway out of a text: patterns on a linear-time engine, so that neither a hostile
//! pattern nor a hostile line can stall the daemon. Bounded in patterns and in the size of each.
//!
//! Patterns work on bytes (`\d`, `\w` and `.` mean ASCII) and are applied in their order, each to what the one
//! before left.
use std::borrow::Cow;

use regex::bytes::{NoExpand, Regex, RegexBuilder};

use crate::error::{Error, Result};

/// More patterns than anybody writes by hand.
pub const MAX_PATTERNS: usize = 64;
/// Longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1024;
/// What one compiled pattern may take, in bytes.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// Compiled patterns with what stands in the place of each.
pub struct Redactor {
    rules: Vec<(Regex, Vec<u8>)>,
}

impl Redactor {
    /// From (pattern, replacement). Fails on what is no pattern, matches the empty text, or is too large.
    pub fn new(rules: &[(String, String)]) -> Result<Self> {
        if rules.len() > MAX_PATTERNS {
            return Err(Error::new(format!("at most {MAX_PATTERNS} patterns are taken")));
        }
        let rules = rules
            .iter()
            .map(|(pattern, replacement)| Ok((compile(pattern)?, replacement.clone().into_bytes())));
        Ok(Self { rules: rules.collect::<Result<_>>()? })
    }

    /// The text without what matches, and how often something did.
    pub fn redact(&self, text: &str) -> (String, usize) {
        let mut bytes = Cow::Borrowed(text.as_bytes());
        let mut count = 0;
        for (pattern, replacement) in &self.rules {
            let found = pattern.find_iter(&bytes).count();
            if found == 0 {
                continue;
            }
            count += found;
            let next = pattern.replace_all(&bytes, NoExpand(replacement)).into_owned();
            bytes = Cow::Owned(next);
        }
        (String::from_utf8_lossy(&bytes).into_owned(), count)
    }
}

fn compile(pattern: &str) -> Result<Regex> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(Error::new(format!(
            "a pattern may have {MAX_PATTERN_BYTES} bytes, not {}",
            pattern.len()
        )));
    }
    let built = RegexBuilder::new(pattern).unicode(false).size_limit(MAX_COMPILED_BYTES).build();
    let regex = built.map_err(|error| Error::new(format!("pattern {pattern}: {error}")))?;
    // It would be replaced between any two letters.
    if regex.is_match(b"") {
        return Err(Error::new(format!("pattern {pattern}: it matches the empty text")));
    }
    Ok(regex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(rules: &[(&str, &str)]) -> Result<Redactor> {
        let rules: Vec<_> = rules.iter().map(|&(a, b)| (a.to_owned(), b.to_owned())).collect();
        Redactor::new(&rules)
    }

    #[test]
    fn replaces_every_match_of_every_pattern_and_counts_them() {
        let both = redactor(&[(r"\d+\.\d+\.\d+\.\d+", "<ip>"), ("user=[a-z]+", "user=$1")]).unwrap();
        let (text, count) = both.redact("10.0.0.1 → 10.0.0.2 user=ann ä");
        assert_eq!((text.as_str(), count), ("<ip> → <ip> user=$1 ä", 3));
        assert_eq!(both.redact("nothing").1, 0);
    }

    #[test]
    fn refuses_what_is_no_pattern_matches_nothing_at_all_or_is_too_large() {
        for bad in ["(", "a*", r"(?:[a-z]{1000}){1000}", "(a)\\1"] {
            assert!(redactor(&[(bad, "")]).is_err(), "{bad}");
        }
        assert!(redactor(&[(&"a".repeat(MAX_PATTERN_BYTES + 1), "")]).is_err());
        assert!(redactor(&[("a", ""); MAX_PATTERNS + 1]).is_err());
    }

    #[test]
    fn a_pattern_that_stalls_backtracking_engines_takes_linear_time() {
        let hostile = redactor(&[("(a+)+b", "")]).unwrap();
        let line = "a".repeat(50_000);
        let start = std::time::Instant::now();
        assert_eq!(hostile.redact(&line).1, 0);
        assert!(start.elapsed().as_secs() < 5);
    }
}
