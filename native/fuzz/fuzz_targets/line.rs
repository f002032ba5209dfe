//! One line of any bytes: the parser must give what a plain reading by a general JSON reader gives,
//! the same record or the same refusal.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use lineheron_native::channel::ChannelList;
use lineheron_native::parse::canonical;

#[path = "../../tests/support/reference_line.rs"]
mod reference_line;

static CHANNELS: LazyLock<ChannelList> = LazyLock::new(reference_line::channels);

fuzz_target!(|line: &[u8]| {
    let found = canonical::parse(line, &CHANNELS);
    reference_line::compare(&found, line, &CHANNELS).expect("the record or the refusal");
});
