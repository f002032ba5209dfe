//! windows-1252, which holds Latin-1: one byte a character.

/// The characters 0x80–0x9F, as the WHATWG's Encoding Standard has them.
const SPECIAL: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}',
    '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}',
    '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}',
    '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

/// Puts the text into `utf8`.
pub fn to_utf8(text: &[u8], utf8: &mut Vec<u8>) {
    utf8.clear();
    for byte in text {
        let character = match byte {
            0x80..=0x9f => SPECIAL[usize::from(byte - 0x80)],
            _ => char::from(*byte),
        };
        utf8.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_character() {
        let mut utf8 = Vec::new();
        to_utf8(b"K\xf6ln 5 \x80 \x96 \xff", &mut utf8);
        assert_eq!(std::str::from_utf8(&utf8), Ok("Köln 5 € – ÿ"));
    }
}
