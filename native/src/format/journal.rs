//! `journal`: journald's JSON export, `journalctl -o json` with or without `-f`. Its MESSAGE is read by `message`,
//! the shipped events unless given.
use serde_json::json;

use super::keys::Keys;
use super::time::Clock;
use super::{Format, json};
use crate::channel::ChannelList;
use crate::error::Result;

/// From a definition.
pub fn make(keys: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    let definition = json!({
        "message": keys.value("message").cloned().unwrap_or_else(|| "events".into()),
        "fields": {
            "timestamp": { "from": "__REALTIME_TIMESTAMP", "form": "epoch_us" },
            "device_id": "_HOSTNAME",
            "program": "SYSLOG_IDENTIFIER",
            "severity": "PRIORITY",
            "message": "MESSAGE",
        },
    });
    json::make(&Keys::new("format", &definition)?, channels, clock)
}
