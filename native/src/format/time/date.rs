//! Dates and times as pages, consoles and the program `date` write them: names or numbers, the time of day before the
//! date or behind it, half a day with AM or PM, in the languages of the devices' makers.
use super::civil::{Civil, Scanner};
use super::order::NumericDate;

const YEARS: std::ops::Range<i64> = 1970..2200;
/// What may stand between a date and a time of day.
const BETWEEN: &[u8] = b" ,\tT|;^\"-:";

/// A date with its time of day in either order. Leaves what follows, a zone included.
pub fn date_time(scanner: &mut Scanner<'_>) -> Option<Civil> {
    let mut ahead = *scanner;
    let civil = in_order(&mut ahead).or_else(|| {
        ahead = *scanner;
        weekday(&mut ahead)?;
        in_order(&mut ahead)
    })?;
    *scanner = ahead;
    Some(civil)
}

/// What may follow: ` UTC`, ` +0100`.
pub fn zone(scanner: &mut Scanner<'_>, civil: &mut Civil) {
    scanner.signed_offset(civil);
    let mut ahead = *scanner;
    ahead.blanks();
    if civil.offset_minutes.is_none()
        && let Some(minutes) = ahead.zone_name()
        && ahead.rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric())
    {
        civil.offset_minutes = Some(minutes);
        *scanner = ahead;
    }
}

/// A date and time in any of the known ways, with its zone.
pub fn written(scanner: &mut Scanner<'_>) -> Option<Civil> {
    let mut civil = scanner.iso().or_else(|| date_time(scanner)).or_else(|| scanner.month_first())?;
    zone(scanner, &mut civil);
    Some(civil)
}

fn in_order(scanner: &mut Scanner<'_>) -> Option<Civil> {
    if let Some(civil) = year_behind(scanner) {
        return Some(civil);
    }
    let mut civil = Civil::default();
    let mut ahead = *scanner;
    if time_of_day(&mut ahead, &mut civil).is_some() {
        between(&mut ahead);
        let mut day = ahead;
        if date(&mut ahead, &mut civil).is_none() {
            weekday(&mut day)?;
            date(&mut day, &mut civil)?;
            ahead = day;
        }
    } else {
        ahead = *scanner;
        date(&mut ahead, &mut civil)?;
        between(&mut ahead);
        time_of_day(&mut ahead, &mut civil)?;
    }
    *scanner = ahead;
    Some(civil)
}

/// `Nov 20 12:00:00 2026`, `20. Nov 12:00:00 PM UTC 2026`: the year behind the time of day and its zone.
fn year_behind(scanner: &mut Scanner<'_>) -> Option<Civil> {
    let mut ahead = *scanner;
    let mut civil = Civil::default();
    day_and_month(&mut ahead, &mut civil)?;
    (ahead.blanks() > 0).then_some(())?;
    time_of_day(&mut ahead, &mut civil)?;
    let mut zone = ahead;
    if zone.blanks() > 0 {
        let name = zone.rest.iter().take(6).take_while(|byte| byte.is_ascii_alphabetic()).count();
        civil.offset_minutes = { zone }.zone_name().or_else(|| { zone }.offset());
        let skipped =
            if name > 0 { name } else { zone.rest.iter().take_while(|byte| **byte != b' ').count() };
        zone.rest = &zone.rest[skipped..];
        if civil.offset_minutes.is_some() || skipped > 0 && name > 0 {
            zone.blanks();
            if let Some(year) = year(&mut zone) {
                civil.year = Some(year);
                *scanner = zone;
                return Some(civil);
            }
            civil.offset_minutes = None;
        }
    }
    (ahead.blanks() > 0).then_some(())?;
    civil.year = Some(year(&mut ahead)?);
    *scanner = ahead;
    Some(civil)
}

fn year(scanner: &mut Scanner<'_>) -> Option<i64> {
    let mut ahead = *scanner;
    let year = ahead.digits(4, 4).filter(|year| YEARS.contains(year))?;
    ahead.rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b':').then(|| {
        *scanner = ahead;
        year
    })
}

/// A short word before a date: a weekday in any language.
fn weekday(scanner: &mut Scanner<'_>) -> Option<()> {
    let mut ahead = *scanner;
    let letter = |byte: &&u8| byte.is_ascii_alphabetic() || **byte >= 0x80;
    let length = ahead.rest.iter().take(12).take_while(letter).count();
    ahead.rest = &ahead.rest[length..];
    let _ = ahead.one_of(b".,");
    (length >= 2 && ahead.blanks() > 0).then(|| *scanner = ahead)
}

fn between(scanner: &mut Scanner<'_>) {
    while scanner.one_of(BETWEEN).is_some() {}
}

