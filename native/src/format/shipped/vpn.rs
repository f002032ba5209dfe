//! Tunnels: strongSwan and other IKE daemons, OpenVPN, tinc, ZeroTier.
use super::{Family, Rule, error, event};

pub static VPN: Family = Family {
    programs: &[
        "charon",
        "charon-systemd",
        "ipsec",
        "pluto",
        "racoon",
        "iked",
        "openvpn",
        "ovpn-server",
        "ovpn-client",
        "tincd",
        "zerotier-one",
        "wg-quick",
        "tailscaled",
        "strongswan",
        "ocserv",
        "swanctl",
    ],
    worse: "tunnel-down",
    rules: &RULES,
};

static RULES: [Rule; 13] = [
    error(
        "peer-timeout",
        concat!(
            r"(?i)giving up after \d+ retransmits|peer not responding|",
            r"DPD(?: detected)?:? .*(?:dead|timeout)|--ping-(?:restart|exit)|Inactivity timeout"
        ),
        &[
            "09[IKE] giving up after 5 retransmits",
            "12[IKE] peer not responding, trying again (2/3)",
            "[client] Inactivity timeout (--ping-restart), restarting",
        ],
    )
    .reset(),
    error(
        "retransmit",
        r"(?i)\bretransmit \d+ of|retransmitting|retransmission|sending (?:DPD|keep.?alive).*again|retry",
        &[
            "14[IKE] retransmit 3 of request with message ID 1",
            "max number of retransmissions (2) reached STATE_MAIN_I1",
        ],
    )
    .retry(),
    error(
        "auth-failure",
        concat!(
            r"AUTHENTICATION_FAILED|AUTH_FAILED|AUTH_FAIL|(?i:auth\w* (?:\S+ )*failed|",
            r"no (?:shared|private|matching peer config|IKE config|trusted)|EAP_FAILURE|",
            r"invalid HASH|TLS Auth Error|VERIFY ERROR)"
        ),
        &[
            "07[IKE] received AUTHENTICATION_FAILED notify error",
            "11[IKE] no IKE config found for 192.0.2.1...192.0.2.2, sending NO_PROPOSAL_CHOSEN",
            "AUTH: Received control message: AUTH_FAILED",
            "06[IKE] no shared key found for '%any' - '192.0.2.9'",
        ],
    ),
    error(
        "no-proposal",
        concat!(
            r"NO_PROPOSAL_CHOSEN|no acceptable proposal|no proposal chosen|",
            r"(?i:proposal(?:s)? inacceptable|INVALID_KE|TS_UNACCEPTABLE|unable to match)"
        ),
        &["16[IKE] received NO_PROPOSAL_CHOSEN notify error", "10[IKE] no acceptable proposal found"],
    ),
    event(
        "reauthenticated",
        r"(?i)reauthenticating|rekeying|re-?keyed|initiating (?:re-?key|re-?auth)",
        &[
            "08[IKE] reauthenticating IKE_SA home[3]",
            "05[KNL] creating rekey job for CHILD_SA ESP/0xc1/192.0.2.1, rekeying",
        ],
    )
    .reset(),
    error(
        "tunnel-down",
        concat!(
            r"(?i)(?:received DELETE for|deleting|closing) (?:\w+_SA|IKE)|\w+_SA \S+ closed|",
            r"unable to (?:reestablish|install)|SIGUSR1.*restarting|Connection reset, restarting|",
            r"process exiting|tunnel (?:is )?down|connection (?:closed|lost)"
        ),
        &[
            "04[IKE] received DELETE for IKE_SA home[3]",
            "13[IKE] deleting IKE_SA home[3] between 192.0.2.1[a]...192.0.2.2[b]",
            "SIGUSR1[soft,ping-restart] received, process restarting",
            "Connection reset, restarting [0]",
        ],
    )
    .reset(),
    error(
        "tls-error",
        r"TLS (?:Error|handshake failed)|TLS key negotiation failed|SSL_ERROR|cipher .* mismatch",
        &[
            "192.0.2.7:1194 TLS Error: TLS key negotiation failed to occur within 60 seconds",
            "TLS Error: TLS handshake failed",
        ],
    )
    .retry(),
    error(
        "packet-rejected",
        concat!(
            r"(?i)replay|Authenticate/Decrypt packet error|parsing .* failed|invalid .*(?:length|",
            r"packet|payload)|message parsing failed|could not decrypt"
        ),
        &[
            "Authenticate/Decrypt packet error: bad packet ID (may be a replay)",
            "15[ENC] could not decrypt payloads",
        ],
    ),
    event(
        "tunnel-up",
        concat!(
            r"(?i)established|Initialization Sequence Completed|Peer Connection Initiated|",
            r"CHILD_SA .* up|authentication of .* successful|MULTI: "
        ),
        &[
            "05[IKE] IKE_SA home[3] established between 192.0.2.1[a]...192.0.2.2[b]",
            "Initialization Sequence Completed",
        ],
    ),
    error(
        "unreachable",
        r"(?i)unreachable|no route|timed? ?out|connection refused|cannot resolve|could not resolve",
        &[
            "RESOLVE: Cannot resolve host address: vpn.example.com:1194",
            "read UDPv4 [EHOSTUNREACH]: No route to host",
        ],
    )
    .retry(),
    event(
        "ike",
        concat!(
            r"\d\d\[(?:NET|ENC|CFG|DMN|LIB|JOB|MGR|KNL|CHD|ASN)\] (?:sending|received|parsed|",
            r"generating|generated|selected|loaded|looking|added|handling)|(?i:initiating (?:Main|",
            r"Aggressive)? ?\w*|is initiating|sending packet|received packet)"
        ),
        &[
            "03[NET] received packet: from 192.0.2.1[500] to 192.0.2.2[500] (464 bytes)",
            "06[ENC] parsed IKE_SA_INIT request 0 [ SA KE No ]",
            "09[IKE] 192.0.2.1 is initiating an IKE_SA",
        ],
    ),
    error(
        "tunnel-failed",
        r"(?i)\bfail|\berror\b|refus|reject|denied",
        &[
            "11[CFG] loading CA certificate failed",
            "13[IKE] received unsupported critical payload, rejecting: error",
        ],
    ),
    event(
        "tunnel",
        r"\[(?:IKE|CFG|KNL|NET|ENC|JOB|MGR|DMN|LIB)\]",
        &["00[DMN] Starting IKE charon daemon (strongSwan 5.9.8)"],
    ),
];
