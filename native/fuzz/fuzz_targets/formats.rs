//! Lines of any bytes in every format: the first byte says which, and what comes of the rest are
//! records that the windows may take, or refusals.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/format_rules.rs"]
mod format_rules;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, lines)) = bytes.split_first() else { return };
    // Some formats remember lines, so that an input must begin anew to be repeated.
    let mut formats = lineheron_native::format::registry::Formats::new(&format_rules::channels());
    let definitions = format_rules::definitions();
    let number = formats.add(&definitions[usize::from(*first) % definitions.len()]).expect("it is right");
    for line in lines.split(|byte| *byte == b'\n') {
        format_rules::check_line(&mut formats, number, line);
    }
});
