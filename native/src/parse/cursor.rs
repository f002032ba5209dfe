//! Steps over the bytes of a plain JSON line: blanks, words, texts without escapes, numbers.
//!
//! Eight bytes are looked at together where there are so many: a branch for each byte would be guessed
//! wrong at the end of every number.

/// Powers of ten that an f64 holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
/// The same up to eight digits.
const INTEGER_POWERS: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
/// Longest quoted name, colon included, that is compared as three words.
const NAME_BYTES: usize = 24;

/// A field's name with its quotes and colon.
#[derive(Debug)]
pub struct Name {
    quoted: Vec<u8>,
    words: [u64; 3],
    /// Which bits of three words belong to the name; none when it is too long for them.
    masks: Option<[u64; 3]>,
}

impl Name {
    /// A name of a–z, 0–9 and _.
    pub fn new(name: &str) -> Self {
        let quoted = format!("\"{name}\":").into_bytes();
        let (mut bytes, mut mask) = ([0; NAME_BYTES], [0; NAME_BYTES]);
        let short = quoted.len() <= NAME_BYTES;
        if short {
            bytes[..quoted.len()].copy_from_slice(&quoted);
            mask[..quoted.len()].fill(0xff);
        }
        Self { quoted, words: words(&bytes), masks: short.then(|| words(&mask)) }
    }

    /// The name alone.
    pub fn plain(&self) -> &[u8] {
        &self.quoted[1..self.quoted.len() - 2]
    }

    /// What follows the name where it stands in front.
    pub fn strip_from<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (Some(masks), Some(head)) = (&self.masks, bytes.first_chunk()) else {
            return bytes.strip_prefix(self.quoted.as_slice());
        };
        let differs = |(word, (own, mask)): (u64, (&u64, &u64))| (word ^ own) & mask;
        let pairs = words(head).into_iter().zip(self.words.iter().zip(masks));
        let different = pairs.map(differs).fold(0, |all, bits| all | bits);
        (different == 0).then(|| &bytes[self.quoted.len()..])
    }
}

fn words(bytes: &[u8; NAME_BYTES]) -> [u64; 3] {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|index| u64::from_le_bytes(words[index]))
}

/// The bytes still to be read.
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    pub fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    pub fn skip_blank(&mut self) {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    pub fn word(&mut self, word: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    pub fn literal(&mut self, first: u8) -> Option<()> {
        match first {
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => None,
        }
    }

    pub fn skip_scalar(&mut self, first: u8) -> Option<()> {
        match first {
            b'"' => self.text().map(|_| ()),
            b'-' | b'0'..=b'9' => self.number().map(|_| ()),
            _ => self.literal(first),
        }
    }

    /// A string of printable ASCII without escapes.
    pub fn text(&mut self) -> Option<&'a [u8]> {
        let inner = self.0.strip_prefix(b"\"")?;
        let length = plain_length(inner)?;
        let (text, rest) = inner.split_at(length);
        self.0 = &rest[1..];
        Some(text)
    }

    /// A finite number, to the last bit what the nearest f64 is.
    #[inline]
    pub fn number(&mut self) -> Option<f64> {
        if let Some((number, length)) = self.0.first_chunk().and_then(|word| short_number(*word)) {
            self.0 = &self.0[length..];
            return Some(number);
        }
        self.any_number()
    }

    fn any_number(&mut self) -> Option<f64> {
        let start = self.0;
        let negative = self.word(b"-").is_some();
        let whole = self.digits(Digits::default());
        let leading_zero = whole.count > 1 && start[usize::from(negative)] == b'0';
        if whole.count == 0 || leading_zero {
            return None;
        }
        let mut all = whole;
        if self.word(b".").is_some() {
            all = self.digits(whole);
            if all.count == whole.count {
                return None;
            }
        }
        let decimals = all.count - whole.count;
        if matches!(self.0.first(), Some(b'e' | b'E')) {
            self.exponent()?;
        } else if all.count <= 19 && all.value <= 1 << 53 && decimals < EXACT_POWERS.len() {
            // Both are exact, so the one division rounds as the true value does.
            #[allow(clippy::cast_precision_loss)] // At most 2⁵³.
            let size = all.value as f64 / EXACT_POWERS[decimals];
            return Some(if negative { -size } else { size });
        }
        let text = std::str::from_utf8(&start[..start.len() - self.0.len()]).ok()?;
        text.parse().ok().filter(|number: &f64| number.is_finite())
    }

    fn digits(&mut self, mut digits: Digits) -> Digits {
        while let Some(word) = self.0.first_chunk::<8>() {
            let (value, count) = leading_digits(u64::from_le_bytes(*word));
            digits.value = digits.value.wrapping_mul(INTEGER_POWERS[count]).wrapping_add(value);
            digits.count += count;
            self.0 = &self.0[count..];
            if count < 8 {
                return digits;
            }
        }
        while let [digit @ b'0'..=b'9', rest @ ..] = self.0 {
            digits.value = digits.value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            digits.count += 1;
            self.0 = rest;
        }
        digits
    }

    fn exponent(&mut self) -> Option<()> {
        self.next()?;
        if let Some(b'+' | b'-') = self.0.first() {
            self.next()?;
        }
        (self.digits(Digits::default()).count > 0).then_some(())
    }
}

