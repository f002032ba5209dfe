//! Taking what a fit needs out of the rows, so that nobody need keep or copy all of them.
//!
//! Each tree draws its rows without replacement by Floyd's method, which touches no row that it does not
//! take. Up to [`MAX_COPIED_ROWS`] rows are narrowed to f32 as a whole; of more only the drawn ones are
//! gathered, tree by tree. The threshold and the summaries are taken from at most [`MAX_JUDGED_ROWS`] rows,
//! drawn likewise. Limit: with so many rows that most are never looked at, an infinity among those is not
//! found either. Gathering is bound by cache misses, about two for each row taken; sixteen rows' overlap.
use super::params::CheckedForestParams;
use crate::error::{Error, Result};
use crate::random::Random;

/// Up to so many rows all are copied and checked.
pub const MAX_COPIED_ROWS: usize = 65_536;
/// Rows that threshold and summaries are taken from; the quantile's error is then below 1 % of the rows.
pub const MAX_JUDGED_ROWS: usize = 2048;
/// The same where no threshold is asked for: the 5th and 95th percentile are 0.7 % of the rows exact.
const MAX_SUMMARY_ROWS: usize = 1024;
/// The random stream of the judged rows; trees count from 0.
const JUDGED_PART: u64 = u64::MAX;

/// A tree's random stream after its rows were drawn, and where they are in the sample.
#[derive(Debug, Clone)]
pub struct Draw {
    pub random: Random,
    pub rows: Vec<u32>,
}

/// Everything that a fit needs of the rows.
#[derive(Debug, Clone)]
pub struct Sample {
    pub params: CheckedForestParams,
    pub columns: usize,
    /// Rows that there were.
    pub count: usize,
    /// Rows for each tree.
    pub size: usize,
    /// Row-major rows that trees may draw from.
    pub rows: Vec<f32>,
    pub draws: Vec<Draw>,
    /// Row-major rows for threshold and summaries.
    pub judged: Vec<f64>,
}

impl Sample {
    /// Draws from row-major `rows`, one column a feature; NaN is unknown.
    pub fn take(rows: &[f64], params: CheckedForestParams) -> Result<Self> {
        let columns = params.features.len();
        let count = check_shape(rows, columns)?;
        let size = params.sample_size.min(count);
        let mut drawer = Drawer::new(count);
        let mut draws: Vec<Draw> = (0..params.trees as u64)
            .map(|index| {
                let mut random = Random::for_part(params.seed, index);
                Draw { rows: drawer.draw(size, &mut random), random }
            })
            .collect();
        let most = if params.contamination.is_some() { MAX_JUDGED_ROWS } else { MAX_SUMMARY_ROWS };
        let judged = judged_rows(rows, columns, &mut drawer, most, params.seed);
        let narrow = if count <= MAX_COPIED_ROWS {
            narrow_all(rows, columns)?
        } else {
            gather(rows, columns, &mut draws)?
        };
        Ok(Self { columns, count, size, rows: narrow, draws, judged, params })
    }
}

fn check_shape(rows: &[f64], columns: usize) -> Result<usize> {
    if rows.is_empty() || !rows.len().is_multiple_of(columns) {
        let length = rows.len();
        return Err(Error::new(format!("{length} values are no rows of {columns} features, at least one")));
    }
    if u32::try_from(rows.len() / columns).is_err() {
        return Err(Error::new("a forest is fitted on at most 2^32 − 1 rows"));
    }
    Ok(rows.len() / columns)
}

/// Draws distinct rows; a bit for each row says whether it is taken.
struct Drawer {
    count: usize,
    taken: Vec<u64>,
}

impl Drawer {
    fn new(count: usize) -> Self {
        Self { count, taken: vec![0; count.div_ceil(64)] }
    }

