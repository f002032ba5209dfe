//! Daemons that keep the uplink: OpenWrt's netifd, pppd, DHCP, DNS, time, and the line's own monitors.
use super::{Family, Rule, error, event};

pub static INTERFACES: Family = Family {
    programs: &["netifd", "networkmanager", "systemd-networkd", "ifplugd", "connmand", "dhcpcd-run-hooks"],
    worse: "interface-down",
    rules: &INTERFACE_RULES,
};

static INTERFACE_RULES: [Rule; 9] = [
    error(
        "lease-lost",
        r"(?:udhcpc|odhcp6c|dhcp\S*): (?:lease lost|no lease, failing)|DHCP(?:v[46])? lease lost",
        &["wan (1234): udhcpc: lease lost, entering init state", "wan (1234): udhcpc: no lease, failing"],
    )
    .reset(),
    event(
        "lease-retry",
        r"udhcpc: (?:sending discover|broadcasting discover|sending renew|sending select)",
        &["wan (1234): udhcpc: sending discover", "wan (1234): udhcpc: broadcasting discover"],
    )
    .retry(),
    event(
        "lease",
        r"udhcpc: (?:started|lease of|received|entering)",
        &["wan (1234): udhcpc: lease of 192.0.2.7 obtained from 192.0.2.1, lease time 600"],
    ),
    error(
        "connectivity-loss",
        r"has (?:link )?connectivity loss|has lost the connection|Lost carrier|carrier lost",
        &[
            "Interface 'wan' has link connectivity loss",
            "Interface 'wan' has lost the connection",
            "eth0: Lost carrier",
        ],
    )
    .reset(),
    error(
        "interface-down",
        r"(?i)is now down|link is down|link (?:went )?down\b|state change: (?:activated -> |\S+ -> failed)",
        &[
            "Interface 'wan' is now down",
            "Network device 'eth0' link is down",
            concat!(
                "<info>  [1700000000.1] device (eth0): state change: activated -> unavailable ",
                "(reason 'carrier-changed')"
            ),
        ],
    )
    .reset(),
    error(
        "interface-failed",
        r"(?i)\bfailed\b|could not|cannot|\berror\b",
        &[
            "Interface 'wan6' setup failed: DEVICE_CLAIM_FAILED",
            "wan (123): Command failed: Permission denied",
        ],
    ),
    event(
        "interface-up",
        concat!(
            r"(?i)is now up|link is up|has link connectivity|is setting up now|is (?:enabled|",
            r"disabled)|Gained carrier"
        ),
        &["Interface 'wan' is now up", "Network device 'eth0' link is up", "Interface 'lan' is enabled"],
    ),
    // Messages of pppd, which netifd writes in its place, are known to the rules for any program.
    event(
        "ppp-traffic",
        r"Sent (?P<bytes>\d+) bytes, received (?P<more_bytes>\d+) bytes",
        &["wan (77): Sent 1234567 bytes, received 7654321 bytes."],
    ),
    error("teardown", r"is disconnecting|interface teardown", &["Interface 'wan' is disconnecting"]).reset(),
];

pub static PPP: Family = Family {
    programs: &[
        "pppd",
        "pppoe",
        "pppoe-discovery",
        "ppp",
        "xl2tpd",
        "mpd",
        "mpd5",
        "accel-ppp",
        "l2tp",
        "pptp",
        "sstp",
    ],
    worse: "ppp-link-lost",
    rules: &PPP_RULES,
};

