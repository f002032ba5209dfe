use super::*;
use crate::random::Random;

const DAY_S: f64 = 86_400.0;
/// Of the alert budget, as a surprise: 0.2 a day.
const BUDGET_NATS: f64 = 1.609;

fn exponential(random: &mut Random, mean: f64) -> f64 {
    -mean * crate::math::ln(1.0 - 0.999_999_9 * random.unit())
}

/// A line whose events come in groups that begin at random.
struct Line {
    groups_a_day: f64,
    /// Of a group: how many events, and how far apart in the mean, s.
    size: fn(&mut Random) -> f64,
    gap_s: f64,
    evenings: bool,
}

fn single(_: &mut Random) -> f64 {
    1.0
}

fn geometric(random: &mut Random) -> f64 {
    1.0 + exponential(random, 4.0).floor()
}

/// Without a variance.
fn pareto(random: &mut Random) -> f64 {
    crate::math::exp(exponential(random, 1.0 / 1.5)).floor()
}

/// Times of a line's events, s.
fn times(line: &Line, days: f64, seed: u64) -> Vec<f64> {
    let (mut random, mut times, mut at) = (Random::new(seed), Vec::new(), 0.0);
    let most = if line.evenings { 10.0 } else { 1.0 };
    while at < days * DAY_S {
        at += exponential(&mut random, DAY_S / line.groups_a_day / most);
        let evening = (18.0..22.0).contains(&(at % DAY_S / 3600.0));
        if random.unit() * most > if line.evenings && evening { most } else { 1.0 } {
            continue;
        }
        let (mut time, mut left) = (at, (line.size)(&mut random).min(10_000.0));
        while left > 0.0 {
            times.push(time);
            time += exponential(&mut random, line.gap_s);
            left -= 1.0;
        }
    }
    times.retain(|time| *time < days * DAY_S);
    times.sort_by(f64::total_cmp);
    times
}

/// A device that hears of one kind of event.
#[derive(Default)]
struct Heard {
    rates: Rates,
    /// When storms rarer than the budget began, s.
    alerts: Vec<f64>,
    over_s: f64,
}

impl Heard {
    #[allow(clippy::cast_possible_truncation)] // Times of tests.
    fn push(&mut self, time_s: f64, event: Option<&str>) {
        self.rates.see((time_s * 1000.0).round() as i64, event);
        if self.rates.storms().first().is_some_and(|storm| storm.nats > BUDGET_NATS) {
            if self.rates.clock_s > self.over_s {
                self.alerts.push(time_s);
            }
            self.over_s = self.rates.hold_until_s + 10.0;
        }
    }

    fn of(times: &[f64]) -> Self {
        let mut heard = Self::default();
        for time in times {
            heard.push(*time, Some("T3-timeout"));
        }
        heard
    }
}

/// Three a day for so many days.
fn known_for(days: f64) -> Heard {
    Heard::of(&times(&Line { groups_a_day: 3.0, size: single, gap_s: 1.0, evenings: false }, days, 1))
}

fn storm(heard: &mut Heard, from_s: f64, count: u32, gap_s: f64) {
    for at in 0..count {
        heard.push(from_s + f64::from(at) * gap_s, Some("T3-timeout"));
    }
}

#[test]
fn lines_whose_events_come_at_random_alone_or_in_groups_keep_the_budget_from_the_second_day_on() {
    let days = 40.0;
    for (name, size) in [("single", single as fn(&mut Random) -> f64), ("geometric", geometric)] {
        for evenings in [false, true] {
            for groups_a_day in [0.3, 1.0, 3.0, 10.0, 100.0] {
                let gaps: &[f64] = if name == "single" { &[1.0] } else { &[2.0, 60.0, 600.0] };
                for &gap_s in gaps {
                    let line = Line { groups_a_day, size, gap_s, evenings };
                    let seeds = if groups_a_day > 50.0 { 2 } else { 8 };
                    let alerts: usize =
                        (0..seeds).map(|seed| Heard::of(&times(&line, days, seed)).alerts.len()).sum();
                    #[allow(clippy::cast_precision_loss)] // A few.
                    let per_day = alerts as f64 / days / seeds as f64;
                    assert!(per_day < 0.12, "{name} {groups_a_day} a day, {gap_s} s, {evenings}: {per_day}");
                }
            }
        }
    }
}

#[test]
fn groups_without_any_typical_size_cost_no_more_than_the_budget() {
    let line = Line { groups_a_day: 3.0, size: pareto, gap_s: 60.0, evenings: false };
    let alerts: usize = (0..8).map(|seed| Heard::of(&times(&line, 40.0, seed)).alerts.len()).sum();
    assert!(alerts < 8 * 8, "{alerts} in 8 times 40 days");
}

