//! The AVX-512 kernel of [`super::moments`]: eight channels are one register a sum.
//!
//! The same operations on the same values as the plain steps, so that the sums are the same to the last bit.
//! Sums are kept and results told in whole registers: where stores overlap or go by a mask, what reads them waits.
//!
//! The `unsafe` here: loads and stores of slices by masks made of their lengths, and calls of code that needs a
//! processor feature, which [`Wide::detect`] has asked for.
#![allow(unsafe_code)]
#![allow(clippy::unused_self)] // Having a `Wide` is what allows the call.

use std::arch::x86_64::{
    __m512d, __mmask8, _CMP_EQ_OQ, _CMP_GT_OQ, _CMP_LT_OQ, _CMP_ORD_Q, _mm512_add_pd,
    _mm512_castsi512_si256, _mm512_cmp_pd_mask, _mm512_cmpneq_epi32_mask, _mm512_cvtepi32_pd, _mm512_div_pd,
    _mm512_loadu_pd, _mm512_mask_add_pd, _mm512_mask_blend_pd, _mm512_mask_max_pd, _mm512_mask_sub_pd,
    _mm512_maskz_loadu_epi32, _mm512_maskz_loadu_pd, _mm512_max_pd, _mm512_mul_pd, _mm512_set1_epi32,
    _mm512_set1_pd, _mm512_setzero_pd, _mm512_storeu_pd, _mm512_sub_pd,
};

use super::moments::{Block, LANES, MIN_SHARE, TOLD};
use super::ring::Ring;
use super::values::{INVERSE_HIGH, INVERSE_LOW, Row, UNKNOWN};

/// Proof that the processor has what the kernel needs.
#[derive(Debug, Clone, Copy)]
pub struct Wide(());

/// Values of eight channels, and which are known.
type Known = (__m512d, __mmask8);

/// Sums in registers.
#[derive(Clone, Copy)]
struct Registers {
    shift: __m512d,
    sum: __m512d,
    squares: __m512d,
    peak: __m512d,
    known: __m512d,
    positive: __m512d,
}

impl Wide {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self(()))
    }

    /// See [`super::moments::Moments::step`]; whether some sums have lost digits.
    pub fn step(self, blocks: &mut [Block], ring: &Ring, leaving: usize, coming: Option<&[f64]>) -> bool {
        // SAFETY: `self` exists only where the feature was detected.
        unsafe { step(blocks, ring, leaving, coming) }
    }

    /// See [`super::moments::Moments::write`].
    pub fn write(self, blocks: &[Block], out: &mut [f64]) {
        // SAFETY: as above.
        unsafe { write(blocks, out) }
    }
}

#[target_feature(enable = "avx512f")]
fn step(blocks: &mut [Block], ring: &Ring, leaving: usize, coming: Option<&[f64]>) -> bool {
    let mut worn = 0;
    for (place, block) in blocks.iter_mut().enumerate() {
        let mut sums = Registers::load(block);
        for gone in 0..leaving {
            sums.remove(row_of(ring.row(gone), LANES * place));
        }
        if let Some(values) = coming {
            sums.insert(values_of(values.get(LANES * place..).unwrap_or_default()));
        }
        worn |= sums.worn();
        sums.store(block);
    }
    worn > 0
}

#[target_feature(enable = "avx512f")]
fn write(blocks: &[Block], out: &mut [f64]) {
    let (zero, nan) = (_mm512_setzero_pd(), _mm512_set1_pd(f64::NAN));
    let (one, two) = (_mm512_set1_pd(1.0), _mm512_set1_pd(2.0));
    let (out, _) = out.as_chunks_mut::<LANES>();
    for (place, block) in blocks.iter().enumerate() {
        let Registers { shift, sum, squares, known, positive, .. } = Registers::load(block);
        let mean = _mm512_div_pd(sum, known);
        let spread = _mm512_max_pd(_mm512_sub_pd(squares, _mm512_mul_pd(sum, mean)), zero);
        let few = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(known, two);
        let inverse = _mm512_mask_blend_pd(few, _mm512_div_pd(one, _mm512_sub_pd(known, one)), nan);
        let none = _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(known, zero);
        let total = _mm512_add_pd(_mm512_mul_pd(shift, known), sum);
        let told: [__m512d; TOLD] = [
            _mm512_add_pd(shift, mean),
            _mm512_mul_pd(spread, inverse),
            _mm512_mask_blend_pd(none, total, nan),
            _mm512_div_pd(positive, known),
        ];
        for (kind, register) in told.into_iter().enumerate() {
            store(&mut out[kind * blocks.len() + place], register);
        }
    }
}

