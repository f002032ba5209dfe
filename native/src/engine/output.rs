//! What the engine puts out: judged windows and the records that may be shown.
use super::opinion::Opinion;
use crate::forest::explain::Reason;
use crate::parse::Record;

/// Device name that stands for all devices of the gateway.
pub const GATEWAY_DEVICE: &str = "*";

/// One device's window, or the one over all devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Device,
    Gateway,
}

impl Scope {
    /// The scope's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Gateway => "gateway",
        }
    }

    /// Reads a scope's name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Device, Self::Gateway].into_iter().find(|scope| scope.name() == name)
    }
}

/// Why a window has a score or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The scope has been heard of for less than a window's length.
    WarmingUp,
    /// There is no forest.
    Untrained,
    /// Detection is switched off.
    Stopped,
    /// It has a score.
    Scored,
}

impl State {
    /// The state's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::WarmingUp => "warming_up",
            Self::Untrained => "untrained",
            Self::Stopped => "stopped",
            Self::Scored => "scored",
        }
    }
}

/// A window as judged.
#[derive(Debug, Clone)]
pub struct Judged {
    pub end_ms: i64,
    pub records: usize,
    pub state: State,
    pub score: Option<f64>,
    pub threshold: Option<f64>,
    /// By the detectors that are heard.
    pub suspect: bool,
    /// By the forest, whoever is heard.
    pub forest_suspect: bool,
    /// It holds a record of a reboot.
    pub rebooted: bool,
    /// The baseline's on the record that ended the window.
    pub baseline: Option<Opinion>,
    /// In the list's order; NaN is unknown.
    pub features: Vec<f64>,
    pub reasons: Vec<Reason>,
}

/// What a window's last record lends it.
#[derive(Debug, Clone)]
pub struct Labels {
    pub is_anomaly: Option<bool>,
    pub anomaly_type: Option<String>,
    /// Index of that record in [`Push::records`], when it was put out.
    pub record: Option<usize>,
    pub line_end: usize,
}

impl Labels {
    /// A judged window with these labels.
    pub fn window(&self, judged: Judged, scope: Scope, device: &str) -> WindowOutput {
        WindowOutput { scope, device: device.to_owned(), judged, labels: self.clone() }
    }
}

/// A window that is put out.
#[derive(Debug, Clone)]
pub struct WindowOutput {
    pub scope: Scope,
    pub device: String,
    pub judged: Judged,
    pub labels: Labels,
}

/// A record that is put out.
#[derive(Debug, Clone)]
pub struct RecordOutput {
    pub time_ms: i64,
    pub record: Record,
    /// Its device's window was suspect.
    pub suspect: bool,
    pub line_end: usize,
}

/// What one chunk gave.
#[derive(Debug, Clone, Default)]
pub struct Push {
    /// Bytes that are done with; the rest is an incomplete line to hand in again.
    pub consumed_bytes: usize,
    pub windows: Vec<WindowOutput>,
    pub records: Vec<RecordOutput>,
    /// Newest event time accepted in this chunk.
    pub newest_ms: Option<i64>,
}
