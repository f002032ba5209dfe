//! The engine's class, its options in and its results out.
use napi::bindgen_prelude::{Buffer, Env, Error, Object, Result, Status};
use napi_derive::napi;

use super::forest::info;
use super::results::ResultMaker;
use super::shapes::{
    ChannelDefinition, EngineCounters, EngineOptions, FeatureDefinition, FleetTail, ForestInfo, LateExample,
    NormalIf, RefusedLine, Survey,
};
use crate::engine;
use crate::engine::options::Options;
use crate::engine::output::Scope;
use crate::engine::own_tail;
use crate::forest;
use crate::forest::change::Change;
use crate::format::Context;
use crate::format::sample::Refused;
use crate::format::survey::LineTime;
use crate::format::time::heard::Heard;
use crate::format::time::order::DateOrder;

/// Parses lines, keeps the windows of all devices and scores them. One per gateway.
#[napi]
pub struct Engine {
    core: engine::Engine,
    results: ResultMaker,
    /// Set while a chunk is taken; still set afterwards means that a panic left the windows half done.
    busy: bool,
}

#[napi]
impl Engine {
    /// An engine that has seen nothing and does not detect yet. Throws on an option out of range.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, options: Option<EngineOptions>) -> Result<Self> {
        let options = raw_options(options.unwrap_or_default());
        let core = engine::Engine::new(options.check()?)?;
        Ok(Self { core, results: ResultMaker::new(env)?, busy: false })
    }

    /// Stands for the features' names, order and units and the window length.
    #[napi(getter, catch_unwind)]
    pub fn fingerprint(&self) -> String {
        self.core.features().fingerprint().to_owned()
    }

    /// The features in order.
    #[napi(getter, catch_unwind)]
    pub fn features(&self) -> Vec<FeatureDefinition> {
        let features = self.core.features().as_slice().iter();
        features.map(|f| FeatureDefinition { name: f.name.clone(), unit: f.unit.clone() }).collect()
    }

    /// The channels in order, the default five first.
    #[napi(getter, catch_unwind)]
    pub fn channels(&self) -> Vec<ChannelDefinition> {
        let channels = self.core.options().channels.as_slice().iter();
        let definition = |channel: &crate::channel::Channel| ChannelDefinition {
            name: channel.name.clone(),
            unit: channel.unit.clone(),
            kind: channel.kind.name().to_owned(),
        };
        channels.map(definition).collect()
    }

    /// Adds a format by its definition, JSON as in native/FORMATS.md; the number that `push` takes. Each
    /// stream that is cut into chunks needs one of its own, canonical ones too. Throws when the
    /// definition is wrong, and says where.
    #[napi(catch_unwind)]
    pub fn add_format(&mut self, definition: String) -> Result<u32> {
        Ok(self.core.add_format(&definition)?)
    }

    /// Forgets a format; its number may be given again.
    #[napi(catch_unwind)]
    pub fn remove_format(&mut self, format: u32) -> Result<()> {
        Ok(self.core.remove_format(format)?)
    }

    /// Refused lines since the last call, at most three a reason.
    #[napi(catch_unwind)]
    pub fn refused_sample(&mut self) -> Vec<RefusedLine> {
        let line = |refused: Refused| RefusedLine {
            reason: refused.reason.name().to_owned(),
            value_only: refused.cell,
            format: refused.format,
            line: refused.line,
        };
        self.core.refused_sample().into_iter().map(line).collect()
    }

    /// One example of each kind of late records since the last call.
    #[napi(catch_unwind)]
    pub fn late_sample(&mut self) -> Vec<LateExample> {
        let shown = |late: engine::late::LateExample| LateExample {
            kind: late.kind.name().to_owned(),
            device: late.device,
            behind_ms: late.behind_ms as f64,
        };
        self.core.late_sample().into_iter().map(shown).collect()
    }

    /// Looks at whole lines of a format's stream before they are read, `anew` or in addition to those before. Nothing
    /// of it reaches the windows.
    #[napi(catch_unwind)]
    pub fn survey(
        &mut self,
        chunk: &[u8],
        arrival_ms: f64,
        anew: bool,
        format: Option<u32>,
        device: Option<String>,
    ) -> Result<Survey> {
        let context = Context::new(arrival_ms as i64, device.as_deref());
        let (survey, times) = self.core.survey(chunk, format.unwrap_or(0), context, anew)?;
        let time = |time: &LineTime| match time {
            LineTime::Nothing => f64::NAN,
            LineTime::Unset => -1.0,
            LineTime::At(time_ms) => *time_ms as f64,
        };
        Ok(Survey {
            records: survey.records as f64,
            timed: survey.timed as f64,
            direction: survey.direction().name().to_owned(),
            date_order: survey.date_order().map(|order| order.name().to_owned()),
            first_ms: survey.first_ms.map(|ms| ms as f64),
            newest_ms: survey.newest_ms.map(|ms| ms as f64),
            line_times: times.iter().map(time).collect::<Vec<_>>().into(),
        })
    }

    /// Takes over what a survey of the stream that follows found: the order of its dates in numbers, and the time of
    /// the first line that has one, for lines before it that have none.
    #[napi(
        catch_unwind,
        ts_args_type = "arrivalMs: number, dateOrder: string | null, firstMs: number | null, format?: number"
    )]
    pub fn expect(
        &mut self,
        arrival_ms: f64,
        date_order: Option<String>,
        first_ms: Option<f64>,
        format: Option<u32>,
    ) -> Result<()> {
        let order = date_order.as_deref().and_then(DateOrder::from_name);
        let first = first_ms.map(|time_ms| Heard { time_ms: time_ms as i64, arrival_ms: arrival_ms as i64 });
        Ok(self.core.expect(format.unwrap_or(0), order, first)?)
    }

    /// Takes the next bytes of the source, lines of `format` (default 0, canonical JSON). `arrivalMs` is
    /// the time now, epoch ms. With `emit` false windows are brought up to date and nothing is put out.
    /// `device` is the device of lines that name none, in formats other than canonical.
    #[napi(catch_unwind, ts_return_type = "PushResult")]
    pub fn push(
        &mut self,
        env: Env,
        chunk: &[u8],
        arrival_ms: f64,
        emit: bool,
        format: Option<u32>,
        device: Option<String>,
    ) -> Result<Object<'static>> {
        if !(0.0..=8.64e15).contains(&arrival_ms) {
            return Err(Error::new(Status::InvalidArg, "arrivalMs must be a time in epoch ms"));
        }
        if u32::try_from(chunk.len()).is_err() {
            return Err(Error::new(Status::InvalidArg, "a chunk must be smaller than 4 GiB"));
        }
        if std::mem::replace(&mut self.busy, true) {
            let text = "this engine stopped at a panic: make a new one and refill its windows";
            return Err(Error::new(Status::GenericFailure, text));
        }
        let context = Context::new(arrival_ms as i64, device.as_deref());
        let push = self.core.push_format(chunk, format.unwrap_or(0), context, emit);
        self.busy = false;
        self.results.make(env, push?)
    }

    /// Puts a saved forest in use for a scope, or none. Throws on damage or another fingerprint, and
    /// the forest before stays in use.
    #[napi(
        catch_unwind,
        ts_args_type = "scope: string, bytes: Uint8Array | null",
        ts_return_type = "ForestInfo | null"
    )]
    pub fn set_forest(&mut self, scope: String, bytes: Option<&[u8]>) -> Result<Option<ForestInfo>> {
        let scope = scope_of(&scope)?;
        let forest = bytes.map(forest::Forest::from_bytes).transpose()?;
        let info = forest.as_ref().zip(bytes).map(|(forest, bytes)| info(forest, bytes.len()));
        self.core.set_forest(scope, forest)?;
        Ok(info)
    }

    /// Sets the score above which a scope's window is suspect; until then, and with null, none is.
    #[napi(catch_unwind, ts_args_type = "scope: string, threshold: number | null")]
    pub fn set_threshold(&mut self, scope: String, threshold: Option<f64>) -> Result<()> {
        Ok(self.core.set_threshold(scope_of(&scope)?, threshold)?)
    }

    /// With it, a device gets a threshold of its own for the forest in use, by its own windows' scores and this
    /// tail of the training's, once it has shown enough of them; else and until then the set threshold counts.
    /// Throws on a figure that is none.
    #[napi(catch_unwind, ts_args_type = "fleet: FleetTail | null")]
    pub fn set_fleet_tail(&mut self, fleet: Option<FleetTail>) -> Result<()> {
        if let Some(fleet) = &fleet {
            let FleetTail { tail_start, tail_scale, tail_floor, effective_rows, windows_per_day, budget } =
                fleet;
            let figures = [tail_start, tail_scale, tail_floor, effective_rows];
            let known = figures.iter().all(|figure| figure.is_finite());
            let positive = |figure: &f64| figure.is_finite() && *figure > 0.0;
            if !known || !positive(windows_per_day) || !positive(budget) {
                return Err(Error::new(
                    Status::InvalidArg,
                    "the fleet's tail must be finite, its rates above 0",
                ));
            }
        }
        self.core.set_fleet_tail(fleet.map(|fleet| own_tail::FleetTail {
            tail: own_tail::ScoreTail {
                start: fleet.tail_start,
                scale: fleet.tail_scale,
                floor: fleet.tail_floor,
                effective_rows: fleet.effective_rows,
            },
            windows_per_day: fleet.windows_per_day,
            budget: fleet.budget,
        }));
        Ok(())
    }

    /// Chooses whose suspicion makes a window suspect: `isolation_forest`, `adaptive_baseline`, `autoencoder`
    /// (the collector's: here both others) or `ensemble` (default: either). All go on scoring.
    #[napi(catch_unwind)]
    pub fn set_active(&mut self, detector: String) -> Result<()> {
        self.core.set_active(engine::opinion::Active::from_name(&detector)?);
        Ok(())
    }

    /// Sets the alert budget of the adaptive baseline: false alert episodes per device and day; default 0.2.
    #[napi(catch_unwind)]
    pub fn set_budget(&mut self, budget: f64) -> Result<()> {
        Ok(self.core.set_budget(budget)?)
    }

    /// What the adaptive baselines of all devices know, to be kept for `loadBaselines` after a restart.
    #[napi(catch_unwind)]
    pub fn save_baselines(&self) -> Buffer {
        self.core.save_baselines().into()
    }

    /// Gives back what `saveBaselines` gave; the number of devices known by it. Records that are read again
    /// with `emit` false are not learnt twice. Throws on damage or other channels, and nothing changes then.
    #[napi(catch_unwind)]
    pub fn load_baselines(&mut self, bytes: &[u8]) -> Result<u32> {
        Ok(self.core.load_baselines(bytes)? as u32)
    }

    /// What is rare for each device by the forest in use, to be kept for `loadOwnTails` after a restart; null
    /// without a forest.
    #[napi(catch_unwind, ts_return_type = "Buffer | null")]
    pub fn save_own_tails(&self) -> Option<Buffer> {
        self.core.save_own_tails().map(Buffer::from)
    }

    /// Gives back what `saveOwnTails` gave, once the forest is set; the number of devices whose scores are
    /// known by it. Throws on damage or another forest, and nothing changes then.
    #[napi(catch_unwind)]
    pub fn load_own_tails(&mut self, bytes: &[u8]) -> Result<u32> {
        Ok(self.core.load_own_tails(bytes)? as u32)
    }

    /// The smallest change of one feature that would have made a suspect window normal to the forest in use:
    /// for the window that opens an episode. Null when no single change does it. At most forty scores.
    /// `threshold` is the window's, the scope's when absent.
    #[napi(
        catch_unwind,
        ts_args_type = "scope: string, features: ReadonlyArray<number | null>, threshold?: number | null"
    )]
    pub fn smallest_change(
        &mut self,
        scope: String,
        features: Vec<Option<f64>>,
        threshold: Option<f64>,
    ) -> Result<Option<NormalIf>> {
        let row: Vec<f64> = features.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        let change = self.core.smallest_change(scope_of(&scope)?, &row, threshold);
        let told = |Change { feature, unit, value, below, seconds }| NormalIf {
            feature,
            unit,
            value,
            below,
            seconds,
        };
        Ok(change.map(told))
    }

    /// Switches scoring on or off; at first it is off.
    #[napi(catch_unwind)]
    pub fn set_detecting(&mut self, detecting: bool) {
        self.core.set_detecting(detecting);
    }

    /// What was counted since the engine was made.
    #[napi(catch_unwind)]
    pub fn counters(&self) -> EngineCounters {
        let counters = self.core.counters();
        let named = |(reason, count): (&str, u64)| (reason.to_owned(), count as f64);
        EngineCounters {
            lines: counters.lines as f64,
            records: counters.records as f64,
            refused: counters.refused().map(named).collect(),
            refused_values: counters.refused_cells().map(named).collect(),
            too_long: counters.too_long as f64,
            late: counters.late as f64,
            late_kinds: counters.late_kinds().map(|(kind, n)| (kind.name().to_owned(), n as f64)).collect(),
            time_of_line_before: counters.time_of_line_before as f64,
            ahead: counters.ahead as f64,
            clock_resets: counters.clock_resets as f64,
            window_overflow: counters.window_overflow as f64,
            skipped: counters.skipped as f64,
            expanded: counters.expanded as f64,
            unsynchronised: counters.unsynchronised as f64,
            evicted_devices: counters.evicted_devices as f64,
            devices: self.core.devices() as u32,
        }
    }
}

fn raw_options(options: EngineOptions) -> Options {
    let defaults = Options::default();
    let channels = options.channels.unwrap_or_default().into_iter();
    Options {
        window_seconds: options.window_seconds.unwrap_or(defaults.window_seconds),
        lateness_seconds: options.lateness_seconds.unwrap_or(defaults.lateness_seconds),
        hop_seconds: options.hop_seconds.unwrap_or(defaults.hop_seconds),
        channels: channels.map(|channel| (channel.name, channel.unit, channel.kind)).collect(),
        publish_records: options.publish_records.unwrap_or(defaults.publish_records),
        max_devices: options.max_devices.unwrap_or(defaults.max_devices),
        max_reasons: options.max_reasons.unwrap_or(defaults.max_reasons),
        baseline: options.baseline.unwrap_or(defaults.baseline),
    }
}

fn scope_of(name: &str) -> Result<Scope> {
    let error = || Error::new(Status::InvalidArg, format!("scope \"{name}\" is neither device nor gateway"));
    Scope::from_name(name).ok_or_else(error)
}
