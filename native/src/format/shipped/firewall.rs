//! Packet filters that log by a program of their own, and programs that ban or detect.
use super::{Family, Rule, error, event};

pub static FIREWALL: Family = Family {
    programs: &[
        "filterlog",
        "pf",
        "pflog",
        "ulogd",
        "firewalld",
        "ufw",
        "suricata",
        "snort",
        "fail2ban",
        "fail2ban-server",
        "sshguard",
        "banip",
        "crowdsec",
        "miniupnpd",
        "rt_flow",
        "rt_ids",
    ],
    worse: "",
    rules: &RULES,
};

static RULES: [Rule; 5] = [
    event(
        "packet-filter",
        concat!(
            r"^\d*,\d*,[^,]*,[^,]*,[^,]*,\w+,(?:block|pass|reject|rdr|nat|binat|scrub|",
            r"match),(?:in|out|\w*),[46]"
        ),
        &[
            concat!(
                "53,,,1000000301,em0,match,block,in,4,0x0,,64,420,0,none,6,tcp,460,10.0.2.2,",
                "10.0.2.15,53742,22,420,PA,29:29,36,65535,,"
            ),
            concat!(
                "98,,,881dd59a3e942966c90498ac104715a0,re0,match,pass,in,6,0x00,0x0ea87,51,udp,17,73,",
                "2001:db8::1,2001:db8::2,6881,51918,73"
            ),
        ],
    ),
    event(
        "netfilter",
        r"\bIN=\S* OUT=\S* |\bRT_FLOW_|\bsession (?:created|closed|denied)",
        &["[UFW BLOCK] IN=eth0 OUT= MAC=02:00 SRC=192.0.2.1 DST=192.0.2.2 LEN=40"],
    ),
    event(
        "ban",
        r"(?i)\b(?:un)?ban\b|block(?:ing|ed)|unblock",
        &["NOTICE  [sshd] Ban 192.0.2.7", "Blocking \"192.0.2.7/32\" for 120 secs (3 attacks in 10 secs)"],
    ),
    error(
        "intrusion",
        r"\[Classification: |\[Priority: \d\]|\[\*\*\]",
        &[concat!(
            "[1:2010935:3] ET SCAN Suspicious inbound [Classification: Potentially Bad Traffic] ",
            "[Priority: 2] {TCP} 192.0.2.1:6000"
        )],
    ),
    error(
        "firewall-failed",
        r"(?i)\berror\b|\bfail|cannot|unable",
        &["ERROR: COMMAND_FAILED: iptables-restore failed"],
    ),
];
