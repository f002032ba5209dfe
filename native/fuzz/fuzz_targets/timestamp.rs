//! Times as text and as numbers: never a panic, never outside the years 1970 to 9999, and a time that
//! is written with an offset means the same as the same moment in UTC.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineheron_native::parse::timestamp;

const MAX_MS: i64 = 253_402_300_799_999;

fuzz_target!(|bytes: &[u8]| {
    if let Some(head) = bytes.first_chunk::<8>() {
        let found = timestamp::from_number(f64::from_le_bytes(*head));
        assert!(found.is_none_or(|time_ms| (0..=MAX_MS).contains(&time_ms)));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(time_ms) = timestamp::from_iso(text) else { return };
    assert!((0..=MAX_MS).contains(&time_ms));
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        assert_eq!(timestamp::from_iso(&format!("{clock}+00:00")), Some(time_ms));
        let earlier = timestamp::from_iso(&format!("{clock}+01:30"));
        assert!(earlier.is_none() || earlier == Some(time_ms - 5_400_000));
    }
});
