//! Definitions of formats from any text: a format or an error that names a key, and no long work.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/format_rules.rs"]
mod format_rules;

fuzz_target!(|text: &str| {
    let mut formats = lineheron_native::format::registry::Formats::new(&format_rules::channels());
    match formats.add(text) {
        Ok(number) => {
            for line in [&b"a=1 b=\"2\""[..], b"{\"a\":1}", b"a,b,c", b"Nov 22 11:00:00 gw a: rtt=1"] {
                format_rules::check_line(&mut formats, number, line);
            }
        }
        Err(error) => assert!(error.to_string().starts_with("format"), "{error}"),
    }
});
