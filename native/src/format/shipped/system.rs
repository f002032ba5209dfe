//! The system's own daemons, and what any program's message may say.
use super::{Family, Rule, error, event, german, joined};

pub static SYSTEM: Family = Family {
    programs: &[
        "systemd",
        "init",
        "procd",
        "cron",
        "crond",
        "crontab",
        "watchdog",
        "monit",
        "rsyslogd",
        "syslogd",
        "syslog-ng",
        "logrotate",
        "dbus-daemon",
        "udevd",
        "systemd-udevd",
        "upgraded",
        "opkg",
        "snmpd",
        "rngd",
        "anacron",
        "systemd-journald",
    ],
    worse: "",
    rules: &SYSTEM_RULES,
};

/// The host began anew, also in the words of its own daemons, which else are about a service.
const REBOOTED: Rule = event(
    "rebooted",
    concat!(
        r"(?i)\b(?:rebooting|(?:system|router) (?:was )?(?:restarted|rebooted|startup)|restarting system|",
        r"cold start|warm start|syslogd? started)\b"
    ),
    &["System restarted", "Cold start", "syslogd started: BusyBox v1.36.1"],
)
.reboot();

static SYSTEM_RULES: [Rule; 7] = [
    REBOOTED,
    error(
        "service-failed",
        concat!(
            r"(?i)failed with result|main process exited|failed to start|entered failed state|",
            r"crash loop|start request repeated|dumped core|code=(?:killed|dumped)|",
            r"status=[1-9]\d*/|not running|does not exist"
        ),
        &[
            "openvpn.service: Failed with result 'exit-code'.",
            "openvpn.service: Main process exited, code=exited, status=1/FAILURE",
            "Instance dnsmasq::cfg01411c s in a crash loop 6 crashes, 0 seconds since last crash",
            "'sshd' process is not running",
        ],
    )
    .reset(),
    error(
        "service-timeout",
        r"(?i)timed out|timeout|watchdog (?:did not|timeout)",
        &["app.service: Watchdog timeout (limit 30s)!", "Timed out waiting for device dev-sda1.device."],
    )
    .retry(),
    event(
        "service-restart",
        r"(?i)scheduled restart|restart(?:ing|ed)|respawn",
        &["app.service: Scheduled restart job, restart counter is at 3."],
    )
    .reset(),
    event(
        "service",
        concat!(
            r"(?i)\b(?:started|stopped|starting|stopping|reached target|reloaded|listening on|",
            r"succeeded|deactivated|mounted|created slice|finished|cmd)\b|\(\w+\) (?:CMD|RELOAD)|",
            r"origin software|kernel logging"
        ),
        &[
            "Started OpenVPN service.",
            "(root) CMD (run-parts /etc/cron.hourly)",
            "[origin software=\"rsyslogd\" swVersion=\"8.2302.0\"] rsyslogd was HUPed",
        ],
    ),
    error(
        "system-error",
        r"(?i)\berror\b|\bfail|cannot|could not|denied|no space left|corrupt",
        &["error: unable to open /var/log/x for writing: No space left on device"],
    ),
    event(
        "message-lost",
        r"(?i)messages? (?:lost|dropped|suppressed)|rate-limit|missed",
        &["imuxsock lost 42 messages from pid 7 due to rate-limiting"],
    ),
];

/// For every program: words that mean the same wherever they stand, the surest first.
pub static ANY: Family = Family { programs: &[], worse: "state-down", rules: &ANY_RULES };

static ANY_RULES: [Rule; 30] = joined(german::RULES, WORDS);

