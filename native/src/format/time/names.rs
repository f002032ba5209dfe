//! Names in dates: months, weekdays and zones, as devices write them.

/// First letters of the months' English names.
const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
const WEEKDAYS: [&[u8; 3]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];
/// What other languages write otherwise: German, French, Spanish, Italian, Dutch, Portuguese. `juin` and `juil` differ
/// in their fourth letter and are asked first.
const OTHER_MONTHS: [(&[u8], i64); 26] = [
    (b"juin", 6),
    (b"juil", 7),
    ("mär".as_bytes(), 3),
    (b"mrz", 3),
    (b"mrt", 3),
    (b"mai", 5),
    (b"mei", 5),
    (b"okt", 10),
    (b"dez", 12),
    ("fév".as_bytes(), 2),
    (b"fev", 2),
    (b"avr", 4),
    ("aoû".as_bytes(), 8),
    (b"aou", 8),
    ("déc".as_bytes(), 12),
    (b"ene", 1),
    (b"abr", 4),
    (b"ago", 8),
    (b"dic", 12),
    (b"gen", 1),
    (b"mag", 5),
    (b"giu", 6),
    (b"lug", 7),
    (b"set", 9),
    (b"ott", 10),
    (b"out", 10),
];

/// Abbreviations of zones that devices write, with minutes east of UTC. Many are used for several zones
/// elsewhere; what is not here is read in the configured zone.
const ZONES: [(&[u8], i32); 40] = [
    (b"UTC", 0),
    (b"GMT", 0),
    (b"Z", 0),
    (b"WET", 0),
    (b"WEST", 60),
    (b"BST", 60),
    (b"CET", 60),
    (b"MEZ", 60),
    (b"CEST", 120),
    (b"MESZ", 120),
    (b"EET", 120),
    (b"SAST", 120),
    (b"EEST", 180),
    (b"MSK", 180),
    (b"PKT", 300),
    (b"WIB", 420),
    (b"HKT", 480),
    (b"SGT", 480),
    (b"AWST", 480),
    (b"JST", 540),
    (b"KST", 540),
    (b"ACST", 570),
    (b"AEST", 600),
    (b"ACDT", 630),
    (b"AEDT", 660),
    (b"NZST", 720),
    (b"NZDT", 780),
    (b"BRT", -180),
    (b"ART", -180),
    (b"EST", -300),
    (b"EDT", -240),
    (b"CST", -360),
    (b"CDT", -300),
    (b"MST", -420),
    (b"MDT", -360),
    (b"PST", -480),
    (b"PDT", -420),
    (b"AKST", -540),
    (b"AKDT", -480),
    (b"HST", -600),
];

/// The month that the text begins with, 1–12, and its name's length.
#[allow(clippy::cast_possible_wrap)] // At most 12 names.
pub fn month(text: &[u8]) -> Option<(i64, usize)> {
    if let Some((place, length)) = english(text, &MONTHS) {
        return Some((place as i64 + 1, length));
    }
    // A number is the usual case, and no name.
    text.first().filter(|byte| !byte.is_ascii_digit())?;
    let begins = |name: &[u8]| text.get(..name.len()).is_some_and(|head| same_letters(head, name));
    let (_, month) = OTHER_MONTHS.iter().find(|(name, _)| begins(name))?;
    Some((*month, letters(text)))
}

/// The length of the English weekday that the text begins with.
pub fn weekday(text: &[u8]) -> Option<usize> {
    english(text, &WEEKDAYS).map(|(_, length)| length)
}

/// Minutes east of UTC.
pub fn zone_minutes(name: &[u8]) -> Option<i32> {
    ZONES.iter().find(|(known, _)| *known == name).map(|(_, minutes)| *minutes)
}

fn english(text: &[u8], names: &[&[u8; 3]]) -> Option<(usize, usize)> {
    let head = text.get(..3)?;
    let place = names.iter().position(|name| head.eq_ignore_ascii_case(*name))?;
    Some((place, letters(text)))
}

/// Without case, also of the accented letters in [`OTHER_MONTHS`].
fn same_letters(text: &[u8], name: &[u8]) -> bool {
    let lower =
        |byte: &u8| if (0x80..0xa0).contains(byte) { byte | 0x20 } else { byte.to_ascii_lowercase() };
    text.iter().map(lower).eq(name.iter().map(lower))
}

fn letters(text: &[u8]) -> usize {
    text.iter().take(12).take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_known_in_the_languages_of_the_makers() {
        for (text, expected) in [
            ("Nov 1", (11, 3)),
            ("September 1", (9, 9)),
            ("März 1", (3, 5)),
            ("MÄR 1", (3, 4)),
            ("Dez 1", (12, 3)),
            ("juillet 1", (7, 7)),
            ("juin 1", (6, 4)),
            ("févr. 1", (2, 5)),
            ("dic 1", (12, 3)),
            ("out 1", (10, 3)),
        ] {
            assert_eq!(month(text.as_bytes()), Some(expected), "{text}");
        }
        for text in ["", "ju", "20", "link", "xyz"] {
            assert_eq!(month(text.as_bytes()), None, "{text}");
        }
    }
}
