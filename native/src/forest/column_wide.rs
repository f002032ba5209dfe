//! The AVX-512 kernel of [`super::column`]: sixteen rows at once.
//!
//! Most nodes have few rows, so that a loop over them costs more for its wrongly guessed end than for its
//! work; sixteen rows and fewer need no loop here. Rows are parted by compressing the sixteen to either side.
//!
//! The `unsafe` here: gathers at places that are compared with the block's length first, loads and stores
//! whose masks are made from a slice's length, and calls of code that needs a processor feature, which
//! [`Wide::detect`] has asked for.
#![allow(unsafe_code)]
#![allow(clippy::unused_self)] // Having a `Wide` is what allows the call.

use std::arch::x86_64::{
    __m512, __m512i, __mmask16, _CMP_LT_OQ, _CMP_UNORD_Q, _mm512_cmp_ps_mask, _mm512_cmplt_epu32_mask,
    _mm512_loadu_ps, _mm512_mask_i32gather_ps, _mm512_mask_storeu_epi32, _mm512_maskz_compress_epi32,
    _mm512_maskz_loadu_epi32, _mm512_max_ps, _mm512_min_ps, _mm512_mullo_epi32, _mm512_reduce_max_ps,
    _mm512_reduce_min_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_storeu_ps,
};

use super::column::{LANES, Range};

/// Proof that the processor has what the kernel needs and places fit 31 bits; with working space.
#[derive(Debug)]
pub struct Wide {
    spare: Vec<u32>,
}

impl Wide {
    /// Asks the processor, for a block of so many values of which at most `most` rows are parted at once.
    pub fn detect(values: usize, most: usize) -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("popcnt");
        (has && i32::try_from(values).is_ok()).then(|| Self { spare: vec![0; most] })
    }

    /// Takes the rows' values of the first of `count` columns; `values` has place for them.
    pub fn gather(&self, block: &[f32], count: usize, rows: &[u32], values: &mut [[f32; LANES]]) -> Range {
        // SAFETY: a `Wide` exists only where the feature was detected.
        unsafe { gather(block, count, rows, values) }
    }

    /// Puts the rows whose value is below the threshold in front; returns how many they are.
    pub fn part(&mut self, rows: &mut [u32], values: &[[f32; LANES]], threshold: f32) -> usize {
        // SAFETY: as above.
        unsafe { part(rows, values, threshold, &mut self.spare) }
    }
}

#[target_feature(enable = "avx512f,popcnt")]
#[allow(clippy::cast_possible_wrap, clippy::cast_possible_truncation)] // `detect` has looked.
fn gather(block: &[f32], count: usize, rows: &[u32], values: &mut [[f32; LANES]]) -> Range {
    let (count, length) = (_mm512_set1_epi32(count as i32), _mm512_set1_epi32(block.len() as i32));
    let nothing = _mm512_set1_ps(f32::NAN);
    let (mut low, mut high) = (_mm512_set1_ps(f32::INFINITY), _mm512_set1_ps(f32::NEG_INFINITY));
    let mut unknown: __mmask16 = 0;
    for (rows, values) in rows.chunks(LANES).zip(values) {
        let mask = mask_of(rows.len());
        let places = _mm512_mullo_epi32(load(rows), count);
        let inside = mask & _mm512_cmplt_epu32_mask(places, length);
        // SAFETY: places are below the block's length, by four bytes each.
        let found = unsafe { _mm512_mask_i32gather_ps::<4>(nothing, inside, places, block.as_ptr().cast()) };
        // Of a pair with NaN both give their second operand.
        low = _mm512_min_ps(found, low);
        high = _mm512_max_ps(found, high);
        unknown |= mask & _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(found, found);
        // SAFETY: sixteen values are 64 writable bytes, and the store asks for no alignment.
        unsafe { _mm512_storeu_ps(values.as_mut_ptr(), found) };
    }
    Range { low: _mm512_reduce_min_ps(low), high: _mm512_reduce_max_ps(high), unknown: unknown > 0 }
}

#[target_feature(enable = "avx512f,popcnt")]
fn part(rows: &mut [u32], values: &[[f32; LANES]], threshold: f32, spare: &mut [u32]) -> usize {
    let threshold = _mm512_set1_ps(threshold);
    let (mut left, mut right, mut start) = (0, 0, 0);
    for values in &values[..rows.len().div_ceil(LANES)] {
        let chunk = &rows[start..];
        let (mask, chunk) = (mask_of(chunk.len()), load(chunk));
        let below = mask & _mm512_cmp_ps_mask::<_CMP_LT_OQ>(load_values(values), threshold);
        let above = mask & !below;
        // What is written in front, up to the chunk's end, was read before.
        store(&mut rows[left..], mask, _mm512_maskz_compress_epi32(below, chunk));
        store(&mut spare[right..], mask, _mm512_maskz_compress_epi32(above, chunk));
        left += below.count_ones() as usize;
        right += above.count_ones() as usize;
        start += LANES;
    }
    rows[left..].copy_from_slice(&spare[..right]);
    left
}

/// A bit for each of so many lanes, at most all.
#[allow(clippy::cast_possible_truncation)] // The upper half is what is cut off.
fn mask_of(lanes: usize) -> __mmask16 {
    !(u32::MAX << lanes.min(LANES)) as __mmask16
}

/// The first sixteen rows, 0 where there are fewer.
#[target_feature(enable = "avx512f,popcnt")]
fn load(rows: &[u32]) -> __m512i {
    // SAFETY: no lane beyond the slice is read.
    unsafe { _mm512_maskz_loadu_epi32(mask_of(rows.len()), rows.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,popcnt")]
fn load_values(values: &[f32; LANES]) -> __m512 {
    // SAFETY: sixteen values are 64 readable bytes, and the load asks for no alignment.
    unsafe { _mm512_loadu_ps(values.as_ptr()) }
}

/// Writes the lanes of a mask as far as there is room.
#[target_feature(enable = "avx512f,popcnt")]
fn store(rows: &mut [u32], mask: __mmask16, lanes: __m512i) {
    // SAFETY: no lane beyond the slice is written.
    unsafe { _mm512_mask_storeu_epi32(rows.as_mut_ptr().cast(), mask & mask_of(rows.len()), lanes) };
}