#[test]
fn forty_in_seven_minutes_after_three_a_day_are_one_storm_and_one_that_comes_later_is_none() {
    let mut heard = known_for(80.0);
    heard.alerts.clear();
    let from_s = 80.5 * DAY_S;
    storm(&mut heard, from_s, 40, 10.5);
    assert_eq!(heard.alerts, [from_s + 21.0]);
    let rate = heard.rates.rate(0);
    assert!((rate.count, rate.seconds) == (40.0, 409.5) && (2.0..4.0).contains(&rate.per_day), "{rate:?}");
    let (normal, seconds) = heard.rates.most_normal(0, BUDGET_NATS);
    assert!(normal < 5.0 && seconds <= 600.0, "{normal} in {seconds} s");
    assert!(heard.rates.storms()[0].hold_s < 60.0);
    heard.push(from_s + 1800.0, Some("T3-timeout"));
    assert!(heard.rates.storms().is_empty());
}

#[test]
fn a_kind_that_was_never_seen_is_no_storm_once_but_is_several_times() {
    let mut heard = Heard::default();
    for hour in 0..20 * 24 {
        heard.push(f64::from(hour) * 3600.0, None);
    }
    for second in [0.0, 15.0, 40.0] {
        assert!(heard.alerts.is_empty());
        heard.push(20.0 * DAY_S + second, Some("T3-timeout"));
    }
    assert_eq!(heard.alerts.len(), 1);
    let rate = heard.rates.rate(0);
    assert_eq!((rate.count, rate.seconds, rate.per_day), (3.0, 40.0, 0.0));
    assert!((13.0 * DAY_S..=20.1 * DAY_S).contains(&rate.known_seconds), "{rate:?}");
}

#[test]
fn nothing_is_said_in_the_first_hours() {
    let mut heard = known_for(0.2);
    storm(&mut heard, 0.21 * DAY_S, 500, 1.0);
    assert!(heard.alerts.is_empty());
}

#[test]
fn a_slow_storm_is_found_by_the_hour_or_the_day_and_holds_over_the_records_between() {
    let mut heard = known_for(40.0);
    heard.alerts.clear();
    for minute in 0..600 {
        let event = (minute % 20 == 0).then_some("T3-timeout");
        heard.push(40.5 * DAY_S + f64::from(minute) * 60.0, event);
    }
    assert_eq!(heard.alerts.len(), 1, "{:?}", heard.alerts);
    assert!(!heard.rates.storms().is_empty());
    for minute in 600..800 {
        heard.push(40.5 * DAY_S + f64::from(minute) * 60.0, None);
    }
    assert!(heard.rates.storms().is_empty());
}

#[test]
fn a_rate_that_has_held_for_a_day_is_the_usual_one() {
    let mut heard = known_for(40.0);
    heard.alerts.clear();
    storm(&mut heard, 40.1 * DAY_S, 10 * 1440, 60.0);
    assert_eq!(heard.alerts.len(), 1, "{:?}", heard.alerts);
    assert!(heard.rates.storms().is_empty());
}

#[test]
fn a_burst_of_every_night_is_none() {
    let mut heard = Heard::default();
    for night in 0..30 {
        for at in 0..30 {
            heard.push(f64::from(night) * DAY_S + 10_000.0 + f64::from(at) * 4.0, Some("503"));
        }
    }
    assert!(heard.alerts.len() <= 1, "{:?}", heard.alerts);
}

#[test]
fn kinds_without_end_take_bounded_memory_and_a_storm_of_them_is_of_other_errors() {
    let mut heard = Heard::default();
    for hour in 0..60 * 24 {
        heard.push(f64::from(hour) * 3600.0, Some(&format!("E{hour}")));
    }
    heard.alerts.clear();
    assert_eq!(heard.rates.classes.len(), MAX_CLASSES);
    for at in 0..200 {
        heard.push(60.0 * DAY_S + f64::from(at), Some(&format!("X{at}")));
    }
    assert_eq!(heard.alerts.len(), 1);
    assert_eq!(heard.rates.rate(heard.rates.storms()[0].place).name, OTHERS);
}

#[test]
fn a_clock_that_was_set_back_by_hours_makes_no_storm() {
    let mut heard = known_for(40.0);
    heard.alerts.clear();
    for half_day in 0..20 {
        heard.push((39.5 + 0.5 * f64::from(half_day)) * DAY_S, Some("T3-timeout"));
    }
    assert!(heard.alerts.is_empty());
}

#[test]
fn on_the_first_day_a_storm_far_beyond_what_was_is_found() {
    let line = Line { groups_a_day: 72.0, size: single, gap_s: 1.0, evenings: false };
    let mut heard = Heard::of(&times(&line, 0.5, 3));
    storm(&mut heard, 0.5 * DAY_S, 40, 10.0);
    assert_eq!(heard.alerts.len(), 1, "{:?}", heard.alerts);
}