/// A date alone: `Nov 20, 2026`, `20-Nov-2026`, `2026:11:20`, `2026.11.20`, `20.11.26`, `11/20/2026`.
fn date(scanner: &mut Scanner<'_>, civil: &mut Civil) -> Option<()> {
    let mut ahead = *scanner;
    if day_and_month(&mut ahead, civil).is_some() {
        while ahead.one_of(b" ,-/.").is_some() {}
        civil.year = Some(ahead.digits(4, 4).filter(|year| YEARS.contains(year))?);
        *scanner = ahead;
        return Some(());
    }
    ahead = *scanner;
    if let Some(year) = ahead.digits(4, 4) {
        let separator = ahead.one_of(b"-/.: ")?;
        civil.year = Some(year);
        civil.month = match ahead.month_name() {
            Some(month) => month,
            None => ahead.digits(1, 2)?,
        };
        ahead.byte(separator)?;
        ahead.blanks();
        civil.day = ahead.digits(1, 2)?;
    } else {
        civil.numeric = Some(NumericDate::read(&mut ahead)?);
    }
    *scanner = ahead;
    Some(())
}

/// `Nov 20`, `20 Nov`, `20. November`, `20-Nov`.
fn day_and_month(scanner: &mut Scanner<'_>, civil: &mut Civil) -> Option<()> {
    let mut ahead = *scanner;
    if let Some(month) = ahead.month_name() {
        while ahead.one_of(b" .-/").is_some() {}
        (civil.month, civil.day) = (month, ahead.digits(1, 2)?);
    } else {
        civil.day = ahead.digits(1, 2)?;
        while ahead.one_of(b" .-/").is_some() {}
        civil.month = ahead.month_name()?;
        let _ = ahead.byte(b'.');
    }
    *scanner = ahead;
    Some(())
}

/// `7:15`, `07:15:00.25`, `07:15:00 PM`.
fn time_of_day(scanner: &mut Scanner<'_>, civil: &mut Civil) -> Option<()> {
    let mut ahead = *scanner;
    civil.hour = ahead.digits(1, 2)?;
    ahead.byte(b':')?;
    civil.minute = ahead.digits(1, 2)?;
    let mut seconds = ahead;
    if seconds.byte(b':').is_some()
        && let Some(second) = seconds.digits(1, 2)
    {
        civil.second = second;
        civil.millisecond = seconds.fraction()?;
        ahead = seconds;
    }
    if ahead.rest.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b':') {
        return None;
    }
    meridiem(&mut ahead, civil);
    *scanner = ahead;
    Some(())
}

fn meridiem(scanner: &mut Scanner<'_>, civil: &mut Civil) {
    let mut ahead = *scanner;
    ahead.blanks();
    if let (Some(letter), Some(_)) = (ahead.one_of(b"aApP"), ahead.one_of(b"mM"))
        && ahead.rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric())
    {
        civil.hour = civil.hour % 12 + 12 * i64::from(letter.eq_ignore_ascii_case(&b'p'));
        *scanner = ahead;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_pages_and_of_the_program_date_are_read() {
        for text in [
            "11:00:30\tFri Nov 20 2026",
            "11:00:30^Fri Nov 20 2026",
            "Fri Nov 20 11:00:30 2026",
            "Fri Nov 20 11:00:30 UTC 2026",
            "Fri Nov 20 11:00:30 AM UTC 2026",
            "Fri 20 Nov 2026 11:00:30 AM",
            "Fr 20. Nov 11:00:30 CET 2026",
            "Vie 20 nov 2026 11:00:30",
            "ven. 20 nov. 2026 11:00:30",
            "2026:11:20 11:00:30",
            "2026.11.20 11:00:30",
            "2026-11-20, 11:00:30",
            "2026/11/20 11:00:30",
            "2026-Nov-20 11:00:30",
            "Nov 20, 2026 11:00:30 AM",
            "20-Nov-2026 11:00:30",
            "20 November 2026 11:00:30",
        ] {
            let mut scanner = Scanner::new(text.as_bytes());
            let civil = date_time(&mut scanner).unwrap_or_else(|| panic!("{text}"));
            let day = (civil.year, civil.month, civil.day);
            assert_eq!(day, (Some(2026), 11, 20), "{text}");
            assert_eq!((civil.hour, civil.minute, civil.second), (11, 0, 30), "{text}");
            assert!(scanner.rest.is_empty(), "{text}: {:?}", scanner.rest);
        }
    }

    #[test]
    fn numbers_wait_for_the_streams_order_and_half_days_are_known() {
        for (text, hour) in [
            ("20.11.26 16:41:44", 16),
            ("11/20/2026 05:18:37 PM", 17),
            ("11/20/2026 12:18 AM", 0),
            ("Fri 11/20/2026 5:18:37.12", 5),
        ] {
            let civil = date_time(&mut Scanner::new(text.as_bytes())).unwrap_or_else(|| panic!("{text}"));
            assert!(civil.numeric.is_some() && civil.year.is_none(), "{text}");
            assert_eq!(civil.hour, hour, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_left_where_it_is() {
        for text in [
            "",
            "hello",
            "12:00",
            "20.11.26",
            "1.2.3.4 x",
            "Nov 20 12:00:00",
            "Link 3 up 12:00:00",
            "10.0.0.1 5:00",
        ] {
            let mut scanner = Scanner::new(text.as_bytes());
            assert_eq!(date_time(&mut scanner), None, "{text}");
            assert_eq!(scanner.rest, text.as_bytes());
        }
    }
}
