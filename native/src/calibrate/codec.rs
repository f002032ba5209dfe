//! A calibration as bytes and back.
//!
//! Little endian: `LHCA`, version u16, score count u64, excess count u64, scale f64; knot count u16 and
//! of each score and tail f64. At the end stands SHA-256 of all before it. Loading checks the digest,
//! then the order.
use sha2::{Digest, Sha256};

use super::{Calibration, KNOTS, MAX_TAIL, MIN_SCORES};
use crate::error::{Error, Result};

const MAGIC: &[u8; 4] = b"LHCA";
const VERSION: u16 = 1;
const DIGEST_BYTES: usize = 32;

impl Calibration {
    /// The calibration as bytes; equal ones give equal bytes.
    #[allow(clippy::cast_possible_truncation)] // At most `KNOTS` + 1.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(VERSION.to_le_bytes());
        out.extend(self.count.to_le_bytes());
        out.extend(self.excesses.to_le_bytes());
        out.extend(self.scale.to_le_bytes());
        out.extend((self.knots.len() as u16).to_le_bytes());
        for (score, tail) in &self.knots {
            out.extend(score.to_le_bytes());
            out.extend(tail.to_le_bytes());
        }
        let digest = Sha256::digest(&out);
        out.extend(digest);
        out
    }

    /// Reads a calibration; anything damaged, cut or contradictory is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (body, digest) =
            bytes.split_last_chunk::<DIGEST_BYTES>().ok_or_else(|| damaged("it is too short"))?;
        let mut rest = body.strip_prefix(MAGIC).ok_or_else(|| damaged("it does not begin with LHCA"))?;
        if Sha256::digest(body).as_slice() != digest {
            return Err(damaged("its checksum is wrong"));
        }
        let version = u16::from_le_bytes(take(&mut rest)?);
        if version != VERSION {
            return Err(damaged(&format!("its version is {version}, this program reads {VERSION}")));
        }
        let (count, excesses) = (u64::from_le_bytes(take(&mut rest)?), u64::from_le_bytes(take(&mut rest)?));
        let scale = f64::from_le_bytes(take(&mut rest)?);
        let knot_count = usize::from(u16::from_le_bytes(take(&mut rest)?));
        if !(1..=KNOTS + 1).contains(&knot_count) {
            return Err(damaged("its number of points is out of range"));
        }
        let mut knots = Vec::with_capacity(knot_count);
        for _ in 0..knot_count {
            knots.push((f64::from_le_bytes(take(&mut rest)?), f64::from_le_bytes(take(&mut rest)?)));
        }
        let rising = knots.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        let ranged = knots.iter().all(|knot| knot.0.is_finite() && (0.0..=MAX_TAIL).contains(&knot.1));
        let counted = count >= MIN_SCORES as u64 && (1..count).contains(&excesses);
        if !(rising && ranged && counted && scale > 0.0 && scale.is_finite() && rest.is_empty()) {
            return Err(damaged("its numbers do not fit together"));
        }
        Ok(Self { count, knots, excesses, scale })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or_else(|| damaged("it ends early"))?;
    *rest = tail;
    Ok(*head)
}

fn damaged(why: &str) -> Error {
    Error::new(format!("this is no usable calibration: {why}"))
}
