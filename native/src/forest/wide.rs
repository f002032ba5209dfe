//! The AVX-512 kernel of [`super::compact`]: 32 rows walk down one tree side by side.
//!
//! The splits of a tree are 512 bytes, eight registers; a lane's split is fetched by permuting them. The
//! columns' ranks of the 32 rows are registers too; a lane's column is chosen by halving their number
//! once for each bit of the column's name. Which leaf a row reaches is written out, and the sums are
//! taken elsewhere in the order of the trees, so the result equals the scalar walk's to the last bit.
//! Gathering the splits from memory would cost more than all of this on Zen 4.
//!
//! Ranks are found by halving, the first five times among 32 keys in registers, then in memory.
//!
//! The `unsafe` here: loading and storing whole arrays (the types fix their length), and calling code
//! that needs a processor feature, which [`Wide::detect`] has asked for first.
#![allow(unsafe_code)]
#![allow(clippy::unused_self)] // Having a `Wide` is what allows the call.

use std::arch::x86_64::{
    __m256i, __m512, __m512i, __mmask16, __mmask32, _CMP_UNORD_Q, _mm_cvtsi32_si128, _mm256_storeu_si256,
    _mm512_add_epi16, _mm512_add_epi32, _mm512_add_ps, _mm512_castps_si512, _mm512_cmp_ps_mask,
    _mm512_cmpeq_epi16_mask, _mm512_cmpgt_epu16_mask, _mm512_cmple_epi32_mask, _mm512_cvtepi32_epi16,
    _mm512_i32gather_epi32, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_add_epi16,
    _mm512_mask_add_epi32, _mm512_mask_blend_epi16, _mm512_mask_mov_epi32, _mm512_permutex2var_epi16,
    _mm512_permutex2var_epi32, _mm512_permutexvar_epi16, _mm512_set1_epi16, _mm512_set1_epi32,
    _mm512_setzero_ps, _mm512_setzero_si512, _mm512_sll_epi32, _mm512_srai_epi32, _mm512_srli_epi32,
    _mm512_storeu_si512, _mm512_test_epi16_mask, _mm512_testn_epi16_mask, _mm512_xor_si512,
};

use super::compact::{MAX_DEPTH, MIN_KEYS, PLACES};

/// Rows that walk together.
pub const LANES: usize = 32;
/// One column's ranks, or one place a row.
pub type Lane = [u16; LANES];

/// Proof that the processor has what the kernel needs.
#[derive(Debug, Clone, Copy)]
pub struct Wide(());

impl Wide {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        has.then_some(Self(()))
    }

    /// Writes where each of 32 rows ends in a tree, for rows of `ranks`, one entry a column.
    pub fn places(self, splits: &[u16; PLACES], walk: &Walk<'_>, out: &mut Lane) {
        // SAFETY: `self` exists only where both features were detected.
        unsafe { places(splits, walk, out) }
    }
}

/// A column's values of 32 rows.
pub type Values = [f32; LANES];

impl Wide {
    /// Writes the ranks of a column's values, moved up by `shift` bits, `u16::MAX` for an unknown one;
    /// returns whether there is any. `keys` has a power of two of at least 32 entries, the last the
    /// largest integer.
    pub fn ranks(self, keys: &[i32], shift: u32, values: &Values, out: &mut Lane) -> bool {
        assert!(keys.len().is_power_of_two() && keys.len() >= MIN_KEYS && keys.ends_with(&[i32::MAX]));
        // SAFETY: `self` exists only where both features were detected.
        unsafe { ranks(keys, shift, values, out) }
    }
}

/// What is the same for all trees of a block.
#[derive(Debug)]
pub struct Walk<'a> {
    pub ranks: &'a [Lane],
    pub column_bits: u32,
    /// Some value is unknown.
    pub unknown: bool,
}

