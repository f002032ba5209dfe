//! Link settings that a Node addon needs; nothing to do for the pure core.
fn main() {
    #[cfg(feature = "binding")]
    napi_build::setup();
}
