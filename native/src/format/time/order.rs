//! Dates in numbers, `09/11/2026`, `19.11.26`: which number is the day, the month and the year.
//!
//! A configured order wins. Else the stream proves it: an order in which a date of the stream does not exist, lies
//! more than a day after its receipt, or makes the stream's days go to and fro where another order has them in one
//! direction, is ruled out for all of its lines. While several orders are left, the one that puts the line within a
//! day of its receipt is taken, then the usual one for the sign between the numbers.
//! All clocks of one format share what is known. Nothing here grows.
use std::sync::{Arc, Mutex, PoisonError};

use super::civil::{Civil, Scanner};

const DAY_MS: i64 = 86_400_000;
/// A two-digit year that gives a date this far back is probably a day.
const OLD_MS: i64 = 5 * 365 * DAY_MS;
/// So many days in one direction rule out an order in which they go to and fro.
const MIN_STEPS: u32 = 2;

/// Which of three numbers comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    DayFirst,
    MonthFirst,
    YearFirst,
}

impl DateOrder {
    const ALL: [Self; 3] = [Self::DayFirst, Self::MonthFirst, Self::YearFirst];

    /// The order's name in a definition.
    pub fn name(self) -> &'static str {
        match self {
            Self::DayFirst => "day_first",
            Self::MonthFirst => "month_first",
            Self::YearFirst => "year_first",
        }
    }

    /// Reads an order's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.name() == name)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Three numbers of a date as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumericDate {
    numbers: [i64; 3],
    /// The last has four digits.
    year_last: bool,
    separator: u8,
}

impl NumericDate {
    /// Reads `20/11/2026`, `11-20-26`, `19.11.26`; a year of four digits in front is no question and not read here.
    pub fn read(scanner: &mut Scanner<'_>) -> Option<Self> {
        let mut ahead = *scanner;
        let first = ahead.digits(1, 2)?;
        let separator = ahead.one_of(b"/-.")?;
        let second = ahead.digits(1, 2)?;
        ahead.byte(separator)?;
        let before = ahead.rest.len();
        let third = ahead.digits(2, 4)?;
        let digits = before - ahead.rest.len();
        if digits == 3 || ahead.rest.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        *scanner = ahead;
        Some(Self { numbers: [first, second, third], year_last: digits == 4, separator })
    }

    /// The date in an order; `None` where the order has another number of digits.
    fn civil(self, order: DateOrder, civil: &Civil) -> Option<Civil> {
        let [first, second, third] = self.numbers;
        let (year, month, day) = match order {
            DateOrder::DayFirst => (third, second, first),
            DateOrder::MonthFirst => (third, first, second),
            DateOrder::YearFirst if self.year_last => return None,
            DateOrder::YearFirst => (first, second, third),
        };
        let year = match year {
            0..70 => year + 2000,
            70..100 => year + 1900,
            _ => year,
        };
        Some(Civil { year: Some(year), month, day, numeric: None, ..*civil })
    }

    /// What is usual with this sign.
    fn usual(self) -> [DateOrder; 3] {
        use DateOrder::{DayFirst, MonthFirst, YearFirst};
        match self.separator {
            b'.' => [DayFirst, MonthFirst, YearFirst],
            b'/' => [MonthFirst, DayFirst, YearFirst],
            _ => [YearFirst, MonthFirst, DayFirst],
        }
    }
}

/// What a stream has shown of its dates' order.
#[derive(Debug, Clone)]
struct Shown {
    /// Orders that are left, a bit each.
    left: u8,
    /// By order: the last day of an ambiguous line, and days later and earlier than the one before.
    last_day: [Option<i64>; 3],
    steps: [[u32; 2]; 3],
}

/// The order of a format's dates, as it is configured or as its stream shows it.
#[derive(Debug, Clone)]
pub struct Orders {
    configured: Option<DateOrder>,
    shown: Arc<Mutex<Shown>>,
}

