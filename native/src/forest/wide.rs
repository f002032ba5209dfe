//! The AVX-512 kernel of [`super::compact`]: all splits of a part of a tree are decided at once.
//!
//! A row's ranks are one register, from which one permutation takes the value of each of 32 splits, one
//! comparison decides them, and the answers are 32 bits: of the upper parts of two trees, then of the
//! lower parts that they lead to. Which end the answers lead to is found for 32 trees side by side. So a
//! row costs about ten instructions a tree whatever the number of columns, and none depends on the one
//! before. Sums of leaves are exact ([`super::Forest::reference_score`]), so the result equals the plain
//! walk's to the last bit.
//!
//! A value's rank is counted: among the pivots, then among the 32 thresholds behind one of them.
//!
//! The `unsafe` here: loads and stores of whole arrays (the types fix their length), lower parts named by
//! what the upper ones lead to, and calls of code that needs a processor feature, which [`Wide::detect`]
//! has asked for first.
#![allow(unsafe_code)]
#![allow(clippy::unused_self)] // Having a `Wide` is what allows the call.

use std::arch::x86_64::{
    __m256i, __m512, __m512i, _CMP_LE_OQ, _mm256_loadu_si256, _mm512_add_epi16, _mm512_and_si512,
    _mm512_castsi256_si512, _mm512_cmp_ps_mask, _mm512_cmpgt_epu16_mask, _mm512_inserti64x4, _mm512_load_ps,
    _mm512_loadu_si512, _mm512_permutex2var_epi16, _mm512_permutexvar_epi16, _mm512_set1_epi16,
    _mm512_set1_ps, _mm512_slli_epi16, _mm512_srlv_epi16, _mm512_storeu_si512, _mm512_sub_epi16,
};

use super::compact::{BLOCK_KEYS, Column, Compact, Keys, LANES, PART, Ranks};

/// Trees that are walked before their leaves are added up; a multiple of 32.
const TREES: usize = 128;
/// Places that one register holds.
const PLACES: usize = 32;
/// Sums that are kept in registers: of so many rows, or so many parts of one row's.
const ABREAST: usize = 8;

/// Proof that the processor has what the kernel needs.
#[derive(Debug, Clone, Copy)]
pub struct Wide(());

/// Working space for a row.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub struct Row {
    ranks: Ranks,
    /// The answers of two trees each.
    bits: [u32; TREES / 2],
    /// Where the row ends in each tree: the upper part's end in bits 4–7, the lower part's in bits 0–3.
    ends: [u16; TREES],
    sum: f64,
}

impl Row {
    /// Working space, not yet used.
    pub const fn new() -> Self {
        Self { ranks: Ranks::new(), bits: [0; TREES / 2], ends: [0; TREES], sum: 0.0 }
    }
}

impl Wide {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("popcnt");
        has.then_some(Self(()))
    }

    /// The sum over all trees for one row.
    pub fn sum(self, compact: &Compact, row: &[f64]) -> f64 {
        let mut work = [Row::new()];
        self.sums(compact, std::iter::once(row), &mut work);
        work[0].sum
    }

    /// Calls `visit` with each tree, in their order, and where the row ends in it.
    pub fn visit(self, compact: &Compact, row: &[f64], mut visit: impl FnMut(usize, usize)) {
        let mut work = [Row::new()];
        // SAFETY: `self` exists only where the features were detected.
        let both = unsafe { prepare(compact, std::iter::once(row), &mut work) };
        for first in (0..compact.leaves.len()).step_by(TREES) {
            // SAFETY: as above.
            unsafe { walk(compact, first, &mut work, both) };
            let trees = (compact.leaves.len() - first).min(TREES);
            let ends = work[0].ends[..trees].iter().enumerate();
            ends.for_each(|(tree, &end)| visit(first + tree, usize::from(end)));
        }
    }

    /// The sums over all trees for rows, one each of `work`; see [`Row::sum`].
    pub fn sums<'a>(self, compact: &Compact, rows: impl Iterator<Item = &'a [f64]>, work: &mut [Row]) {
        // SAFETY: `self` exists only where both features were detected.
        unsafe { sums(compact, rows, work) }
    }
}

impl Row {
    /// The sum that was found for it.
    pub fn sum(&self) -> f64 {
        self.sum
    }
}

#[target_feature(enable = "avx512f,avx512bw,popcnt")]
fn sums<'a>(compact: &Compact, rows: impl Iterator<Item = &'a [f64]>, work: &mut [Row]) {
    let both = prepare(compact, rows, work);
    for first in (0..compact.leaves.len()).step_by(TREES) {
        walk(compact, first, work, both);
        add(compact, first, work);
    }
}

