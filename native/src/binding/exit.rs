//! Ends this process at once. Node's own `process.exit` joins the threads of its pool, and one of them may hang in
//! `getaddrinfo` for half a minute while the name servers are silent.

use napi_derive::napi;

unsafe extern "C" {
    #[link_name = "_exit"]
    safe fn exit_process(code: i32) -> !;
}

/// Ends the process with this exit code, without waiting for anything or anybody.
#[napi(catch_unwind)]
pub fn exit_now(code: i32) {
    exit_process(code)
}
