//! How long a baseline remembers.

/// Records after which an old one weighs 1/e of a new one, once so many were seen; before, all weigh alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    pub records: f64,
}

impl Default for Memory {
    /// A quarter of an hour at one record a second, a few days at one in five minutes: long enough to know a
    /// tail of 1 in 1,000 by itself, short enough to follow the time of day; slower lines
    /// have [`super::days`] for that.
    fn default() -> Self {
        Self { records: 1000.0 }
    }
}
