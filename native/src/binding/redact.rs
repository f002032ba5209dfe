//! Redaction of raw lines before they leave the gateway.
use napi::bindgen_prelude::Result;
use napi_derive::napi;

use crate::redact;

/// One thing that may not leave.
#[napi(object)]
pub struct RedactionRule {
    /// Regular expression without look-around and back-references; `\d`, `\w` and `.` mean ASCII.
    pub pattern: String,
    /// What stands in its place, taken as it is.
    pub replacement: String,
}

/// A text without what may not leave.
#[napi(object)]
pub struct RedactedText {
    pub text: String,
    /// How often something was replaced.
    pub count: u32,
}

/// Patterns on a linear-time engine.
#[napi]
pub struct Redactor {
    core: redact::Redactor,
}

#[napi]
impl Redactor {
    /// Throws on what is no pattern, matches the empty text, or is too large.
    #[napi(constructor, catch_unwind)]
    pub fn new(rules: Vec<RedactionRule>) -> Result<Self> {
        let rules: Vec<_> = rules.into_iter().map(|rule| (rule.pattern, rule.replacement)).collect();
        Ok(Self { core: redact::Redactor::new(&rules)? })
    }

    /// Applies every pattern in its order.
    #[napi(catch_unwind)]
    pub fn redact(&self, text: String) -> RedactedText {
        let (text, count) = self.core.redact(&text);
        RedactedText { text, count: count as u32 }
    }
}