static PPP_RULES: [Rule; 13] = [
    error(
        "ppp-echo-lost",
        r"No response to (?P<retries>\d+) echo-requests",
        &["No response to 5 echo-requests"],
    ),
    error(
        "ppp-link-lost",
        concat!(
            r"Serial link appears to be disconnected|Modem hangup|[Ll]ink (?:inactive|down)|",
            r"LCP: Down|Link: DOWN|lost carrier"
        ),
        &["Serial link appears to be disconnected.", "Modem hangup", "Terminating due to lost carrier"],
    )
    .reset(),
    error(
        "ppp-terminated",
        concat!(
            r"LCP terminated by peer|(?i:terminating(?:\.\.\.| on| connection| due))|Connection terminated|",
            r"terminated by peer|Session closed|PADT"
        ),
        &[
            "LCP terminated by peer (session timeout)",
            "Connection terminated.",
            "Terminating on signal 15",
            "Received PADT",
            "pppoe,ppp,info pppoe-out1: terminating... - hungup",
        ],
    )
    .reset(),
    error(
        "ppp-auth-failed",
        r"(?i)(?:PAP|CHAP|EAP)?\s*authentication fail|peer refused to authenticate|Login incorrect",
        &[
            "PAP authentication failed",
            "CHAP authentication failed: Access denied",
            "peer refused to authenticate: terminating link",
        ],
    ),
    error(
        "ppp-discovery-failed",
        r"Unable to complete PPPoE Discovery|Timeout waiting for PAD[OS]|PPPoE: .*timeout|Can't get PADO",
        &["Timeout waiting for PADO packets", "Unable to complete PPPoE Discovery phase 1"],
    )
    .retry(),
    error(
        "ppp-timeout",
        r"(?i)timeout sending (?:Config|Terminate|Echo)|timed? ?out",
        &["LCP: timeout sending Config-Requests", "IPCP: timeout sending Config-Requests"],
    )
    .retry(),
    event(
        "ppp-traffic",
        r"Sent (?P<bytes>\d+) bytes, received (?P<more_bytes>\d+) bytes",
        &["Sent 1234567 bytes, received 7654321 bytes."],
    ),
    event("ppp-connect-time", r"Connect time [\d.]+ minutes", &["Connect time 1439.9 minutes."]),
    event(
        "ppp-up",
        concat!(
            r"(?i)local\s+(?:LL |IP )?address|remote\s+(?:LL |IP )?address|(?:PAP|",
            r"CHAP) authentication succeeded|Connect(?:ed)?: |PPP session is"
        ),
        &[
            "local  IP address 203.0.113.9",
            "CHAP authentication succeeded",
            "Connect: pppoe-wan <--> eth1",
            "PPP session is 4242",
        ],
    ),
    event(
        "ppp-exit",
        r"^Exit\.|Script .* finished|started by",
        &[
            "Exit.",
            "Script /lib/netifd/ppp-up finished (pid 9), status = 0x0",
            "pppd 2.4.9 started by root, uid 0",
        ],
    ),
    event("ppp-redial", r"(?i)redial|reconnecting|re-?try", &["Reconnecting in 5 seconds"]).retry(),
    error(
        "ppp-protocol-reject",
        r"Protocol-Reject|protocol reject",
        &["Protocol-Reject for unsupported protocol 0x8057"],
    ),
    error(
        "ppp-failed",
        r"(?i)\bfail|couldn't|cannot|\berror\b",
        &["Couldn't increase MTU to 1500", "ioctl(PPPIOCGUNIT): error"],
    ),
];

pub static DHCP: Family = Family {
    programs: &[
        "dhclient",
        "udhcpc",
        "dhcpcd",
        "dhcpd",
        "dhcp6c",
        "odhcp6c",
        "odhcpd",
        "dnsmasq-dhcp",
        "kea-dhcp4",
        "kea-dhcp6",
        "udhcpd",
        "dhcp",
    ],
    worse: "",
    rules: &DHCP_RULES,
};

