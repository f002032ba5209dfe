//! The border to Node: convert in, call the core, convert out. The only folder that knows napi.
//!
//! A panic becomes a JavaScript `Error`: exports are wrapped by `catch_unwind`, background work by
//! `guarded`. Long work (fitting, training) runs off the JavaScript thread on a copy of the rows, so
//! that nobody can change them underneath.
#![allow(
    // JavaScript's numbers are f64 and its lengths u32; every count here stays far below either limit.
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    // Exports take what napi hands them by value.
    clippy::needless_pass_by_value
)]
pub mod autoencoder;
pub mod baseline;
pub mod calibration;
pub mod engine;
pub mod exit;
pub mod forest;
pub mod marginal;
pub mod memory;
pub mod notify;
mod reasons;
pub mod redact;
mod results;
pub mod shapes;

use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{AsyncTask, Env, Error, Result, Status, Task};
use napi_derive::napi;

use crate::error;

impl From<error::Error> for Error {
    fn from(error: error::Error) -> Self {
        Self::new(Status::InvalidArg, error.to_string())
    }
}

/// Runs background work; a panic in it is an error of its promise.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "no message".to_owned());
        Err(Error::new(Status::GenericFailure, format!("panic in native code: {text}")))
    })
}

/// Background work of [`provoke_panic_async`].
pub struct PanicTask;

#[napi]
impl Task for PanicTask {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        guarded(|| panic!("provoked on purpose"))
    }

    fn resolve(&mut self, _: Env, (): ()) -> Result<()> {
        Ok(())
    }
}

/// Self-test: panics inside native code, which must arrive as a thrown `Error`.
#[napi(catch_unwind)]
pub fn provoke_panic() {
    panic!("provoked on purpose");
}

/// Self-test: panics in background work, which must arrive as a rejected promise.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn provoke_panic_async() -> AsyncTask<PanicTask> {
    AsyncTask::new(PanicTask)
}