/// Digits read so far; the value is right for at most nineteen.
#[derive(Clone, Copy, Default)]
struct Digits {
    value: u64,
    count: usize,
}

const ONES: u64 = 0x0101_0101_0101_0101;
/// What turns the characters 0–9 into their values.
const ZEROS: u64 = ONES * 0x30;

/// The high bits of bytes that are no digits. It tells exactly up to the first above 0x7f.
fn others(word: u64) -> u64 {
    // Digits are 0–9 now; what is added lifts all else to the high bit.
    let digits = word ^ ZEROS;
    (digits.wrapping_add(ONES * 0x76) | digits) & (ONES * 0x80)
}

/// A number without sign and exponent that ends within seven of eight bytes, and its length: digits, or digits,
/// a point and digits, all of them looked at once. `None` for any other, whatever it is.
#[inline]
fn short_number(bytes: [u8; 8]) -> Option<(f64, usize)> {
    let word = u64::from_le_bytes(bytes);
    let others = others(word);
    let whole = others.trailing_zeros() / 8;
    let mut length = whole;
    let mut digits = word;
    if bytes.get(whole as usize) == Some(&b'.') {
        length = (others & (others - 1)).trailing_zeros() / 8;
        // The point is taken out: what follows moves down.
        let below = (1 << (8 * whole)) - 1;
        digits = digits & below | (digits >> 8) & !below;
    }
    let end = *bytes.get(length as usize)?;
    let (points, decimals) = (u32::from(length > whole), length.saturating_sub(whole + 1));
    let odd = whole == 0
        || bytes[0] == b'0' && whole > 1
        || points > decimals
        || matches!(end | 0x20, b'e' | b'.');
    if odd {
        return None;
    }
    #[allow(clippy::cast_precision_loss)] // At most seven digits.
    let value = eight_digits((digits ^ ZEROS) << (64 - 8 * (length - points))) as f64;
    Some((value / EXACT_POWERS[decimals as usize], length as usize))
}

/// Of eight bytes, the first one lowest, the value of the digits in front and how many there are.
fn leading_digits(word: u64) -> (u64, usize) {
    // A carry can only reach bytes above the first that is no digit.
    let count = others(word).trailing_zeros() as usize / 8;
    if count == 0 {
        return (0, 0);
    }
    // Zeros come in front.
    (eight_digits((word ^ ZEROS) << (64 - 8 * count)), count)
}