impl Orders {
    /// With a configured order or without.
    pub fn new(configured: Option<DateOrder>) -> Self {
        let shown = Shown { left: 7, last_day: [None; 3], steps: [[0; 2]; 3] };
        Self { configured, shown: Arc::new(Mutex::new(shown)) }
    }

    /// The only order that is left.
    pub fn proven(&self) -> Option<DateOrder> {
        let left = self.shown.lock().unwrap_or_else(PoisonError::into_inner).left;
        DateOrder::ALL.into_iter().find(|order| left == order.bit())
    }

    /// Takes over what another reader of the stream found.
    pub fn assume(&self, order: DateOrder) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).left = order.bit();
    }

    /// The date as it is meant. `epoch` gives a date's epoch ms, or `None` when there is no such time.
    pub fn resolve(
        &self,
        numbers: NumericDate,
        civil: &Civil,
        arrival_ms: i64,
        mut epoch: impl FnMut(&Civil) -> Option<i64>,
    ) -> Option<Civil> {
        let mut times = [None; 3];
        for order in DateOrder::ALL {
            let read = numbers.civil(order, civil);
            times[order as usize] = read.and_then(|civil| Some((civil, epoch(&civil)?)));
        }
        if let Some(order) = self.configured {
            return times[order as usize].map(|(civil, _)| civil);
        }
        let mask = |fits: &dyn Fn(i64) -> bool| {
            let fitting = DateOrder::ALL
                .into_iter()
                .filter(|order| times[*order as usize].is_some_and(|(_, time_ms)| fits(time_ms)));
            fitting.fold(0, |mask, order| mask | order.bit())
        };
        let valid = mask(&|_| true);
        let past = mask(&|time_ms| time_ms <= arrival_ms + DAY_MS);
        let left = {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.restrict(valid, past);
            shown.compare(times.map(|time| time.map(|(_, time_ms)| time_ms)), valid)
        };
        let orders = numbers.usual().into_iter().filter(|order| left & order.bit() != 0);
        let read = |order: DateOrder| times[order as usize];
        let near = |time_ms: i64, within_ms: i64| (arrival_ms - time_ms).abs() <= within_ms;
        [DAY_MS, OLD_MS, i64::MAX]
            .into_iter()
            .find_map(|within_ms| {
                orders.clone().filter_map(read).find(|(_, time_ms)| near(*time_ms, within_ms))
            })
            .map(|(civil, _)| civil)
    }
}

impl Shown {
    /// Rules out orders. What exists only in an order that was ruled out shows that the ruling was wrong.
    fn restrict(&mut self, valid: u8, past: u8) {
        if valid == 0 {
            return;
        }
        if self.left & valid == 0 {
            self.left = valid;
        }
        self.left &= valid;
        if self.left & past != 0 {
            self.left &= past;
        }
    }

