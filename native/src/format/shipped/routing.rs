//! Routing daemons and failover: FRR and Quagga, BIRD, OpenBGPD, keepalived, CARP.
use super::{Family, Rule, error, event};

pub static ROUTING: Family = Family {
    programs: &[
        "bgpd",
        "ospfd",
        "ospf6d",
        "isisd",
        "bfdd",
        "zebra",
        "staticd",
        "ldpd",
        "pimd",
        "ripd",
        "bird",
        "bird6",
        "keepalived",
        "Keepalived",
        "Keepalived_vrrp",
        "Keepalived_healthcheckers",
        "ucarp",
        "openbgpd",
        "rpd",
        "lldpd",
        "teamd",
        "vrrpd",
    ],
    rules: &RULES,
};

static RULES: [Rule; 6] = [
    error(
        "neighbour-down",
        concat!(
            r"(?i)%?(?:ADJCHANGE|NBR_?CHANGE)\S* .*\bdown\b|neighbou?r .*(?:\bdown\b|\blost\b|",
            r"from Full)|-> (?:Idle|Down|Init|Active)\b|changed state from \S+ to (?:down|init|",
            r"idle)|session (?:down|closed)|lost connection"
        ),
        &[
            "%ADJCHANGE: neighbor 192.0.2.1(Unknown) in vrf default Down BGP Notification send",
            "Neighbor 192.0.2.9 lost: Dead timer expired",
            "AdjChg: Nbr 10.0.0.2 on eth1: Full -> Down (InactivityTimer)",
            "uplink: BGP session closed",
        ],
    )
    .reset(),
    error(
        "hold-timer",
        concat!(
            r"(?i)hold ?timer expired|hold time expired|dead timer expired|inactivity ?timer|",
            r"BFD .*(?:timeout|expired|down)|Control Detection Time Expired"
        ),
        &["192.0.2.1 [Error] Hold Timer Expired", "bgp1: Error: Hold timer expired"],
    )
    .reset()
    .retry(),
    error(
        "failover",
        concat!(
            r"(?i)Entering (?:FAULT|BACKUP) STATE|transition to (?:FAULT|BACKUP)|Now in FAULT|",
            r"MASTER -> BACKUP|-> FAULT"
        ),
        &["(VI_1) Entering FAULT STATE", "(VI_1) Entering BACKUP STATE"],
    )
    .reset(),
    event(
        "failover-master",
        r"(?i)Entering MASTER STATE|transition to MASTER|-> MASTER",
        &["(VI_1) Entering MASTER STATE"],
    ),
    event(
        "neighbour-up",
        r"(?i)\bUp\b|established|-> Full|Connected",
        &["%ADJCHANGE: neighbor 192.0.2.1(Unknown) in vrf default Up", "uplink: BGP session established"],
    ),
    error(
        "routing-error",
        r"(?i)notification|\berror\b|\bfail|unreachable|timed? ?out|invalid|removing service|refused",
        &[
            "sent to neighbor 192.0.2.1 6/2 (Cease/Administrative Shutdown) notification",
            "TCP connection to [192.0.2.3]:tcp:80 failed.",
        ],
    ),
];