/// The value of eight digits: pairs, fours and all eight are joined.
#[inline]
fn eight_digits(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let high = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let low = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    high.wrapping_add(low) >> 32
}

/// Bytes before the closing quote when all of them are printable ASCII and none is a backslash.
fn plain_length(bytes: &[u8]) -> Option<usize> {
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zero_at = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Below the first set bit these tell exactly; a false one can only stand above a true one.
        let stops = zero_at(word ^ (ONES * u64::from(b'"')))
            | zero_at(word ^ (ONES * u64::from(b'\\')))
            | (word.wrapping_sub(ONES * 0x20) & !word & HIGHS)
            | (word & HIGHS);
        if stops != 0 {
            let length = index * 8 + stops.trailing_zeros() as usize / 8;
            return (bytes[length] == b'"').then_some(length);
        }
    }
    let stop =
        rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || !(0x20..0x80).contains(&byte))?;
    (rest[stop] == b'"').then_some(words.len() * 8 + stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_in_front_of_eight_bytes_are_read_at_once() {
        for (text, expected) in [
            ("12345678", (12_345_678, 8)),
            ("1234567,", (1_234_567, 7)),
            ("0.500000", (0, 1)),
            ("99:99999", (99, 2)),
            ("7/777777", (7, 1)),
            (",1234567", (0, 0)),
            ("3\u{80}\u{80}333", (3, 1)),
        ] {
            let word = u64::from_le_bytes(*text.as_bytes().first_chunk().unwrap());
            assert_eq!(leading_digits(word), expected, "{text}");
        }
        for first in 0..=u8::MAX {
            let bytes = [first, b'1', b'2', b'3', b'4', b'5', b'6', b'7'];
            assert_eq!(leading_digits(u64::from_le_bytes(bytes)).1 > 0, first.is_ascii_digit(), "{first}");
        }
    }

    #[test]
    fn a_short_number_is_what_any_is_or_none() {
        let alphabet = b"0019.-+eE,} \xff\x90";
        let mut random = crate::random::Random::new(8);
        let mut taken = 0;
        for _ in 0..400_000 {
            let mut bytes = [0; 8];
            for byte in &mut bytes {
                *byte = alphabet[usize::try_from(random.below(alphabet.len() as u64)).unwrap()];
            }
            let mut cursor = Cursor(&bytes);
            let Some((number, length)) = short_number(bytes) else { continue };
            taken += 1;
            assert_eq!(cursor.any_number().map(f64::to_bits), Some(number.to_bits()), "{bytes:?}");
            assert_eq!(cursor.0.len(), 8 - length, "{bytes:?}");
        }
        assert!(taken > 50_000, "{taken}");
        assert_eq!(short_number(*b"20.125,\""), Some((20.125, 6)));
        assert_eq!(short_number(*b"1234567}"), Some((1_234_567.0, 7)));
        for none in
            [b"12345678", b"1.234567", b"01,00000", b"1.,00000", b"1e5,0000", b"1.5E1,00", b"-1,00000"]
        {
            assert_eq!(short_number(*none), None);
        }
    }

    #[test]
    fn a_name_is_found_where_it_stands_whole_and_only_there() {
        for name in ["a", "latency_ms", "twenty_one_characters", "a_name_that_is_longer_than_three_words"] {
            let known = Name::new(name);
            let line = format!("\"{name}\":12.5,\"and_so_on\":1}}");
            assert_eq!(known.strip_from(line.as_bytes()), Some(&line.as_bytes()[name.len() + 3..]));
            assert_eq!(known.strip_from(&line.as_bytes()[..name.len() + 3]), Some(&b""[..]));
            for place in 0..name.len() + 3 {
                let mut other = line.clone().into_bytes();
                other[place] ^= 1;
                assert_eq!(known.strip_from(&other), None, "{place}");
                assert_eq!(known.strip_from(&line.as_bytes()[..place]), None, "{place}");
            }
        }
    }
}
