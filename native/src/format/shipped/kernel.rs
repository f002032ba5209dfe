//! Messages of the Linux kernel: links, netfilter, wireguard, memory and disks.
use super::{Family, Rule, error, event};

pub static KERNEL: Family = Family { programs: &["kernel"], worse: "link-down", rules: &RULES };

static RULES: [Rule; 24] = [
    // nf_log, iptables and nftables alike: what a rule asked to be logged is no fault of the line.
    event(
        "netfilter",
        r"\bIN=\S* OUT=\S* .*\bSRC=\S+ DST=\S+",
        &[
            concat!(
                "[50028442.088484] IN=enp1s0 OUT= MAC=00:08 SRC=195.54.160.107 DST=51.15.166.67 ",
                "LEN=40 PROTO=TCP"
            ),
            concat!(
                "[  203.842973] IPTABLES-DROP: IN=lo OUT= MAC=00:00 SRC=127.0.0.1 DST=127.0.0.53 ",
                "LEN=76 PROTO=UDP"
            ),
            "reject wan in: IN=pppoe-wan OUT= MAC= SRC=1.2.3.4 DST=5.6.7.8 LEN=44 PROTO=TCP SPT=5 DPT=23",
            "nft drop IN=br0 OUT=eth1 PHYSIN=eth0 SRC=fe80::1 DST=ff02::1 LEN=72 HOPLIMIT=1 PROTO=ICMPv6",
        ],
    ),
    error(
        "conntrack-full",
        r"nf_conntrack: .*table full",
        &["nf_conntrack: nf_conntrack: table full, dropping packet"],
    ),
    error(
        "wireguard-handshake",
        r"wireguard: \S+: (?:Invalid handshake|Invalid MAC of handshake|Could not decrypt)",
        &["[82508.102168] wireguard: wg1: Invalid handshake initiation from 192.168.100.30:51820"],
    ),
    error(
        "wireguard-timeout",
        r"wireguard: \S+: Handshake for peer .* did not complete after \d+ seconds, (?:retrying|giving up)",
        &[
            concat!(
                "wireguard: wg0: Handshake for peer 1 (192.0.2.1:51820) did not complete after 5 ",
                "seconds, retrying (try 2)"
            ),
            concat!(
                "wireguard: wg0: Handshake for peer 1 (192.0.2.1:51820) did not complete after 20 ",
                "seconds, giving up"
            ),
        ],
    )
    .retry(),
    error(
        "wireguard-source",
        r"wireguard: \S+: Packet has (?:unallowed|incorrect|invalid)",
        &["wireguard: wg0: Packet has unallowed src IP (10.0.0.3) from peer 1 (192.168.1.2:51820)"],
    ),
    event(
        "wireguard",
        r"wireguard: ",
        &["wireguard: wg0: Sending handshake initiation to peer 3 (203.0.113.4:51820)"],
    ),
    error(
        "transmit-timeout",
        r"NETDEV WATCHDOG|transmit queue \d+ timed out|Detected Tx Unit Hang",
        &[
            "NETDEV WATCHDOG: eth0 (mtk_soc_eth): transmit queue 0 timed out",
            "e1000e eth0: Detected Tx Unit Hang",
        ],
    )
    .reset(),
    event(
        "link-up",
        concat!(
            r"(?i)\blink (?:is |becomes )?(?:up|ready)\b|entered forwarding state|NIC Link is Up|",
            r"carrier (?:on|acquired)"
        ),
        &[
            "mt7530 mdio-bus:1f wan: Link is Up - 1Gbps/Full - flow control rx/tx",
            "IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready",
            "br-lan: port 1(lan1) entered forwarding state",
        ],
    ),
    error(
        "link-down",
        r"(?i)\blink (?:is )?(?:down|not ready|lost)\b|NIC Link is Down|carrier (?:lost|off)|lost carrier",
        &[
            "mt7530 mdio-bus:1f wan: Link is Down",
            "[  91.02] eth0: link down",
            "e1000e: enp0s31f6 NIC Link is Down",
            "cdc_ether 1-1:2.0 wwan0: carrier lost",
        ],
    )
    .reset(),
    event(
        "bridge-port",
        r"entered (?:disabled|blocking|learning|listening|promiscuous) (?:state|mode)|left promiscuous mode",
        &["br-lan: port 1(lan1) entered disabled state", "device eth0 entered promiscuous mode"],
    ),
    error(
        "wifi-deauthenticated",
        r"(?i)(?:deauthenticat|disassociat)\S* from .*reason|deauthenticating from|Connection to AP .* lost",
        &[
            "wlan0: deauthenticated from 02:00:00:00:00:01 (Reason: 15=4WAY_HANDSHAKE_TIMEOUT)",
            "wlan0: Connection to AP 02:00:00:00:00:01 lost",
        ],
    )
    .reset(),
    error(
        "wifi-timeout",
        r"\b(?:authentication|association) with \S+ timed out",
        &["wlan0: authentication with 02:00:00:00:00:01 timed out"],
    )
    .retry(),
    error(
        "firmware-crashed",
        r"(?i)firmware (?:has )?crashed|microcode sw error|fw assert|hardware restart was requested",
        &[
            "ath10k_pci 0000:00:00.0: firmware crashed! (guid n/a)",
            "iwlwifi 0000:01:00.0: Microcode SW error detected.",
        ],
    )
    .reset(),
    error(
        "usb-disconnect",
        r"usb \S+: USB disconnect|usb \S+: device (?:descriptor read|not accepting address)",
        &["usb 1-1: USB disconnect, device number 4", "usb 1-1: device descriptor read/64, error -71"],
    )
    .reset(),
    error(
        "out-of-memory",
        r"(?i)out of memory|oom-kill|invoked oom-killer|page allocation failure",
        &[
            "Out of memory: Killed process 1234 (node) total-vm:123kB",
            "node invoked oom-killer: gfp_mask=0x100",
        ],
    ),
    error(
        "kernel-fault",
        concat!(
            r"(?i)kernel panic|\bOops\b|BUG: |soft lockup|hung_task|blocked for more than|",
            r"Call Trace:|rcu.*stall"
        ),
        &[
            "Kernel panic - not syncing: Fatal exception",
            "watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [ksoftirqd/0:9]",
            "INFO: task jbd2/sda1-8:123 blocked for more than 120 seconds.",
        ],
    ),
    error(
        "segfault",
        r"segfault at|general protection|trap invalid opcode",
        &["dnsmasq[1]: segfault at 0 ip 00007f sp 00007f"],
    ),
    error(
        "storage-error",
        concat!(
            r"I/O error|(?:EXT4|XFS|BTRFS|F2FS|JFFS2|UBIFS|SQUASHFS)\S* (?:error|\S*: error)|",
            r"mmc\d: .*(?:error|timeout)|remount-ro|bad block"
        ),
        &[
            "blk_update_request: I/O error, dev mmcblk0, sector 1234",
            "EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2",
            "SQUASHFS error: xz decompression failed, data probably corrupt",
        ],
    ),
    error(
        "temperature",
        r"(?i)temperature above threshold|thermal .*critical|critical temperature reached",
        &["CPU0: Core temperature above threshold, cpu clock throttled (total events = 1)"],
    ),
    error(
        "syn-flood",
        r"(?i)possible SYN flooding",
        &["TCP: request_sock_TCP: Possible SYN flooding on port 80. Sending cookies."],
    ),
    error(
        "martian",
        r"martian (?:source|destination)",
        &["IPv4: martian source 192.168.1.255 from 10.0.0.1, on dev eth0"],
    ),
    error(
        "neighbour-full",
        r"(?i)neighbou?r(?:ing)? table overflow|neighbour: .*overflow",
        &["neighbour: arp_cache: neighbor table overflow!"],
    ),
    error(
        "duplicate-address",
        r"(?i)duplicate address detected|IPv6 duplicate address",
        &["IPv6: eth0: IPv6 duplicate address fe80::1 used by 02:00:00:00:00:01 detected!"],
    ),
    event("booted", r"Linux version \d|Booting Linux", &["Linux version 6.6.86 (builder@host) #0 SMP"])
        .reboot(),
];
