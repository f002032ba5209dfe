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
        "keepalived_vrrp",
        "keepalived_healthcheckers",
        "ucarp",
        "openbgpd",
        "rpd",
        "lldpd",
        "teamd",
        "vrrpd",
        "bgp",
        "ospf",
        "isis",
        "rip",
        "ldp",
        "bfd",
        "route",
        "routing",
    ],
    worse: "neighbour-down",
    rules: &RULES,
};

static RULES: [Rule; 6] = [
    error(
        "neighbour-down",
        concat!(
            r"(?i)%?(?:ADJCHANGE|NBR_?CHANGE)\S* .*\bdown\b|",
            r"\b(?:neighbou?r|nbr|peer|adjacency|adj)\b.*(?:\bdown\b|\blost\b|from Full)|\blost \S+ adjacency|",
            r"session (?:down|closed)|lost connection|State changed to down"
        ),
        &[
            "%ADJCHANGE: neighbor 192.0.2.1(Unknown) in vrf default Down BGP Notification send",
            "Neighbor 192.0.2.9 lost: Dead timer expired",
            "AdjChg: Nbr 10.0.0.2 on eth1: Full -> Down (InactivityTimer)",
            "uplink: BGP session closed",
            "nbr state changed, rid 192.0.2.14, nbr addr 192.0.2.70, nbr rid 192.0.2.17, state down",
            "IS-IS lost L2 adjacency to fw-3 on ge-0/0/1.0, reason: Aged Out",
            "Peer 192.0.2.1 DOWN (Hold Timer Expired)",
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
