//! lineheron's native core: bytes of log lines in, scored windows out.
//!
//! Everything but [`binding`] is pure: no files, no clocks, no sockets, no Node. Time, seeds and
//! bytes come in as arguments, so every result can be repeated and every part tested alone.

pub mod autoencoder;
pub mod baseline;
pub mod calibrate;
pub mod channel;
pub mod device;
pub mod engine;
pub mod error;
pub mod feature;
pub mod forest;
pub mod format;
pub mod math;
pub mod parse;
pub mod random;
pub mod redact;
pub mod window;

#[cfg(feature = "binding")]
#[allow(unsafe_code)] // The code that napi generates calls C functions; of ours here, memory.rs and exit.rs.
pub mod binding;