static DHCP_RULES: [Rule; 8] = [
    error(
        "dhcp-nak",
        r"DHCPNAK|DHCPDECLINE|address (?:already )?in use|wrong (?:server-ID|network)",
        &[
            "DHCPNAK on 192.168.1.50 to 02:00:00:00:00:01 via eth0",
            "DHCPDECLINE of 192.168.1.7 from 02:00:00:00:00:01",
        ],
    )
    .reset(),
    error(
        "dhcp-no-offers",
        concat!(
            r"No DHCPOFFERS received|no lease, failing|no (?:free|available) (?:leases|addresses)|",
            r"no address range available|timed out"
        ),
        &[
            "No DHCPOFFERS received.",
            "DHCPDISCOVER from 02:00:00:00:00:01 via eth0: network lan: no free leases",
            "timed out",
        ],
    )
    .retry(),
    error(
        "lease-lost",
        concat!(
            r"(?i)lease (?:lost|expired|stopped)|lost IP address|carrier lost|",
            r"removing (?:default )?route|No working leases"
        ),
        &[
            "wan: lease lost",
            "eth0: carrier lost",
            "No working leases in persistent database - sleeping.",
            "dhcp,critical,error dhcp-client on ether1 lost IP address 192.0.2.7 - lease expired",
        ],
    )
    .reset(),
    event(
        "dhcp-discover",
        r"DHCP(?:DISCOVER|SOLICIT)|sending discover|Sending discover|broadcasting discover|[Ss]oliciting",
        &[
            "DHCPDISCOVER on eth0 to 255.255.255.255 port 67 interval 7",
            "sending discover",
            "eth0: soliciting a DHCP lease",
        ],
    )
    .retry(),
    event(
        "dhcp",
        concat!(
            r"DHCP(?:REQUEST|ACK|OFFER|INFORM|RELEASE|v6|REPLY|RENEW|CONFIRM|REBIND|ADVERTISE)|",
            r"bound to|lease of .* obtained|leased|renewal in|\bassigned\b|got IP address"
        ),
        &[
            "DHCPACK(br-lan) 192.168.1.50 02:00:00:00:00:01 phone",
            "bound to 192.0.2.7 -- renewal in 300 seconds.",
        ],
    ),
    error(
        "dhcp-send-failed",
        r"(?i)failed to send|send_packet: |sendto|Network is (?:down|unreachable)|not configured to listen",
        &["Failed to send RS (Address not available)", "send_packet: Network is unreachable"],
    )
    .retry(),
    error("dhcp-failed", r"(?i)\bfail|\berror\b|cannot|unable to", &["unable to get lease file lock"]),
    event(
        "carrier",
        r"carrier acquired|using (?:static|DHCP)|adding (?:default )?route",
        &["eth0: carrier acquired"],
    ),
];

pub static DNS: Family = Family {
    programs: &[
        "named",
        "dnsmasq",
        "unbound",
        "dnscrypt-proxy",
        "stubby",
        "systemd-resolved",
        "smartdns",
        "pdns_recursor",
    ],
    worse: "",
    rules: &DNS_RULES,
};

static DNS_RULES: [Rule; 9] = [
    error(
        "dns-denied",
        concat!(
            r"(?:query|transfer|update|recursion|cookie)\b.* denied|REFUSED|",
            r"refused to do a recursive|bad zone transfer request"
        ),
        &[
            concat!(
                "19-Oct-2022 05:34:03.425 client @0x7f6 192.0.2.1#3076 (example.com): query ",
                "'example.com/ANY/IN' denied"
            ),
            concat!(
                "client @0x7fa 192.0.2.1#61738 (example.com): bad zone transfer request: ",
                "'example.com/IN': non-authoritative zone"
            ),
            "nameserver 192.0.2.53 refused to do a recursive query",
        ],
    ),
    error(
        "dns-timeout",
        concat!(
            r"(?i)timed out|timeout|no (?:servers|name ?servers) (?:could be reached|found|",
            r"configured)|host unreachable|network unreachable|connection refused"
        ),
        &[
            "resolver: info: timed out resolving 'example.com/A/IN': 192.0.2.53#53",
            "no servers found in /tmp/resolv.conf.d/resolv.conf.auto, will retry",
        ],
    )
    .retry(),
    error(
        "dns-server-failure",
        r"SERVFAIL|FORMERR|unexpected RCODE|lame server|broken trust chain|no valid (?:signature|RRSIG|KEY)",
        &[
            "unexpected RCODE (SERVFAIL) resolving 'example.com/A/IN': 192.0.2.53#53",
            "validating example.com/A: no valid signature found",
        ],
    ),
    error(
        "dns-limit",
        r"Maximum number of concurrent DNS queries|quota|too many",
        &["Maximum number of concurrent DNS queries reached (max: 150)"],
    ),
    error(
        "dns-rebind",
        r"possible DNS-rebind attack",
        &["possible DNS-rebind attack detected: internal.example.com"],
    ),
    event(
        "dns-query",
        r"\bquery\[|\bforwarded\b|\breply\b|\bcached\b|query: ",
        &["query[A] example.com from 192.168.1.50", "reply example.com is 192.0.2.1"],
    ),
    event(
        "dns-server",
        r"using (?:nameserver|only locally|local addresses)|reading |started, version|read /etc",
        &["using nameserver 192.0.2.53#53", "started, version 2.90 cachesize 1000"],
    ),
    event("dhcp", r"DHCP", &["DHCPACK(br-lan) 192.168.1.50 02:00:00:00:00:01 phone"]),
    error(
        "dns-failed",
        r"(?i)\berror\b|\bfail|fatal|cannot",
        &["failed to load names from /tmp/hosts/dhcp"],
    ),
];

