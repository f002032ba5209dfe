//! Judging one window: its features, the state it is in, its score and the reasons for it.
use super::output::{Judged, State};
use crate::feature::FeatureList;
use crate::forest::Forest;
use crate::window::Window;

/// What belongs to one scope: its forest and threshold.
#[derive(Debug, Default)]
pub struct Detector {
    pub forest: Option<Forest>,
    pub threshold: Option<f64>,
}

/// What is the same for both scopes.
pub struct Context<'a> {
    pub features: &'a FeatureList,
    pub detecting: bool,
    pub window_ms: i64,
    pub max_reasons: usize,
}

impl Context<'_> {
    /// Judges a window; `None` when it is quiet and not due, so that nothing need be put out.
    pub fn judge(
        &self,
        window: &Window,
        first_ms: Option<i64>,
        detector: &Detector,
        due: bool,
        measured: &mut Vec<f64>,
    ) -> Option<Judged> {
        let warm = first_ms.is_some_and(|first_ms| window.newest_ms() - first_ms >= self.window_ms);
        let (state, forest) = match &detector.forest {
            _ if !warm => (State::WarmingUp, None),
            None => (State::Untrained, None),
            Some(_) if !self.detecting => (State::Stopped, None),
            Some(forest) => (State::Scored, Some(forest)),
        };
        if !due && forest.is_none() {
            return None;
        }
        self.features.measure(window, measured);
        let score = forest.map(|forest| forest.score(measured));
        let suspect = matches!((score, detector.threshold), (Some(score), Some(limit)) if score > limit);
        (due || suspect).then(|| Judged {
            end_ms: window.newest_ms(),
            records: window.len(),
            state,
            score,
            threshold: detector.threshold,
            suspect,
            features: measured.clone(),
            reasons: forest
                .filter(|_| suspect)
                .map(|forest| forest.explain(measured, self.max_reasons))
                .unwrap_or_default(),
        })
    }
}
