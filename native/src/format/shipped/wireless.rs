//! Wi-Fi stations and access points, and cellular modems.
use super::{Family, Rule, error, event};

pub static WIFI: Family = Family {
    programs: &["hostapd", "wpa_supplicant", "iwd", "wlanmgr", "mcad", "stahtd", "wireless", "wifi", "caps"],
    worse: "wifi-disconnected",
    rules: &WIFI_RULES,
};

static WIFI_RULES: [Rule; 9] = [
    error(
        "wifi-auth-failed",
        concat!(
            r"EAPOL-Key timeout|AP-STA-POSSIBLE-PSK-MISMATCH|PREV-AUTH|did not acknowledge|",
            r"WPA: .*(?:failed|invalid MIC)|SSID-TEMP-DISABLED|ASSOC-REJECT|AUTH-REJECT|",
            r"authentication (?:attempt )?failed|4-Way Handshake failed"
        ),
        &[
            "wlan0: STA 02:00:00:00:00:01 WPA: EAPOL-Key timeout",
            "wlan0: AP-STA-POSSIBLE-PSK-MISMATCH 02:00:00:00:00:01",
            concat!(
                "wlan0: CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid=\"net\" auth_failures=2 duration=20 ",
                "reason=WRONG_KEY"
            ),
            "wlan1: STA 02:00:00:00:00:01 IEEE 802.11: did not acknowledge authentication response",
        ],
    )
    .retry(),
    error("wifi-beacon-loss", r"CTRL-EVENT-BEACON-LOSS", &["wlan0: CTRL-EVENT-BEACON-LOSS"]),
    // The host's own uplink went, not a station of its network.
    error(
        "wifi-disconnected",
        r"CTRL-EVENT-DISCONNECTED",
        &["wlan0: CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:00:01 reason=4"],
    )
    .reset(),
    event(
        "wifi-station-left",
        r"(?:disassociated|deauthenticated)|AP-STA-DISCONNECTED|DELSTA|@\S+: disconnected",
        &[
            "wlan0: STA 02:00:00:00:00:01 IEEE 802.11: disassociated",
            concat!(
                "wlan0: STA 02:00:00:00:00:01 IEEE 802.11: deauthenticated due to inactivity (timer ",
                "DEAUTH/REMOVE)"
            ),
            "wlan0: AP-STA-DISCONNECTED 02:00:00:00:00:01",
        ],
    )
    .reset(),
    event(
        "wifi-station",
        concat!(
            r"IEEE 802.1[1X]: (?:authenticated|associated)|AP-STA-CONNECTED|CTRL-EVENT-CONNECTED|",
            r"pairwise key handshake completed|group key handshake completed|STA-OPMODE|",
            r"CTRL-EVENT-EAP"
        ),
        &[
            "wlan0: STA 02:00:00:00:00:01 IEEE 802.11: associated (aid 1)",
            "wlan0: AP-STA-CONNECTED 02:00:00:00:00:01",
        ],
    ),
    error(
        "wifi-radar",
        r"DFS-RADAR-DETECTED|DFS-NEW-CHANNEL",
        &["wlan1: DFS-RADAR-DETECTED freq=5500 ht_enabled=1"],
    )
    .reset(),
    error(
        "radius-timeout",
        r"No response from Authentication server|RADIUS .*(?:timeout|retransmit|unreachable)",
        &["wlan0: RADIUS No response from Authentication server 192.0.2.9:1812 - failover"],
    )
    .retry(),
    error(
        "ap-disabled",
        r"AP-DISABLED|INTERFACE-DISABLED|interface state \S+->DISABLED",
        &["wlan0: AP-DISABLED", "wlan0: interface state ENABLED->DISABLED"],
    )
    .reset(),
    error(
        "wifi-failed",
        r"(?i)\bfail|\berror\b|could not|unable to",
        &["nl80211: Could not configure driver mode"],
    ),
];

pub static CELLULAR: Family = Family {
    programs: &[
        "modemmanager",
        "uqmi",
        "qmi",
        "quectel-cm",
        "comgt",
        "umbim",
        "ofonod",
        "qmi-network",
        "lte",
        "mbim",
    ],
    worse: "modem-disconnected",
    rules: &CELLULAR_RULES,
};

static CELLULAR_RULES: [Rule; 5] = [
    error(
        "modem-disconnected",
        concat!(
            r"(?i)state changed \(connected -> |\bdisconnected|",
            r"modem (?:removed|disappeared|lost)|call end|link lost|session (?:closed|lost)"
        ),
        &[
            "<info>  [modem0] state changed (connected -> registered)",
            "Modem disconnected",
            "requestDeactivateDefaultPDP call end",
        ],
    )
    .reset(),
    event(
        "modem-state",
        r"state changed \(|simple connect|registration state changed|signal quality updated|3GPP",
        &[
            "<info>  [modem0] state changed (registering -> registered)",
            "<info>  [modem0] 3GPP registration state changed (searching -> home)",
        ],
    ),
    error(
        "sim-error",
        r"(?i)sim (?:not|missing|failure|busy|pin|error)|PIN (?:required|verification failed)",
        &["SIM not inserted", "PIN verification failed"],
    ),
    error(
        "modem-timeout",
        r"(?i)timed? ?out|no response|retry|not ready",
        &["<warn> [modem0/bearer1] connection attempt timed out", "Failed: no response to AT"],
    )
    .retry(),
    error(
        "modem-failed",
        r"(?i)\bfail|\berror\b|couldn't|cannot|denied|rejected",
        &["<warn>  [modem0] couldn't load operator code: unknown", "Failed to connect: Call Failed"],
    ),
];