pub static TIME: Family = Family {
    programs: &["ntpd", "chronyd", "systemd-timesyncd", "sysntpd", "ntpdate", "openntpd"],
    worse: "",
    rules: &TIME_RULES,
};

static TIME_RULES: [Rule; 4] = [
    error(
        "time-unreachable",
        concat!(
            r"(?i)no (?:server suitable|selectable sources|servers? (?:can|reach))|",
            r"Can't synchroni[sz]e|timed out|timeout|unreachable|DNS resolution|could not resolve"
        ),
        &[
            "no server suitable for synchronization found",
            "Can't synchronise: no selectable sources",
            "Timed out waiting for reply from 192.0.2.123:123 (pool).",
        ],
    )
    .retry(),
    event(
        "time-stepped",
        concat!(
            r"(?i)time (?:reset|set|stepped)|System clock (?:was stepped|wrong)|step time server|",
            r"adjusting (?:local )?clock"
        ),
        &["System clock was stepped by 52.3 seconds", "step time server 192.0.2.123 offset 1.5 sec"],
    ),
    event(
        "time-synchronised",
        concat!(
            r"(?i)synchroni[sz]ed to|Selected source|Initial (?:clock )?synchronization|",
            r"Contacted time server|reply from|peer \S+ now valid"
        ),
        &["Selected source 192.0.2.123", "peer 192.0.2.123 now valid"],
    ),
    error(
        "time-failed",
        r"(?i)\berror\b|\bfail|bad|refused|cannot",
        &["bad address '0.openwrt.pool.ntp.org'"],
    ),
];

pub static MONITORS: Family = Family {
    programs: &[
        "dpinger",
        "mwan3track",
        "mwan3",
        "ping",
        "fping",
        "smokeping",
        "watchcat",
        "apinger",
        "mtr",
        "rc.gateway_alarm",
        "netwatch",
    ],
    worse: "gateway-alarm",
    rules: &MONITOR_RULES,
};

