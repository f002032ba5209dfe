//! Names made of words, taken apart for the patterns: `SNMP_TRAP_LINK_DOWN`, `ADJDOWN`, `linkDown`.

/// Ends of names that are run together.
const ENDS: [&[u8]; 6] = [b"DOWN", b"UP", b"LOST", b"FAILED", b"FAIL", b"TIMEOUT"];
/// What may stand before `UP`, which also ends plain words such as `SETUP`.
const UP_FRONTS: [&[u8]; 12] = [
    b"LINK", b"IF", b"ADJ", b"NBR", b"PEER", b"PORT", b"BGP", b"OSPF", b"ISIS", b"TUNNEL", b"INTF",
    b"SESSION",
];
/// Names that end like that and are words of their own.
const PLAIN: [&[u8]; 4] = [b"SHUTDOWN", b"UPDOWN", b"COUNTDOWN", b"TEARDOWN"];

/// Puts the text into `out` with its names as words. False when it has none, and `out` is of no use then.
pub fn split(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut changed = false;
    let mut rest = text;
    while !rest.is_empty() {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        if length == 0 {
            let other = rest.iter().take_while(|byte| !is_part(byte)).count();
            out.extend_from_slice(&rest[..other]);
            rest = &rest[other..];
            continue;
        }
        let (name, after) = rest.split_at(length);
        changed |=
            if name.iter().any(u8::is_ascii_lowercase) { camel(name, out) } else { capitals(name, out) };
        rest = after;
    }
    changed
}

/// `linkDown` is two words.
fn camel(name: &[u8], out: &mut Vec<u8>) -> bool {
    let before = out.len();
    for (place, byte) in name.iter().enumerate() {
        if byte.is_ascii_uppercase() && place > 0 && name[place - 1].is_ascii_lowercase() {
            out.push(b' ');
        }
        out.push(*byte);
    }
    out.len() - before > name.len()
}

/// `RPD_ISIS_ADJDOWN` is four words.
fn capitals(name: &[u8], out: &mut Vec<u8>) -> bool {
    let mut changed = false;
    for (place, part) in name.split(|byte| *byte == b'_').enumerate() {
        if place > 0 {
            out.push(b' ');
            changed = true;
        }
        let end = ENDS.iter().find(|end| part.ends_with(end) && part.len() > end.len());
        let front = end.map_or(part.len(), |end| part.len() - end.len());
        let plain = PLAIN.contains(&part) || (end == Some(&ENDS[1]) && !UP_FRONTS.contains(&&part[..front]));
        out.extend_from_slice(&part[..front]);
        if front < part.len() && !plain {
            out.push(b' ');
            changed = true;
        }
        out.extend_from_slice(&part[front..]);
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words_and_words_stay() {
        for (text, expected) in [
            ("SNMP_TRAP_LINK_DOWN: x", Some("SNMP TRAP LINK DOWN: x")),
            ("RPD_ISIS_ADJDOWN", Some("RPD ISIS ADJ DOWN")),
            ("IF-MIB::linkDown ifIndex", Some("IF-MIB::link Down if Index")),
            ("LINKUP", Some("LINK UP")),
            ("SETUP BACKUP SHUTDOWN UPDOWN DOWN Up down IPv6 eth0", None),
        ] {
            let mut out = Vec::new();
            let changed = split(text.as_bytes(), &mut out);
            assert_eq!(changed.then(|| String::from_utf8(out).unwrap()).as_deref(), expected, "{text}");
        }
    }
}
