//! Events of cable modems, whose texts the DOCSIS specifications fix (CM-SP-CM-OSSI, annex of events).
use super::{Family, Rule, error, event};

pub static DOCSIS: Family = Family {
    programs: &["docsis", "cablemodem", "cm", "erouter", "docsis-cm"],
    worse: "link-down",
    rules: &RULES,
};

static RULES: [Rule; 18] = [
    error(
        "provisioning-failed",
        r"(?i)\bnot (?:been |yet )?(?:successful|completed?)\b|\bunsuccessful",
        &["DHCP not successful", "Registration not completed"],
    )
    .retry(),
    // Notices about what the modem leaves out of its configuration, and about what went well.
    event(
        "notice",
        concat!(
            r"(?i)TLV-?\s?11|non-critical|DHCP \w* ?WARNING - .*field invalid|\bsuccess(?:ful(?:ly)?)?\b|\bsucceeded\b|",
            r"\bcompleted?\b|profile assignment change|registration complete"
        ),
        &[
            "TLV-11 - unrecognized OID;CM-MAC=02:00",
            "TLV-11 - Illegal Set operation failed;CM-MAC=02:00",
            "DHCP WARNING - Non-critical field invalid in response ;CM-MAC=02:00",
            "DHCP RENEW WARNING - Field invalid in response v4 option;CM-MAC=02:00",
            "US profile assignment change. US Chan ID: 41; Previous Profile: 12; New Profile: 11.",
            "Successful LAN WebGUI login from 192.168.0.10 on 20/11/22 at 12:00 PM.",
            "REGISTRATION COMPLETE - Waiting for Operational status",
            "SW download Successful - Via Config file",
        ],
    ),
    error(
        "T3-consecutive",
        r"(?i)(?P<retries>\d+) consecutive T3 time-?outs",
        &["16 consecutive T3 timeouts while trying to range on upstream channel 3;CM-MAC=02:00:00:00:00:01"],
    ),
    error(
        "T4-timeout",
        r"(?i)\bT4\b",
        &[concat!(
            "Received Response to Broadcast Maintenance Request, But no Unicast Maintenance ",
            "opportunities received - T4 time out;CM-MAC=02:00"
        )],
    )
    .retry(),
    error(
        "T3-timeout",
        r"(?i)\bT3\b",
        &[
            "No Ranging Response received - T3 time-out;CM-MAC=02:00:00:00:00:01;CM-QOS=1.1;CM-VER=3.1;",
            "Started Unicast Maintenance Ranging - No Response received - T3 time-out",
        ],
    )
    .retry(),
    error(
        "T1-T2-timeout",
        r"(?i)\bT[12]\b.*time-?\s?out",
        &[
            "No UCD's Received - T1 Timeout",
            "Timeout T2: no Broadcast Maintenance opportunities, T2 time-out",
        ],
    )
    .retry(),
    error(
        "T6-timeout",
        r"(?i)T6 time-?out|REG-RSP not received|REG-REQ.*(?:no response|retries)",
        &["Registration: T6 Timeout and retries exceeded"],
    )
    .retry(),
    error(
        "modem-reset",
        concat!(
            r"(?i)re-?initiali[sz]ing MAC|cable ?modem re(?:boot|set)|reboot(?:ed|ing)? due|",
            r"reset due|power (?:on|cycle) reset|Resetting the cable modem|cold start|warm start"
        ),
        &[
            "Unicast Ranging Received Abort Response - Re-initializing MAC;CM-MAC=02:00",
            "Cable Modem Reboot because of - RF-Loss",
            "Cable Modem Reboot due to power button reset",
        ],
    )
    .reboot(),
    error(
        "sync-lost",
        concat!(
            r"(?i)SYNC (?:timing )?synchroni[sz]ation failure|Failed to acquire (?:QAM|FEC|SYNC)|",
            r"loss of sync|Lost MDD|MDD (?:message )?timeout|FEC lock|QAM lock|lost SYNC"
        ),
        &[
            "SYNC Timing Synchronization failure - Loss of Sync;CM-MAC=02:00",
            "SYNC Timing Synchronization failure - Failed to acquire QAM/QPSK symbol timing;",
            "MDD message timeout;CM-MAC=02:00",
            "Lost MDD Timeout;CM-MAC=02:00",
        ],
    )
    .reset(),
    error(
        "registration-failed",
        concat!(
            r"(?i)registration (?:failed|rejected|failure)|REG-RSP|not authorized|",
            r"service (?:unavailable|not available)|Auth(?:orization)? Reject|BPI\+?.*(?:fail|",
            r"reject)"
        ),
        &["Registration rejected authentication failure: CMTS MIC invalid", "Service unavailable - Other"],
    ),
    error(
        "provisioning-failed",
        concat!(
            r"(?i)DHCP (?:FAILED|RENEW sent - No response|REBIND sent - No response|error|",
            r"warning)|ToD request sent ?-? ?no response|TFTP (?:failed|request retries)|",
            r"Config file|no response received"
        ),
        &[
            "DHCP RENEW sent - No response for IPv4",
            "ToD request sent - No Response received",
            "TFTP failed - Request sent - No Response",
        ],
    )
    .retry(),
    error(
        "ranging-failed",
        concat!(
            r"(?i)ranging (?:request retries exhausted|failed|abort)|",
            r"unicast maintenance ranging attempted|no Ranging Response|Init(?:ial)? ranging"
        ),
        &[
            "Ranging Request Retries exhausted;CM-MAC=02:00",
            "Unicast Maintenance Ranging attempted - No response - Retries exhausted",
        ],
    )
    .retry(),
    error(
        "power-window",
        concat!(
            r"(?i)dynamic range window violation|power (?:level )?(?:out of range|exceed|below|",
            r"above)|RNG-RSP CCAP Commanded Power (?:in Excess|exceeds)"
        ),
        &[
            "Dynamic Range Window violation;CM-MAC=02:00",
            concat!(
                "RNG-RSP CCAP Commanded Power in Excess of 6 dB Below the Value Corresponding to the ",
                "Top of the DRW"
            ),
        ],
    ),
    error(
        "partial-service",
        concat!(
            r"(?i)partial service|channel (?:lost|failure)|CM-STATUS .*(?:fail|lost|",
            r"Event Type Code: (?:1|2|3|6|7|16|20|21|25|26)\b)"
        ),
        &[
            "TCS Partial Service;CM-MAC=02:00",
            "CM-STATUS message sent. Event Type Code: 16; Chan ID: 33; DSID: N/A; MAC Addr: N/A",
        ],
    ),
    event(
        "status-message",
        r"(?i)CM-STATUS",
        &["CM-STATUS message sent. Event Type Code: 24; Chan ID: 159; DSID: N/A; OFDM/OFDMA Profile ID: 3."],
    ),
    error(
        "config-refused",
        r"(?i)unrecognized OID|illegal set|improper configuration",
        &["Improper Configuration File CVC Format"],
    ),
    event("login", r"(?i)login attempt|WebGUI login", &["LAN login attempt from 192.168.0.10"]),
    event(
        "firmware",
        concat!(
            r"(?i)SW (?:download|upgrade)|software (?:download|upgrade)|bonded|ToD established|",
            r"Honoring MDD|DHCP (?:success|bound)"
        ),
        &["SW Download INIT - Via NMS", "Honoring MDD; IP provisioning mode = IPv6"],
    ),
];