static MONITOR_RULES: [Rule; 13] = [
    error(
        "gateway-alarm",
        r"Alarm latency (?P<latency_us>\d+)us stddev \d+us loss (?P<packet_loss_pct>\d+)%",
        &["WAN_DHCP 192.0.2.1: Alarm latency 12345us stddev 345us loss 22%"],
    ),
    // OPNsense's and pfSense's scripts: 23 and later name the states, earlier ones write 1 and 0.
    event(
        "gateway-clear",
        concat!(
            r"Alarm: ?(?:[\w+]+ -> )?(?:none|0) RTT: ?(?P<latency_ms>[\d.]+) ?ms.*",
            r"Loss: ?(?P<packet_loss_pct>[\d.]+) ?%"
        ),
        &[
            "ALERT: WAN_A (Addr: 192.0.2.1 Alarm: down -> none RTT: 12.3 ms RTTd: 0.4 ms Loss: 0.0 %)",
            ">>> Gateway alarm: WAN_DHCP (Addr:192.0.2.1 Alarm:0 RTT:12.345ms RTTsd:.345ms Loss:0%)",
        ],
    ),
    error(
        "gateway-alarm",
        concat!(
            r"Alarm: ?(?:[\w+]+ -> )?[\w+]+ RTT: ?(?P<latency_ms>[\d.]+) ?ms.*",
            r"Loss: ?(?P<packet_loss_pct>[\d.]+) ?%"
        ),
        &[
            "ALERT: WAN_A (Addr: 192.0.2.1 Alarm: none -> down RTT: 0.0 ms RTTd: 0.0 ms Loss: 100.0 %)",
            ">>> Gateway alarm: WAN_DHCP (Addr:192.0.2.1 Alarm:1 RTT:12.345ms RTTsd:.345ms Loss:22%)",
        ],
    ),
    error(
        "gateway-alarm",
        r"Alarm: ?(?:[\w+]+ -> )?[\w+]+ RTT: ?(?P<latency_us>[\d.]+) ?us.*Loss: ?(?P<packet_loss_pct>[\d.]+) ?%",
        &["GATEWAY ALARM: WAN_GW (Addr: 192.0.2.1 Alarm: 1 RTT: 23456us RTTd: 1234us Loss: 12%)"],
    ),
    error(
        "ping-failed",
        r"Lost (?P<retries>\d+) ping\(s\)",
        &["Lost 12 ping(s) on interface wan (eth1). Current score: 10"],
    ),
    event(
        "gateway-clear",
        r"Clear latency (?P<latency_us>\d+)us stddev \d+us loss (?P<packet_loss_pct>\d+)%",
        &["WAN_DHCP 192.0.2.1: Clear latency 8345us stddev 145us loss 5%"],
    ),
    event(
        "ping-summary",
        r"transmitted, \d+ (?:packets )?received.*?(?P<packet_loss_pct>[\d.]+)% (?:packet )?loss",
        &[
            "5 packets transmitted, 4 received, 20% packet loss, time 4005ms",
            "3 packets transmitted, 3 packets received, 0% packet loss",
        ],
    ),
    event(
        "ping-times",
        r"(?:rtt|round-trip) min/avg/max(?:/\w+)? = [\d.]+/(?P<latency_ms>[\d.]+)/",
        &["rtt min/avg/max/mdev = 11.2/12.5/14.0/0.9 ms", "round-trip min/avg/max = 11.2/12.5/14.0 ms"],
    ),
    event(
        "ping-reply",
        r"bytes from .*time[=<](?P<latency_ms>[\d.]+) ?ms",
        &["64 bytes from 192.0.2.1: icmp_seq=1 ttl=57 time=12.3 ms"],
    ),
    error(
        "ping-failed",
        concat!(
            r"(?i)Check \(\S+\) failed|no answer yet|Destination \w+ (?:Host |Net )?Unreachable|",
            r"Request timeout|sendto error"
        ),
        &[
            "Check (ping) failed for target \"192.0.2.1\" on interface wan (eth1). Current score: 9",
            "no answer yet for icmp_seq=4",
        ],
    )
    .retry(),
    error(
        "interface-down",
        concat!(
            r"(?i)\bis (?:offline|down|disconnect\w+)|is unreachable|offline event|event down|ifdown|",
            r"restart(?:ing)? (?:network|interface)|no response"
        ),
        &[
            "Interface wan (eth1) is offline",
            "no response for 300 seconds, restarting network",
            "netwatch,info event down [ type: simple, host: 192.0.2.251 ]",
        ],
    )
    .reset(),
    event(
        "interface-up",
        r"(?i)is (?:online|up|reachable|connecting)|event up|ifup|connected|\bsuccess\b",
        &["Interface wan (eth1) is online"],
    ),
    error("monitor-failed", r"(?i)\berror\b|\bfail|cannot", &["exiting on error, failed to bind"]),
];
