//! The engine as a whole: time, lateness, clocks, bounds, states, thinning, and silent refills.
#![allow(clippy::cast_possible_wrap, clippy::cast_precision_loss)] // Small made-up numbers.
mod support;

use lineheron_native::engine::output::{Push, Scope, State};
use lineheron_native::engine::{Engine, MAX_DEVICE_RECORDS};
use lineheron_native::forest::fit::fit;
use lineheron_native::forest::params::ForestParams;
use lineheron_native::forest::{FeatureName, Forest};
use support::{START_MS, engine, feed, line};

fn windows(push: &Push, scope: Scope) -> Vec<(&str, i64, usize)> {
    let of_scope = push.windows.iter().filter(|window| window.scope == scope);
    of_scope.map(|w| (w.device.as_str(), w.judged.end_ms, w.judged.records)).collect()
}

/// A forest over windows of this engine in which every latency is near 20 ms.
fn forest_for(engine: &Engine) -> Forest {
    let names = engine.features().as_slice().iter();
    let names: Vec<_> = names.map(|f| FeatureName { name: f.name.clone(), unit: f.unit.clone() }).collect();
    let columns = names.len();
    let mut rows = support::normal_rows(400, columns, 1);
    for row in rows.chunks_exact_mut(columns) {
        for value in row {
            *value = 20.0 + *value * 0.1;
        }
    }
    let params = ForestParams::new(engine.features().fingerprint(), names).check().unwrap();
    fit(&rows, params).unwrap().forest
}

fn detecting(threshold: f64, hop_seconds: f64) -> Engine {
    let mut engine = engine(|options| {
        options.window_seconds = 10.0;
        options.hop_seconds = hop_seconds;
    });
    let forest = forest_for(&engine);
    engine.set_forest(Scope::Device, Some(forest.clone())).unwrap();
    engine.set_forest(Scope::Gateway, Some(forest)).unwrap();
    engine.set_threshold(Scope::Device, Some(threshold)).unwrap();
    engine.set_detecting(true);
    engine
}

#[test]
fn a_record_up_to_the_lateness_late_joins_and_an_older_one_is_counted() {
    let mut engine = engine(|_| {});
    feed(&mut engine, START_MS, "d");
    feed(&mut engine, START_MS + 10_000, "d");
    let joined = engine.push(line(START_MS + 5000, "d", 1.0).as_bytes(), START_MS + 10_000, true);
    assert_eq!((engine.counters().records, engine.counters().late), (3, 0));
    assert!(joined.windows.is_empty(), "its end is unchanged, so no hop is due");
    engine.push(line(START_MS + 4999, "d", 1.0).as_bytes(), START_MS + 10_000, true);
    assert_eq!((engine.counters().records, engine.counters().late), (3, 1));
    let next = feed(&mut engine, START_MS + 11_000, "d");
    assert_eq!(windows(&next, Scope::Device), [("d", START_MS + 11_000, 4)]);
}

#[test]
fn lateness_is_per_device() {
    let mut engine = engine(|_| {});
    feed(&mut engine, START_MS + 3_600_000, "ahead");
    feed(&mut engine, START_MS, "behind");
    assert_eq!((engine.counters().records, engine.counters().late), (2, 0));
}

#[test]
fn a_record_more_than_five_minutes_ahead_is_stamped_by_arrival_and_a_missing_time_is_arrival() {
    let mut engine = engine(|_| {});
    let text =
        line(START_MS + 300_001, "a", 1.0) + "{\"device_id\":\"b\"}\n" + &line(START_MS + 300_000, "c", 1.0);
    let push = engine.push(text.as_bytes(), START_MS, true);
    let ends: Vec<i64> = windows(&push, Scope::Device).iter().map(|window| window.1).collect();
    assert_eq!(ends, [START_MS, START_MS, START_MS + 300_000]);
    assert_eq!(engine.counters().ahead, 1);
    assert_eq!(push.newest_ms, Some(START_MS + 300_000));
}

#[test]
fn a_clock_set_back_mutes_a_device_for_sixty_records_only() {
    let mut engine = engine(|_| {});
    feed(&mut engine, START_MS + 250_000, "d");
    for second in 0..60 {
        let push =
            engine.push(line(START_MS + second * 1000, "d", 1.0).as_bytes(), START_MS + 250_000, true);
        assert!(push.windows.is_empty());
    }
    assert_eq!((engine.counters().late, engine.counters().clock_resets), (60, 0));
    let push = engine.push(line(START_MS + 60_000, "d", 1.0).as_bytes(), START_MS + 250_000, true);
    assert_eq!(windows(&push, Scope::Device), [("d", START_MS + 60_000, 1)]);
    assert_eq!((engine.counters().late, engine.counters().clock_resets), (60, 1));
}

#[test]
fn late_records_near_the_window_never_reset_the_clock() {
    let mut engine = engine(|_| {});
    feed(&mut engine, START_MS + 100_000, "d");
    for _ in 0..200 {
        feed(&mut engine, START_MS + 80_000, "d");
    }
    assert_eq!((engine.counters().late, engine.counters().clock_resets), (200, 0));
}

