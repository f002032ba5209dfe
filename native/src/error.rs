//! The crate's one error type: a sentence that says what was wrong and what would be right.
//!
//! Callers only ever show it or pass it on, so it carries a text and no variants to match on.
use std::fmt;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// Makes an error from a whole sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Result of everything here that can refuse its input.
pub type Result<T> = std::result::Result<T, Error>;