/// Writes the rows' ranks; returns whether the walk needs those of both directions.
#[target_feature(enable = "avx512f,avx512bw,popcnt")]
fn prepare<'a>(compact: &Compact, rows: impl Iterator<Item = &'a [f64]>, work: &mut [Row]) -> bool {
    let mut unknown = false;
    for (row, work) in rows.zip(work) {
        unknown |= match compact.pivots {
            1 => ranks::<1>(compact, row, &mut work.ranks),
            2 => ranks::<2>(compact, row, &mut work.ranks),
            _ => ranks::<4>(compact, row, &mut work.ranks),
        };
        work.sum = 0.0;
    }
    // Of at most 16 columns both directions fit one register.
    unknown && compact.column_bits == 5
}

/// Writes a row's ranks; returns whether any value is unknown.
#[target_feature(enable = "avx512f,avx512bw,popcnt")]
#[allow(clippy::cast_possible_truncation)] // Trees compare f32.
fn ranks<const PIVOTS: usize>(compact: &Compact, row: &[f64], out: &mut Ranks) -> bool {
    let mut some_unknown = false;
    for (place, column) in compact.columns.iter().enumerate() {
        let value = row.get(column.source).map_or(f32::NAN, |&value| value as f32);
        let rank = rank::<PIVOTS>(compact, column, value);
        some_unknown |= value.is_nan();
        compact.put(out, place, (!value.is_nan()).then_some(rank));
    }
    if compact.column_bits == 3 {
        // The fifth bit of what is looked up is the rank's then.
        let [low, _] = &mut out.0;
        low.copy_within(..PART, PART);
    }
    some_unknown
}

/// How many thresholds of a column are at most the value.
#[target_feature(enable = "avx512f,avx512bw,popcnt")]
fn rank<const PIVOTS: usize>(compact: &Compact, column: &Column, value: f32) -> usize {
    let value = _mm512_set1_ps(value);
    let keys = &compact.keys[column.start..];
    let block = (0..PIVOTS).map(|group| passed(&keys[group], value)).sum::<usize>();
    let place = PIVOTS + block * (BLOCK_KEYS / LANES);
    block * BLOCK_KEYS + passed(&keys[place], value) + passed(&keys[place + 1], value)
}

/// How many keys are at most the value; NaN never is.
#[target_feature(enable = "avx512f,avx512bw,popcnt")]
fn passed(keys: &Keys, value: __m512) -> usize {
    // SAFETY: `Keys` are 64 readable bytes at a multiple of 64.
    let keys = unsafe { _mm512_load_ps(keys.0.as_ptr()) };
    _mm512_cmp_ps_mask::<_CMP_LE_OQ>(keys, value).count_ones() as usize
}

