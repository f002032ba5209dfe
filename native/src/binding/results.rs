//! What a chunk gave on its way to JavaScript: flat lists that `results.js` makes objects of.
//!
//! Through the C interface a window would cost forty calls, more than all its lines cost before. Both
//! sides name every field once, in one order: a new one is added here, there and to its shape in
//! `shapes.rs`. Unknown and infinite numbers are NaN here and null there.
use std::collections::HashMap;

use napi::bindgen_prelude::{Env, Float64Array, FnArgs, Function, FunctionRef, Object, Result};

use crate::engine::opinion::Opinion;
use crate::engine::output::{Push, RecordOutput, Scope, State, WindowOutput};
use crate::forest::explain::Reason;

type Lists = FnArgs<(Float64Array, Vec<String>, Vec<String>)>;

/// The function that makes the objects.
pub struct ResultMaker(FunctionRef<Lists, Object<'static>>);

impl ResultMaker {
    /// Compiles it.
    pub fn new(env: Env) -> Result<Self> {
        let function: Function<'_, Lists, Object<'static>> = env.run_script(include_str!("results.js"))?;
        Ok(Self(function.create_ref()?))
    }

    /// A `PushResult`.
    pub fn make(&self, env: Env, push: Push) -> Result<Object<'static>> {
        let Flat { numbers, texts, devices } = Flat::of(push);
        self.0.borrow_back(&env)?.call((Float64Array::new(numbers), texts, devices.names).into())
    }
}

/// Fields one after another, as `results.js` reads them.
#[derive(Default)]
struct Flat {
    numbers: Vec<f64>,
    texts: Vec<String>,
    devices: Names,
}

/// Each device's name once: a text costs more on its way than all numbers of a window.
#[derive(Default)]
struct Names {
    places: HashMap<String, usize>,
    names: Vec<String>,
}

impl Names {
    fn place(&mut self, name: String) -> usize {
        if let Some(&place) = self.places.get(&name) {
            return place;
        }
        let place = self.names.len();
        self.names.push(name.clone());
        self.places.insert(name, place);
        place
    }
}

impl Flat {
    fn of(push: Push) -> Self {
        let mut flat = Self::default();
        flat.number(push.consumed_bytes as f64);
        flat.maybe(push.newest_ms.map(|time_ms| time_ms as f64));
        flat.list(push.windows, Self::window);
        flat.list(push.records, Self::record);
        flat
    }

    fn number(&mut self, value: f64) {
        self.numbers.push(if value.is_finite() { value } else { f64::NAN });
    }

    fn maybe(&mut self, value: Option<f64>) {
        self.number(value.unwrap_or(f64::NAN));
    }

    fn device(&mut self, name: String) {
        let place = self.devices.place(name);
        self.number(place as f64);
    }

    fn flag(&mut self, value: bool) {
        self.number(f64::from(u8::from(value)));
    }

    fn maybe_flag(&mut self, value: Option<bool>) {
        self.maybe(value.map(|value| f64::from(u8::from(value))));
    }

    fn maybe_text(&mut self, text: Option<String>) {
        self.flag(text.is_some());
        self.texts.extend(text);
    }

    fn list<T>(&mut self, items: Vec<T>, mut add: impl FnMut(&mut Self, T)) {
        self.number(items.len() as f64);
        for item in items {
            add(self, item);
        }
    }

    fn window(&mut self, window: WindowOutput) {
        let (judged, labels) = (window.judged, window.labels);
        self.number(match window.scope {
            Scope::Device => 0.0,
            Scope::Gateway => 1.0,
        });
        self.device(window.device);
        self.number(judged.end_ms as f64);
        self.number(judged.records as f64);
        self.number(match judged.state {
            State::WarmingUp => 0.0,
            State::Untrained => 1.0,
            State::Stopped => 2.0,
            State::Scored => 3.0,
        });
        self.maybe(judged.score);
        self.maybe(judged.threshold);
        self.flag(judged.suspect);
        self.flag(judged.forest_suspect);
        self.flag(judged.rebooted);
        self.baseline(judged.baseline.as_ref());
        self.list(judged.features, Self::number);
        self.list(judged.reasons, Self::reason);
        self.maybe_flag(labels.is_anomaly);
        self.maybe_text(labels.anomaly_type);
        self.maybe(labels.record.map(|record| record as f64));
        self.number(labels.line_end as f64);
    }

    fn baseline(&mut self, opinion: Option<&Opinion>) {
        self.flag(opinion.is_some());
        let Some(opinion) = opinion else { return };
        self.number(opinion.nats);
        self.number(opinion.strangeness);
        self.number(opinion.threshold);
        self.flag(opinion.is_suspect());
        self.flag(opinion.level_shift);
        self.number(opinion.hold_seconds);
        self.flag(opinion.normal_if.is_some());
        let Some(change) = &opinion.normal_if else { return };
        self.texts.extend([change.feature.clone(), change.unit.clone()]);
        self.number(change.value);
        self.flag(change.below);
        self.maybe(change.seconds);
    }

    fn reason(&mut self, reason: Reason) {
        self.texts.push(reason.feature);
        self.texts.push(reason.unit);
        for value in [reason.observed, reason.median, reason.p5, reason.p95, reason.share] {
            self.number(value);
        }
        self.flag(reason.event.is_some());
        let Some(event) = reason.event else { return };
        self.texts.push(event.name);
        for value in [event.seconds, event.per_day, event.known_seconds] {
            self.number(value);
        }
    }

    fn record(&mut self, output: RecordOutput) {
        let record = output.record;
        self.number(output.time_ms as f64);
        self.device(record.device);
        self.list(record.values, Self::number);
        self.maybe_text(record.error_code);
        self.maybe_flag(record.is_anomaly);
        self.maybe_text(record.anomaly_type);
        self.flag(output.suspect);
        self.number(output.line_end as f64);
    }
}