    /// `size` distinct rows, each set equally likely (Floyd's method).
    #[allow(clippy::cast_possible_truncation)] // Fewer than 2³² rows is checked.
    fn draw(&mut self, size: usize, random: &mut Random) -> Vec<u32> {
        let lasts = self.count - size..self.count;
        let mut one = |last: usize| {
            let drawn = random.below(last as u64 + 1) as usize;
            // `last` was out of reach before.
            let row = if self.take(drawn) { drawn } else { last };
            self.take(row);
            row as u32
        };
        let rows: Vec<u32> = lasts.map(&mut one).collect();
        if self.taken.len() <= size {
            self.taken.fill(0);
        } else {
            for &row in &rows {
                self.taken[row as usize / 64] = 0;
            }
        }
        rows
    }

    /// Whether the row was still free.
    fn take(&mut self, row: usize) -> bool {
        let (word, bit) = (&mut self.taken[row / 64], 1 << (row % 64));
        let free = *word & bit == 0;
        *word |= bit;
        free
    }
}

fn judged_rows(rows: &[f64], columns: usize, drawer: &mut Drawer, most: usize, seed: u64) -> Vec<f64> {
    if drawer.count <= most {
        return rows.to_vec();
    }
    let drawn = drawer.draw(most, &mut Random::for_part(seed, JUDGED_PART));
    let mut judged = Vec::with_capacity(drawn.len() * columns);
    for_each_row(rows, columns, &drawn, |_, values| judged.extend_from_slice(values));
    judged
}

/// Calls `take` with each of the drawn rows, which lie far apart. The next few are looked at before these
/// are taken, so that their cache misses overlap.
fn for_each_row(rows: &[f64], columns: usize, drawn: &[u32], mut take: impl FnMut(u32, &[f64])) {
    const AHEAD: usize = 16;
    let values = |row: u32| &rows[row as usize * columns..][..columns];
    let touch = |part: Option<&[u32]>| {
        for &row in part.unwrap_or_default() {
            let values = values(row);
            std::hint::black_box((values[0], values[columns - 1]));
        }
    };
    let mut parts = drawn.chunks(AHEAD).peekable();
    touch(parts.peek().copied());
    while let Some(part) = parts.next() {
        touch(parts.peek().copied());
        for &row in part {
            take(row, values(row));
        }
    }
}

#[allow(clippy::cast_possible_truncation)] // Trees compare f32; what does not fit is refused.
fn narrow_all(rows: &[f64], columns: usize) -> Result<Vec<f32>> {
    let narrow: Vec<f32> = rows.iter().map(|&value| value as f32).collect();
    match infinite_place(&narrow) {
        Some(place) => Err(infinite(place / columns, place % columns)),
        None => Ok(narrow),
    }
}

fn infinite_place(values: &[f32]) -> Option<usize> {
    // Without an early end this is a pass at full speed, and nearly always there is nothing to find.
    let found = values.iter().fold(false, |found, value| found | value.is_infinite());
    values.iter().position(|value| found && value.is_infinite())
}

/// The drawn rows of all trees one after another; the draws then point there.
#[allow(clippy::cast_possible_truncation)] // At most 10,000 trees of 65,536 rows.
fn gather(rows: &[f64], columns: usize, draws: &mut [Draw]) -> Result<Vec<f32>> {
    let total: usize = draws.iter().map(|draw| draw.rows.len()).sum();
    let mut narrow = Vec::with_capacity(total * columns);
    let mut wrong = None;
    for draw in &mut *draws {
        let first = narrow.len() / columns;
        for_each_row(rows, columns, &draw.rows, |row, values| {
            let place = narrow.len();
            narrow.extend(values.iter().map(|&value| value as f32));
            if wrong.is_none() {
                wrong = infinite_place(&narrow[place..]).map(|column| infinite(row as usize, column));
            }
        });
        draw.rows.iter_mut().enumerate().for_each(|(index, row)| *row = (first + index) as u32);
    }
    wrong.map_or(Ok(narrow), Err)
}

fn infinite(row: usize, column: usize) -> Error {
    Error::new(format!("row {row}, feature {column} is infinite or beyond 3.4e38"))
}