    /// Compares the days of ambiguous lines in each order; the orders that are left.
    fn compare(&mut self, times: [Option<i64>; 3], valid: u8) -> u8 {
        let left = self.left & valid;
        if left.count_ones() < 2 {
            return left;
        }
        for (place, time_ms) in times.into_iter().enumerate() {
            let Some(day) = time_ms.map(|time_ms| time_ms.div_euclid(DAY_MS)) else { continue };
            match self.last_day[place].replace(day) {
                Some(last) if day > last => self.steps[place][0] += 1,
                Some(last) if day < last => self.steps[place][1] += 1,
                _ => {}
            }
        }
        let steady = |place: usize| {
            let [later, earlier] = self.steps[place];
            later.min(earlier) == 0 && later.max(earlier) >= MIN_STEPS
        };
        let is_left = |order: &DateOrder| left & order.bit() != 0;
        if DateOrder::ALL.into_iter().filter(is_left).any(|order| steady(order as usize)) {
            let to_and_fro = |order: &DateOrder| self.steps[*order as usize].iter().all(|count| *count > 0);
            for order in DateOrder::ALL.into_iter().filter(to_and_fro) {
                self.left &= !order.bit();
            }
        }
        self.left & valid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::timestamp::from_iso;

    fn read(orders: &Orders, text: &str, arrival: &str) -> Option<(i64, i64, i64)> {
        let mut scanner = Scanner::new(text.as_bytes());
        let numbers = NumericDate::read(&mut scanner)?;
        assert!(scanner.rest.is_empty(), "{text}");
        let epoch = |civil: &Civil| civil.local_ms(civil.year?);
        let arrival_ms = from_iso(&format!("{arrival}T12:00:00Z")).unwrap();
        let civil = orders.resolve(numbers, &Civil::default(), arrival_ms, epoch)?;
        Some((civil.year?, civil.month, civil.day))
    }

    #[test]
    fn a_line_that_stands_alone_is_read_as_its_sign_says_and_never_in_the_future() {
        for (text, arrival, expected) in [
            ("09/11/2026", "2027-01-01", (2026, 9, 11)),
            ("09.11.2026", "2027-01-01", (2026, 11, 9)),
            ("19.11.26", "2026-11-30", (2026, 11, 19)),
            ("11/20/26", "2026-11-30", (2026, 11, 20)),
            ("26-11-19", "2026-11-30", (2026, 11, 19)),
            ("26/11/19", "2026-11-30", (2026, 11, 19)),
            ("12/11/2026", "2026-11-15", (2026, 11, 12)),
            ("31/12/99", "2026-11-15", (1999, 12, 31)),
        ] {
            assert_eq!(read(&Orders::new(None), text, arrival), Some(expected), "{text} at {arrival}");
        }
        assert_eq!(read(&Orders::new(None), "30/30/2026", "2026-11-30"), None);
        assert_eq!(read(&Orders::new(None), "31.02.2026", "2026-11-30"), None);
    }

    #[test]
    fn what_one_line_proves_counts_for_the_others() {
        let orders = Orders::new(None);
        assert_eq!(read(&orders, "09/10/2026", "2027-06-01"), Some((2026, 9, 10)));
        assert_eq!(orders.proven(), None);
        assert_eq!(read(&orders, "13/11/2026", "2027-06-01"), Some((2026, 11, 13)));
        assert_eq!(orders.proven(), Some(DateOrder::DayFirst));
        assert_eq!(read(&orders.clone(), "09/10/2026", "2027-06-01"), Some((2026, 10, 9)));
    }

    #[test]
    fn days_in_one_direction_rule_out_an_order_in_which_they_go_to_and_fro() {
        let orders = Orders::new(None);
        for text in ["10/11/2026", "11/11/2026", "12/11/2026", "01/12/2026", "02/12/2026"] {
            read(&orders, text, "2027-12-31");
        }
        assert_eq!(orders.proven(), Some(DateOrder::DayFirst));
    }

    #[test]
    fn a_configured_order_wins_and_refuses_what_it_cannot_read() {
        let orders = Orders::new(Some(DateOrder::DayFirst));
        assert_eq!(read(&orders, "09/11/2026", "2026-09-11"), Some((2026, 11, 9)));
        assert_eq!(read(&orders, "11/20/2026", "2026-12-01"), None);
        let year_first = Orders::new(Some(DateOrder::YearFirst));
        assert_eq!(read(&year_first, "10/11/12", "2026-12-01"), Some((2010, 11, 12)));
    }

    #[test]
    fn a_date_that_exists_in_one_order_only_corrects_what_a_wrong_clock_made_believe() {
        let orders = Orders::new(None);
        // By a clock that is a week slow, 9 November is the future.
        assert_eq!(read(&orders, "09/11/2026", "2026-11-02"), Some((2026, 9, 11)));
        assert_eq!(read(&orders, "13/11/2026", "2026-11-06"), Some((2026, 11, 13)));
        assert_eq!(orders.proven(), Some(DateOrder::DayFirst));
    }
}