impl Registers {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(block: &Block) -> Self {
        Self {
            shift: load(&block.shift),
            sum: load(&block.sum),
            squares: load(&block.squares),
            peak: load(&block.peak),
            known: load(&block.known),
            positive: load(&block.positive),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(self, block: &mut Block) {
        store(&mut block.shift, self.shift);
        store(&mut block.sum, self.sum);
        store(&mut block.squares, self.squares);
        store(&mut block.peak, self.peak);
        store(&mut block.known, self.known);
        store(&mut block.positive, self.positive);
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn remove(&mut self, (values, known): Known) {
        let (zero, one) = (_mm512_setzero_pd(), _mm512_set1_pd(1.0));
        let distance = _mm512_sub_pd(values, self.shift);
        let square = _mm512_mul_pd(distance, distance);
        let above = known & _mm512_cmp_pd_mask::<_CMP_GT_OQ>(values, zero);
        self.known = _mm512_mask_sub_pd(self.known, known, self.known, one);
        self.positive = _mm512_mask_sub_pd(self.positive, above, self.positive, one);
        self.sum = _mm512_mask_sub_pd(self.sum, known, self.sum, distance);
        self.squares = _mm512_mask_sub_pd(self.squares, known, self.squares, square);
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn insert(&mut self, (values, known): Known) {
        let (zero, one) = (_mm512_setzero_pd(), _mm512_set1_pd(1.0));
        let first = known & _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(self.known, zero);
        self.shift = _mm512_mask_blend_pd(first, self.shift, values);
        for sums in [&mut self.sum, &mut self.squares, &mut self.peak] {
            *sums = _mm512_mask_blend_pd(first, *sums, zero);
        }
        let distance = _mm512_sub_pd(values, self.shift);
        let square = _mm512_mul_pd(distance, distance);
        let above = known & _mm512_cmp_pd_mask::<_CMP_GT_OQ>(values, zero);
        self.known = _mm512_mask_add_pd(self.known, known, self.known, one);
        self.positive = _mm512_mask_add_pd(self.positive, above, self.positive, one);
        self.sum = _mm512_mask_add_pd(self.sum, known, self.sum, distance);
        self.squares = _mm512_mask_add_pd(self.squares, known, self.squares, square);
        self.peak = _mm512_mask_max_pd(self.peak, known, self.peak, self.squares);
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn worn(&self) -> __mmask8 {
        let below = |a, b| _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b);
        let zero = _mm512_setzero_pd();
        let cancelled = below(self.squares, _mm512_mul_pd(self.peak, _mm512_set1_pd(MIN_SHARE)));
        let share = _mm512_mul_pd(_mm512_set1_pd(1.0 - MIN_SHARE), self.squares);
        let moved = below(_mm512_mul_pd(share, self.known), _mm512_mul_pd(self.sum, self.sum));
        (cancelled | moved & below(zero, self.squares)) & below(zero, self.known)
    }
}

/// A record's values of eight channels from `first` on.
#[inline]
#[target_feature(enable = "avx512f")]
fn row_of(row: Row<'_>, first: usize) -> Known {
    match row {
        Row::Whole(values) => values_of(values.get(first..).unwrap_or_default()),
        Row::Short(values) => {
            let values = values.get(first..).unwrap_or_default();
            let mask = mask_of(values.len());
            // SAFETY: no lane beyond the slice is read.
            let counts = unsafe { _mm512_maskz_loadu_epi32(mask.into(), values.as_ptr()) };
            let known = _mm512_cmpneq_epi32_mask(counts, _mm512_set1_epi32(UNKNOWN));
            let counts = _mm512_cvtepi32_pd(_mm512_castsi512_si256(counts));
            let high = _mm512_mul_pd(counts, _mm512_set1_pd(INVERSE_HIGH));
            let values = _mm512_add_pd(high, _mm512_mul_pd(counts, _mm512_set1_pd(INVERSE_LOW)));
            #[allow(clippy::cast_possible_truncation)] // Eight lanes are of meaning.
            let known = known as __mmask8;
            (values, mask & known)
        }
    }
}

/// The first eight values, and which are known.
#[inline]
#[target_feature(enable = "avx512f")]
fn values_of(values: &[f64]) -> Known {
    let known = mask_of(values.len());
    // SAFETY: no lane beyond the slice is read.
    let values = unsafe { _mm512_maskz_loadu_pd(known, values.as_ptr()) };
    (values, known & _mm512_cmp_pd_mask::<_CMP_ORD_Q>(values, values))
}

/// A bit for each of so many lanes, at most all.
#[allow(clippy::cast_possible_truncation)] // The upper bits are what is cut off.
fn mask_of(lanes: usize) -> __mmask8 {
    !(u32::MAX << lanes.min(LANES)) as __mmask8
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(values: &[f64; LANES]) -> __m512d {
    // SAFETY: eight values are 64 readable bytes, and the load asks for no alignment.
    unsafe { _mm512_loadu_pd(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(values: &mut [f64; LANES], register: __m512d) {
    // SAFETY: eight values are 64 writable bytes, and the store asks for no alignment.
    unsafe { _mm512_storeu_pd(values.as_mut_ptr(), register) };
}