/// Finds where rows end in the trees from `first` on, at most [`TREES`] of them.
#[target_feature(enable = "avx512f,avx512bw")]
fn walk(compact: &Compact, first: usize, rows: &mut [Row], both: bool) {
    if both { walk_by::<true>(compact, first, rows) } else { walk_by::<false>(compact, first, rows) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn walk_by<const BOTH: bool>(compact: &Compact, first: usize, rows: &mut [Row]) {
    let pairs = (compact.tops.len() - first / 2).min(TREES / 2);
    for (pair, splits) in compact.tops[first / 2..][..pairs].iter().enumerate() {
        let splits = load(&splits.0);
        for row in &mut *rows {
            row.bits[pair] = decide::<BOTH>(splits, &row.ranks);
        }
    }
    let groups = pairs.div_ceil(PLACES / 2);
    for row in &mut *rows {
        for group in 0..groups {
            row.end_upper(group);
        }
    }
    let below = compact.below[first..][..2 * pairs].as_chunks::<2>().0;
    for (pair, [even, odd]) in below.iter().enumerate() {
        for row in &mut *rows {
            // SAFETY: `end_upper` leaves multiples of 16 below 256, the start of 16 of a tree's 256 words.
            let (low, high) = unsafe {
                (lower_part(&even.0, row.ends[2 * pair]), lower_part(&odd.0, row.ends[2 * pair + 1]))
            };
            let splits = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high);
            row.bits[pair] = decide::<BOTH>(splits, &row.ranks);
        }
    }
    for row in rows {
        for group in 0..groups {
            row.end_lower(group);
        }
    }
}

impl Row {
    /// Where a group of upper parts end, as the start of the lower part in its tree's words.
    #[target_feature(enable = "avx512f,avx512bw")]
    fn end_upper(&mut self, group: usize) {
        let end = descend(load::<[u32; LANES]>(&self.bits.as_chunks().0[group]));
        store(&mut self.ends.as_chunks_mut().0[group], _mm512_slli_epi16::<4>(end));
    }

    /// Where a group of trees end.
    #[target_feature(enable = "avx512f,avx512bw")]
    fn end_lower(&mut self, group: usize) {
        let end = descend(load::<[u32; LANES]>(&self.bits.as_chunks().0[group]));
        let ends: &mut [u16; PLACES] = &mut self.ends.as_chunks_mut().0[group];
        store(ends, _mm512_add_epi16(load(ends), end));
    }
}

/// Which splits of two parts send the row right, one bit each.
#[target_feature(enable = "avx512f,avx512bw")]
fn decide<const BOTH: bool>(splits: __m512i, ranks: &Ranks) -> u32 {
    let [low, high] = &ranks.0;
    let values = if BOTH {
        _mm512_permutex2var_epi16(load(low), splits, load(high))
    } else {
        _mm512_permutexvar_epi16(splits, load(low))
    };
    _mm512_cmpgt_epu16_mask(values, splits)
}

/// Which of its sixteen ends the answers of a part lead to, for 32 parts.
#[target_feature(enable = "avx512f,avx512bw")]
fn descend(bits: __m512i) -> __m512i {
    let one = _mm512_set1_epi16(1);
    let mut place = one;
    for _ in 0..PART.ilog2() {
        let right = _mm512_and_si512(_mm512_srlv_epi16(bits, place), one);
        place = _mm512_add_epi16(_mm512_add_epi16(place, place), right);
    }
    // Sixteen ends from 16 on.
    _mm512_sub_epi16(place, _mm512_set1_epi16(16))
}

/// The sixteen words of a tree's lower part.
///
/// # Safety
/// `start` is at most 240.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn lower_part(below: &[[u16; PART]; PART], start: u16) -> __m256i {
    let words = below.as_flattened();
    // SAFETY: of 256 words sixteen from `start` on are read; the load asks for no alignment.
    unsafe { _mm256_loadu_si256(words.as_ptr().add(start.into()).cast()) }
}

/// Adds up the leaves of the trees from `first` on, at most [`TREES`].
fn add(compact: &Compact, first: usize, rows: &mut [Row]) {
    let leaves = &compact.leaves[first..compact.leaves.len().min(first + TREES)];
    let (groups, rest) = rows.as_chunks_mut::<ABREAST>();
    for rows in groups {
        add_rows(leaves, rows);
    }
    for row in rest {
        row.add_trees(leaves);
    }
}

/// Rows side by side, so that no addition waits for the one before.
fn add_rows(leaves: &[[f64; PART * PART]], rows: &mut [Row; ABREAST]) {
    let mut sums = [0.0; ABREAST];
    for (tree, leaves) in leaves.iter().enumerate() {
        for (sum, row) in sums.iter_mut().zip(&*rows) {
            *sum += leaves[usize::from(row.ends[tree]) & (PART * PART - 1)];
        }
    }
    for (row, sum) in rows.iter_mut().zip(sums) {
        row.sum += sum;
    }
}

impl Row {
    /// One row, trees side by side.
    fn add_trees(&mut self, leaves: &[[f64; PART * PART]]) {
        let mut sums = [0.0; ABREAST];
        for (leaves, ends) in leaves.chunks(ABREAST).zip(self.ends.chunks(ABREAST)) {
            for ((sum, leaves), &end) in sums.iter_mut().zip(leaves).zip(ends) {
                *sum += leaves[usize::from(end) & (PART * PART - 1)];
            }
        }
        self.sum += sums.iter().sum::<f64>();
    }
}

/// A register's worth of whole words.
trait Lane {}
impl Lane for [u16; PLACES] {}
impl Lane for [u32; LANES] {}
impl Lane for [[u16; PART]; 2] {}

#[target_feature(enable = "avx512f,avx512bw")]
fn load<T: Lane>(values: &T) -> __m512i {
    // SAFETY: a `Lane` is 64 readable bytes, and the load asks for no alignment.
    unsafe { _mm512_loadu_si512(std::ptr::from_ref(values).cast()) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn store(values: &mut [u16; PLACES], register: __m512i) {
    // SAFETY: 32 words are 64 writable bytes, and the store asks for no alignment.
    unsafe { _mm512_storeu_si512(values.as_mut_ptr().cast(), register) }
}