#[target_feature(enable = "avx512f,avx512bw")]
fn load(values: &Lane) -> __m512i {
    // SAFETY: a `Lane` is 64 readable bytes, and the load asks for no alignment.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn store(values: &mut Lane, register: __m512i) {
    // SAFETY: a `Lane` is 64 writable bytes, and the store asks for no alignment.
    unsafe { _mm512_storeu_si512(values.as_mut_ptr().cast(), register) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn ranks(keys: &[i32], shift: u32, values: &Values, out: &mut Lane) -> bool {
    let (halves, _) = values.as_chunks::<16>();
    let (outs, _) = out.as_chunks_mut::<16>();
    let pivots: [[i32; 16]; 2] = std::array::from_fn(|half| {
        std::array::from_fn(|k| keys[(16 * half + k + 1) * (keys.len() / 32) - 1])
    });
    let mut unknown = 0;
    for (values, out) in halves.iter().zip(outs) {
        // SAFETY: sixteen readable floats; the load asks for no alignment.
        let values: __m512 = unsafe { _mm512_loadu_ps(values.as_ptr()) };
        let missing: __mmask16 = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(values, values);
        let rank = rank_16(keys, &pivots, values);
        let moved = _mm512_sll_epi32(rank, _mm_cvtsi32_si128(shift.cast_signed()));
        let word = _mm512_mask_mov_epi32(moved, missing, _mm512_set1_epi32(-1));
        let narrow: __m256i = _mm512_cvtepi32_epi16(word);
        // SAFETY: sixteen writable u16 are 32 bytes; the store asks for no alignment.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), narrow) }
        unknown |= missing;
    }
    unknown != 0
}

/// How many keys are at most each value; see [`super::compact::Column::rank`].
#[target_feature(enable = "avx512f,avx512bw")]
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // At most 2,048 keys.
fn rank_16(keys: &[i32], pivots: &[[i32; 16]; 2], values: __m512) -> __m512i {
    // As `order_key`: adding 0 makes one of 0 and −0.
    let bits = _mm512_castps_si512(_mm512_add_ps(values, _mm512_setzero_ps()));
    let key = _mm512_xor_si512(bits, _mm512_srli_epi32::<1>(_mm512_srai_epi32::<31>(bits)));
    // SAFETY: each half is sixteen readable integers; the loads ask for no alignment.
    let (low, high) = unsafe {
        (_mm512_loadu_si512(pivots[0].as_ptr().cast()), _mm512_loadu_si512(pivots[1].as_ptr().cast()))
    };
    let mut bucket = _mm512_setzero_si512();
    for half in [16, 8, 4, 2, 1] {
        let at = _mm512_add_epi32(bucket, _mm512_set1_epi32(half - 1));
        let passed = _mm512_cmple_epi32_mask(_mm512_permutex2var_epi32(low, at, high), key);
        bucket = _mm512_mask_add_epi32(bucket, passed, bucket, _mm512_set1_epi32(half));
    }
    let mut half = keys.len() as i32 / 64;
    let stride = (keys.len() / 32).ilog2().cast_signed();
    let mut rank = _mm512_sll_epi32(bucket, _mm_cvtsi32_si128(stride));
    while half > 0 {
        let at = _mm512_add_epi32(rank, _mm512_set1_epi32(half - 1));
        // SAFETY: the bucket is at most 31 and each step adds at most what halving leaves, so every
        // index is below the number of keys.
        let found = unsafe { _mm512_i32gather_epi32::<4>(at, keys.as_ptr()) };
        let passed = _mm512_cmple_epi32_mask(found, key);
        rank = _mm512_mask_add_epi32(rank, passed, rank, _mm512_set1_epi32(half));
        half /= 2;
    }
    rank
}

#[target_feature(enable = "avx512f,avx512bw")]
fn places(splits: &[u16; PLACES], walk: &Walk<'_>, out: &mut Lane) {
    match (walk.ranks.len(), walk.unknown) {
        (0..=8, false) => walk_down::<8, false>(splits, walk, out),
        (9..=16, false) => walk_down::<16, false>(splits, walk, out),
        (17..=20, false) => walk_down::<20, false>(splits, walk, out),
        (17..=32, false) => walk_down::<32, false>(splits, walk, out),
        (0..=8, true) => walk_down::<8, true>(splits, walk, out),
        (9..=16, true) => walk_down::<16, true>(splits, walk, out),
        (17..=20, true) => walk_down::<20, true>(splits, walk, out),
        (_, _) => walk_down::<32, true>(splits, walk, out),
    }
}

/// The lane's element of 256 for its place, on the level that the place is on.
#[target_feature(enable = "avx512f,avx512bw")]
fn split_at(tables: &[__m512i; 8], place: __m512i, level: u32) -> __m512i {
    match level {
        0..=4 => _mm512_permutexvar_epi16(place, tables[0]),
        5 => _mm512_permutexvar_epi16(place, tables[1]),
        6 => _mm512_permutex2var_epi16(tables[2], place, tables[3]),
        _ => {
            let low = _mm512_permutex2var_epi16(tables[4], place, tables[5]);
            let high = _mm512_permutex2var_epi16(tables[6], place, tables[7]);
            let upper = _mm512_test_epi16_mask(place, _mm512_set1_epi16(64));
            _mm512_mask_blend_epi16(upper, low, high)
        }
    }
}

/// The lane's rank in the column that its split names.
#[target_feature(enable = "avx512f,avx512bw")]
fn rank_of<const N: usize>(ranks: &[__m512i; N], split: __m512i, bits: u32) -> __m512i {
    let mut left = *ranks;
    let mut count = N;
    for bit in 0..bits {
        let odd: __mmask32 = _mm512_test_epi16_mask(split, _mm512_set1_epi16(1 << bit));
        for pair in 0..count / 2 {
            left[pair] = _mm512_mask_blend_epi16(odd, left[2 * pair], left[2 * pair + 1]);
        }
        if count % 2 == 1 {
            left[count / 2] = left[count - 1];
        }
        count = count.div_ceil(2);
    }
    left[0]
}

/// A column's ranks; a split that leads nowhere may name one beyond the last, and any will do then.
#[target_feature(enable = "avx512f,avx512bw")]
fn column(walk: &Walk<'_>, split: u16) -> __m512i {
    let column = usize::from(split & ((1 << walk.column_bits) - 1));
    load(&walk.ranks[column.min(walk.ranks.len() - 1)])
}

#[target_feature(enable = "avx512f,avx512bw")]
fn walk_down<const N: usize, const SOME_UNKNOWN: bool>(
    splits: &[u16; PLACES],
    walk: &Walk<'_>,
    out: &mut Lane,
) {
    let one = _mm512_set1_epi16(1);
    let (tables, _) = splits.as_chunks::<LANES>();
    let tables: [__m512i; 8] = std::array::from_fn(|index| load(&tables[index]));
    let last = walk.ranks.len() - 1;
    let ranks: [__m512i; N] = std::array::from_fn(|index| load(&walk.ranks[index.min(last)]));
    let bits = N.next_power_of_two().ilog2();
    let direction = _mm512_set1_epi16(1 << walk.column_bits);
    let mut place = one;
    let mut path = [0; 4];
    for level in 0..MAX_DEPTH {
        let split = split_at(&tables, place, level);
        let rank = match level {
            // High up there are fewer splits than columns: choose among theirs by the way so far.
            0 => column(walk, splits[1]),
            1 => chosen::<2>(splits, walk, &path),
            2 => chosen::<4>(splits, walk, &path),
            3 => chosen::<8>(splits, walk, &path),
            _ => rank_of(&ranks, split, bits),
        };
        let mut right = _mm512_cmpgt_epu16_mask(rank, split);
        if SOME_UNKNOWN {
            let unknown = _mm512_cmpeq_epi16_mask(rank, _mm512_set1_epi16(-1));
            right &= !(unknown & _mm512_testn_epi16_mask(split, direction));
        }
        if level < 4 {
            path[level as usize] = right;
        }
        let doubled = _mm512_add_epi16(place, place);
        place = _mm512_mask_add_epi16(doubled, right, doubled, one);
    }
    store(out, place);
}

/// The lane's rank in the column of its split, one of the `N` of a level; `path` says which way the lane
/// went on the levels above.
#[target_feature(enable = "avx512f,avx512bw")]
fn chosen<const N: usize>(splits: &[u16; PLACES], walk: &Walk<'_>, path: &[__mmask32; 4]) -> __m512i {
    let mut left: [__m512i; N] = std::array::from_fn(|index| column(walk, splits[N + index]));
    let (mut count, mut level) = (N, N.ilog2() as usize);
    while count > 1 {
        (count, level) = (count / 2, level - 1);
        for pair in 0..count {
            left[pair] = _mm512_mask_blend_epi16(path[level], left[2 * pair], left[2 * pair + 1]);
        }
    }
    left[0]
}