#[test]
fn one_device_with_a_clock_ahead_does_not_empty_the_gateways_window() {
    let mut engine = engine(|options| options.hop_seconds = 0.0);
    let mut last = Push::default();
    for second in 0..120 {
        let now = START_MS + second * 1000;
        for device in ["a", "b", "c"] {
            engine.push(line(now, device, 1.0).as_bytes(), now, true);
        }
        last = engine.push(line(now + 240_000, "ahead", 1.0).as_bytes(), now, true);
    }
    assert_eq!(windows(&last, Scope::Gateway), [("*", START_MS + 119_000, 4 * 30)]);
    let diversity = last.windows.iter().find(|w| w.scope == Scope::Gateway).unwrap();
    assert_eq!(diversity.judged.features[18], 4.0);
    let own = last.windows.iter().find(|w| w.scope == Scope::Device).unwrap();
    assert_eq!((own.judged.features[18], own.judged.records), (1.0, 30));
}

#[test]
fn a_full_device_window_drops_its_oldest_and_counts_it() {
    let mut engine = engine(|options| options.hop_seconds = 0.0);
    let text: String = (0..MAX_DEVICE_RECORDS as i64 + 7).map(|i| line(START_MS + i, "d", 1.0)).collect();
    let push = engine.push(text.as_bytes(), START_MS + 10_000, true);
    assert_eq!(engine.counters().window_overflow, 7);
    let last = push.windows.iter().rfind(|window| window.scope == Scope::Device).unwrap();
    assert_eq!(last.judged.records, MAX_DEVICE_RECORDS);
}

#[test]
fn devices_beyond_the_limit_make_room_and_are_counted() {
    let mut engine = engine(|options| options.max_devices = 100.0);
    for index in 0..1000 {
        feed(&mut engine, START_MS + index, &format!("d{index}"));
    }
    assert_eq!((engine.devices(), engine.counters().evicted_devices), (100, 900));
    let push = feed(&mut engine, START_MS + 5000, "d999");
    let gateway = push.windows.iter().find(|window| window.scope == Scope::Gateway).unwrap();
    assert_eq!(gateway.judged.features[18], 1000.0, "the gateway's window goes on counting those that left");
}

#[test]
fn states_go_from_warming_up_to_untrained_to_stopped_to_scored() {
    let mut engine = detecting(0.99, 0.0);
    engine.set_forest(Scope::Device, None).unwrap();
    engine.set_detecting(false);
    let state = |engine: &mut Engine, second: i64| {
        let push = feed(engine, START_MS + second * 1000, "d");
        let own = push.windows.into_iter().find(|window| window.scope == Scope::Device).unwrap();
        assert_eq!(own.judged.score.is_some(), own.judged.state == State::Scored);
        own.judged.state
    };
    for second in 0..10 {
        assert_eq!(state(&mut engine, second), State::WarmingUp);
    }
    assert_eq!(state(&mut engine, 10), State::Untrained);
    let forest = forest_for(&engine);
    engine.set_forest(Scope::Device, Some(forest)).unwrap();
    assert_eq!(state(&mut engine, 11), State::Stopped);
    engine.set_detecting(true);
    assert_eq!(state(&mut engine, 12), State::Scored);
}

#[test]
fn quiet_windows_come_once_a_hop_and_suspect_ones_always() {
    for (threshold, expected) in [(0.999, 1), (0.001, 10)] {
        let mut engine = detecting(threshold, 1.0);
        let early: String = (0..=20).map(|i| line(START_MS + i * 1000, "d", 20.0)).collect();
        engine.push(early.as_bytes(), START_MS + 30_000, true);
        let text: String = (1..=10).map(|i| line(START_MS + 20_000 + i * 100, "d", 20.0)).collect();
        let push = engine.push(text.as_bytes(), START_MS + 30_000, true);
        let own: Vec<_> = push.windows.iter().filter(|window| window.scope == Scope::Device).collect();
        assert_eq!(own.len(), expected);
        assert!(own.iter().all(|w| w.judged.suspect == (threshold < 0.5)));
        assert!(own.iter().all(|w| w.judged.reasons.is_empty() == (threshold > 0.5)));
        // Anomalous records only, by default; the gateway has no threshold and is never suspect.
        assert_eq!(push.records.len(), if threshold < 0.5 { 10 } else { 0 });
        assert!(push.windows.iter().all(|w| w.scope == Scope::Device || !w.judged.suspect));
    }
}

#[test]
fn a_score_equal_to_the_threshold_is_not_suspect() {
    let mut engine = detecting(0.999, 0.0);
    let text: String = (0..=20).map(|i| line(START_MS + i * 1000, "d", 20.0)).collect();
    let push = engine.push(text.as_bytes(), START_MS + 30_000, true);
    let score = push.windows.iter().rfind(|w| w.scope == Scope::Device).unwrap().judged.score.unwrap();
    let mut engine = detecting(score, 0.0);
    let push = engine.push(text.as_bytes(), START_MS + 30_000, true);
    let last = push.windows.iter().rfind(|w| w.scope == Scope::Device).unwrap();
    assert_eq!((last.judged.score, last.judged.suspect), (Some(score), false));
}