const WORDS: [Rule; 17] = [
    event(
        "netfilter",
        r"\bIN=\S* OUT=\S* .*\bSRC=\S+ DST=\S+|\bRT_FLOW_SESSION_|APPTRACK_SESSION_",
        &[
            "[WAN_LOCAL-default-D]IN=eth2 OUT= MAC=02:00 SRC=192.0.2.1 DST=192.0.2.2 LEN=40 PROTO=TCP",
            "RT_FLOW_SESSION_CLOSE [junos@2636.1.1.1.2.129 reason=\"idle Timeout\" source-address=\"192.0.2.1\"]",
        ],
    ),
    // What somebody typed may hold any word.
    event(
        "command",
        r"\bUI_(?:CMDLINE|NETCONF|COMMIT|LOAD|CFG_AUDIT)_?\w*|\bCFGLOG_LOGGEDCMD\b",
        &["UI_CMDLINE_READ_LINE: User 'x', command 'show interfaces ge-0/0/1 | match down '"],
    ),
    error(
        "modem-disconnected",
        r"(?i)\bmodem\S*:? .*\bstate changed \(connected -> ",
        &[
            "<info>  [1.2] Modem /org/freedesktop/ModemManager1/Modem/1: state changed (connected -> disconnecting)",
            "<info>  [modem0] modem0: state changed (connected -> registered)",
        ],
    )
    .reset(),
    error(
        "auth-failure",
        concat!(
            r"(?i)authentication fail|auth(?:entication)? error|login fail|failed (?:login|",
            r"password)|invalid (?:user|password|credentials)|wrong password|login failure|",
            r"bad password"
        ),
        &[
            "system,error,critical login failure for user admin from 192.0.2.7 via ssh",
            "web: invalid credentials for admin",
        ],
    ),
    error(
        "T3-T4-timeout",
        r"(?i)\bT[34] time-?\s?out",
        &["<82000200> No Ranging Response received - T3 time-out;CM-MAC=02:00"],
    )
    .retry(),
    event(
        "traffic",
        r"Sent (?P<bytes>\d+) bytes, received (?P<more_bytes>\d+) bytes",
        &["wan: Sent 1234567 bytes, received 7654321 bytes."],
    ),
    event(
        "ping-reply",
        r"icmp_seq=\d+.*time[=<](?P<latency_ms>[\d.]+) ?ms",
        &["64 bytes from 192.0.2.1: icmp_seq=1 ttl=57 time=12.3 ms"],
    ),
    event(
        "measured",
        concat!(
            r"(?i)\b(?:rtt|latency|ping|delay)\b[ =:]+(?P<latency_ms>\d+(?:\.\d+)?) ?ms\b",
            r"(?:.*?\b(?P<packet_loss_pct>\d+(?:\.\d+)?) ?% ?(?:packet )?loss)?"
        ),
        &["probe wan rtt=12.5 ms, 10% packet loss", "latency: 31ms"],
    ),
    event(
        "loss",
        r"(?i)(?P<packet_loss_pct>\d+(?:\.\d+)?) ?% (?:packet )?loss",
        &["target 192.0.2.1: 40% packet loss"],
    ),
    error(
        "link-down",
        concat!(
            r"(?i)\b(?:link|carrier|interface|port|line|wan\d?|dsl|ppp\S*|tunnel|neighbou?r|peer|",
            r"uplink|internet)\b.*\b(?:down|lost|loss|disconnected|disappeared|not ready|offline|",
            r"unreachable)\b|\blink down\b|LOS\b detected|loss of (?:signal|frame|sync)"
        ),
        &[
            "ether1 link down",
            "DSL line is down",
            "WAN: carrier lost",
            "Internet connection on wan is offline",
            "Loss of signal on port 3",
        ],
    )
    .reset(),
    error(
        "session-down",
        concat!(
            r"(?i)\b(?:connection|session|lease|call)\b.*\b(?:down|lost|reset|terminated|dropped|",
            r"aborted|expired|hung up)\b|\blost (?:connection|carrier|lease)\b|LCP terminated|",
            r"Modem hangup|Connection reset"
        ),
        &["session 42 terminated by remote", "lease expired for wan", "Lost connection to peer"],
    )
    .reset(),
    error(
        "timeout",
        r"(?i)time[d-]? ?-?out|no (?:response|answer|reply)\b|not respond|retransmi|giving up",
        &["Request timed out", "no response from 192.0.2.1", "retransmission limit reached"],
    )
    .retry(),
    event(
        "retry",
        r"(?i)\bretry(?:ing)?\b|\bretries\b|trying again|try again|reconnect",
        &["will retry in 5 seconds", "reconnecting to server"],
    )
    .retry(),
    error(
        "unreachable",
        r"(?i)unreachable|no route to host|connection refused",
        &["connect: Network is unreachable"],
    )
    .retry(),
    REBOOTED,
    error(
        "error",
        concat!(
            r"(?i)\b(?:error|errors|failed|failure|fatal|panic|critical|crashed|exception|cannot|",
            r"can't|unable to|denied|corrupt\w*|overflow|segfault|aborted|killed|overrun|",
            r"no space left|too many)\b"
        ),
        &["cannot open /dev/ttyUSB0", "config: failed to parse line 3", "Permission denied"],
    ),
    event(
        "link-up",
        concat!(
            r"(?i)\b(?:link|carrier|interface|port|line|tunnel|session|connection)\b.*\b(?:up|",
            r"online|established|ready|restored|acquired)\b"
        ),
        &["ether1 link up (speed 1G, full duplex)", "session 42 established"],
    ),
];
