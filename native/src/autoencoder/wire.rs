//! How much of an `.onnx` file is something else than numbers, found without reading it into memory.
//!
//! Two bytes of a file can be an empty message that takes a hundred in memory. The numbers cannot grow
//! like this, and in a file of ours all the rest is small, so it is measured before anything is decoded.

/// Fields on the way to a tensor's numbers: the model's graph, its initializers, their raw data.
const PATH: [u64; 3] = [7, 5, 9];

/// Bytes outside the numbers of initializers; `None` when the fields do not follow one another properly.
pub fn overhead(bytes: &[u8]) -> Option<usize> {
    Some(bytes.len() - numbers(bytes, &PATH)?)
}

/// Bytes of the fields at the end of `path`.
fn numbers(mut bytes: &[u8], path: &[u64]) -> Option<usize> {
    let Some((&wanted, deeper)) = path.split_first() else { return Some(bytes.len()) };
    let mut total = 0;
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let content = match key & 7 {
            0 => varint(&mut bytes).map(|_| None)?,
            1 => take(&mut bytes, 8).map(|_| None)?,
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                Some(take(&mut bytes, length)?)
            }
            5 => take(&mut bytes, 4).map(|_| None)?,
            // Groups: long out of use, and in no file of ours.
            _ => return None,
        };
        if let Some(content) = content.filter(|_| key >> 3 == wanted) {
            total += numbers(content, deeper)?;
        }
    }
    Some(total)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// A whole number of up to ten bytes, seven bits each, the lowest first.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_numbers_of_initializers_are_left_out() {
        // graph { initializer { raw_data: 3 bytes } name: 1 byte } and a version.
        let bytes = [0x3a, 10, 0x2a, 5, 0x4a, 3, 1, 2, 3, 0x12, 1, b'x', 0x08, 8];
        assert_eq!(overhead(&bytes), Some(bytes.len() - 3));
        assert_eq!(overhead(&[]), Some(0));
        for length in [1, 3, 8, 11, 13] {
            assert_eq!(overhead(&bytes[..length]), None, "cut to {length}");
        }
        // A length beyond all memory, a number without end, a group.
        assert_eq!(overhead(&[0x3a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]), None);
        assert_eq!(overhead(&[0x80; 20]), None);
        assert_eq!(overhead(&[0x0b, 0x0c]), None);
    }
}