#[test]
fn a_silent_refill_and_any_cutting_into_chunks_give_the_same_output() {
    let mut random = lineheron_native::random::Random::new(9);
    let (mut text, mut now) = (String::new(), START_MS);
    let mut middle = 0;
    for index in 0..600 {
        now += random.below(900) as i64;
        let late = random.below(4000) as i64;
        text += &line(now - late, &format!("d{}", random.below(4)), 20.0 + random.normal());
        if index == 300 {
            middle = text.len();
        }
    }
    let text = text.as_bytes();
    let whole = detecting(0.45, 1.0).push(text, now, true);
    let show = |push: &Push, start: usize| {
        let windows = push.windows.iter().map(move |window| {
            (
                window.labels.line_end + start,
                format!("{:?} {} {:?}", window.scope, window.device, window.judged),
            )
        });
        windows.collect::<Vec<_>>()
    };
    let expected = show(&whole, 0);
    assert!(expected.len() > 300);
    // In pieces.
    let (mut engine, mut found, mut start) = (detecting(0.45, 1.0), Vec::new(), 0);
    for end in (0..=text.len()).step_by(997).chain([text.len()]) {
        let push = engine.push(&text[start..end], now, true);
        found.extend(show(&push, start));
        start += push.consumed_bytes;
    }
    assert_eq!(found, expected);
    // First half silent.
    let mut engine = detecting(0.45, 1.0);
    let silent = engine.push(&text[..middle], now, false);
    assert!(silent.windows.is_empty() && silent.records.is_empty() && silent.newest_ms.is_some());
    let found = show(&engine.push(&text[middle..], now, true), middle);
    let second: Vec<_> = expected.into_iter().filter(|(end, _)| *end > middle).collect();
    assert_eq!(found, second);
}

#[test]
fn records_are_put_out_as_asked_and_windows_point_at_them() {
    let text = line(START_MS, "d", 1.0) + "\n  \nnonsense\n" + &line(START_MS + 1000, "d", 2.0) + "{\"dev";
    for (publish, expected) in [("none", 0), ("anomalous", 0), ("all", 2)] {
        let mut engine = engine(|options| options.publish_records = publish.to_owned());
        let push = engine.push(text.as_bytes(), START_MS + 1000, true);
        assert_eq!((push.records.len(), push.windows.len()), (expected, 4), "{publish}");
        assert_eq!(push.consumed_bytes, text.len() - 5);
        let pointers: Vec<_> = push.windows.iter().map(|window| window.labels.record).collect();
        let shown = publish == "all";
        assert_eq!(pointers, [0, 0, 1, 1].map(|index| shown.then_some(index)));
        assert_eq!((engine.counters().lines, engine.counters().records), (3, 2));
        assert_eq!(engine.counters().refused().collect::<Vec<_>>(), [("invalid_json", 1)]);
    }
}

#[test]
fn ground_truth_is_carried_and_changes_no_feature() {
    let plain = format!("{{\"timestamp\":{START_MS},\"device_id\":\"d\"}}\n");
    let labelled = plain.replace("\"d\"", "\"d\",\"is_anomaly\":true,\"anomaly_type\":\"latency\"");
    let pushes = [&plain, &labelled].map(|text| engine(|_| {}).push(text.as_bytes(), START_MS, true));
    for (plain, labelled) in pushes[0].windows.iter().zip(&pushes[1].windows) {
        assert_eq!(format!("{:?}", plain.judged), format!("{:?}", labelled.judged));
        assert_eq!((plain.labels.is_anomaly, labelled.labels.is_anomaly), (None, Some(true)));
        assert_eq!(labelled.labels.anomaly_type.as_deref(), Some("latency"));
    }
}

#[test]
fn lines_that_are_too_long_are_skipped_and_counted() {
    let mut engine = engine(|_| {});
    let long = format!("{{\"device_id\":\"d\",\"x\":\"{}\"}}\n", "y".repeat(70_000));
    let push = engine.push((long + &line(START_MS, "d", 1.0)).as_bytes(), START_MS, true);
    assert_eq!((engine.counters().too_long, engine.counters().records), (1, 1));
    assert_eq!(push.windows.len(), 2);
}

#[test]
fn a_forest_of_other_features_is_refused_and_the_old_one_stays() {
    let mut engine = detecting(0.99, 0.0);
    let other = forest_for(&support::engine(|options| options.window_seconds = 11.0));
    let error = engine.set_forest(Scope::Device, Some(other)).unwrap_err().to_string();
    assert!(error.contains(engine.features().fingerprint()), "{error}");
    assert!(engine.set_threshold(Scope::Device, Some(f64::NAN)).is_err());
    let text: String = (0..=10).map(|i| line(START_MS + i * 1000, "d", 20.0)).collect();
    let push = engine.push(text.as_bytes(), START_MS + 10_000, true);
    assert_eq!(push.windows.last().unwrap().judged.state, State::Scored);
}
