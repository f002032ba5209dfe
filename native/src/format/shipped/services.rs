//! Services that gateways offer: ssh, mail, web, and logins of all kinds.
use super::{Family, Rule, error, event};

pub static SSH: Family = Family {
    programs: &["sshd", "sshd-session", "sshd-auth", "dropbear", "ssh"],
    worse: "",
    rules: &SSH_RULES,
};

static SSH_RULES: [Rule; 10] = [
    error(
        "auth-failure",
        concat!(
            r"(?i)failed (?:password|publickey|keyboard|none)|login fail|(?:invalid|illegal|unknown|",
            r"bad password|non-?existent) (?:user|attempt)|authentication fail|",
            r"maximum authentication attempts|Too many authentication failures|",
            r"not allowed because|Exit before auth|Bad password|login attempt for nonexistent|",
            r"POSSIBLE BREAK-IN|auth could not identify"
        ),
        &[
            "Invalid user pascal from 192.0.2.176 port 53502",
            "Failed password for root from 192.0.2.7 port 22 ssh2",
            concat!(
                "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= ",
                "rhost=192.0.2.160 user=workshop"
            ),
            "Disconnected from invalid user ftp 192.0.2.135 port 26138 [preauth]",
            "Bad password attempt for 'root' from 192.0.2.7:4242",
            "error: maximum authentication attempts exceeded for root from 192.0.2.7 port 22 ssh2 [preauth]",
        ],
    ),
    error(
        "auth-timeout",
        r"(?i)timeout (?:before|during)|Timeout, client not responding|Connection timed out",
        &[
            "fatal: Timeout before authentication for 192.168.9.212 port 47056",
            "Timeout, client not responding from user a 192.0.2.1 port 22",
        ],
    )
    .retry(),
    error(
        "negotiation-failed",
        concat!(
            r"(?i)unable to negotiate|no matching (?:key|host|cipher|mac)|ssh_dispatch_run_fatal|",
            r"kex_(?:exchange|protocol)|banner exchange|Bad (?:protocol|packet|remote protocol)|",
            r"Did not receive identification|Magic value check failed|invalid format|",
            r"Protocol major versions|Corrupted MAC|message authentication code incorrect|",
            r"ssh_packet|Unrecogni[sz]ed internal"
        ),
        &[
            concat!(
                "Unable to negotiate with 192.0.2.134 port 45626: no matching key exchange method ",
                "found. Their offer: a [preauth]"
            ),
            "banner exchange: Connection from 192.0.2.122 port 34388: invalid format",
            "error: kex_exchange_identification: banner line too long",
            "Magic value check failed (4289475479) on obfuscated handshake from 192.0.2.213 port 62730",
        ],
    ),
    error(
        "refused",
        r"(?i)refused connect|Connection refused|drop connection|beginning MaxStartups",
        &[
            "refused connect from example.com (192.168.1.1)",
            "drop connection #10 from [192.0.2.7]:1 on [192.0.2.1]:22 past MaxStartups",
        ],
    ),
    error(
        "connection-reset",
        r"(?i)connection reset|broken pipe|read from socket failed|Connection aborted",
        &["Connection reset by 192.0.2.7 port 22 [preauth]"],
    )
    .reset(),
    event(
        "login",
        r"(?i)Accepted \w+|session opened|auth succeeded|Starting session",
        &[
            "Accepted publickey for vagrant from 192.0.2.1 port 56296 ssh2: RSA SHA256:1M4R",
            "Password auth succeeded for 'root' from 192.168.1.2:51000",
        ],
    ),
    error(
        "disconnected-early",
        concat!(
            r"(?i)(?:closed by|Disconnected from|Received disconnect from|",
            r"disconnected by) .*(?:authenticating|\[preauth\])"
        ),
        &[
            "Connection closed by authenticating user root 192.0.2.125 port 45362 [preauth]",
            "Received disconnect from 192.0.2.7 port 1:11: Bye Bye [preauth]",
        ],
    ),
    event(
        "disconnected",
        r"(?i)closed by|disconnect|session closed|Close session|Exit \(|Connection closed|Child connection",
        &[
            "Close session: user ansible from 192.168.1.1 port 34928 id 0",
            "Received disconnect from 192.0.2.7 port 22:11: disconnected by user",
            "Child connection from 192.168.1.2:51000",
        ],
    ),
    error(
        "ssh-error",
        r"(?i)^(?:error|fatal|warning):|\bfailed\b|\bfatal\b",
        &["fatal: no hostkeys available -- exiting.", "error: Bind to port 22 on 0.0.0.0 failed"],
    ),
    event(
        "listening",
        r"(?i)listening on|Received SIGHUP|Received signal|Connection from|Server listening|Starting",
        &["Server listening on 0.0.0.0 port 22.", "Connection from 192.0.2.1 port 22 on 192.0.2.2 port 22"],
    ),
];

pub static MAIL: Family = Family {
    programs: &[
        "postfix",
        "dovecot",
        "exim",
        "exim4",
        "sendmail",
        "opendkim",
        "opensmtpd",
        "smtpd",
        "msmtp",
        "ssmtp",
        "haraka",
        "imapd",
        "imap-login",
        "pop3-login",
    ],
    worse: "",
    rules: &MAIL_RULES,
};

static MAIL_RULES: [Rule; 9] = [
    error(
        "auth-failure",
        concat!(
            r"(?i)auth\w*(?: \S+){0,3} (?:fail|error)|auth failed|password mismatch|unknown user|",
            r"AUTH\b.*(?:535|fail)|authenticator failed"
        ),
        &[
            "warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
            concat!(
                "imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<a>, ",
                "method=PLAIN, rip=192.0.2.7"
            ),
            "auth: passwd(a,192.0.2.7): unknown user",
        ],
    ),
    error(
        "mail-bounced",
        concat!(
            r"status=(?:bounced|undeliverable|expired)|User unknown|Relay access denied; |",
            r"mailbox (?:unavailable|full)"
        ),
        &["A1: to=<a@example.com>, relay=none, delay=3, dsn=5.1.1, status=bounced (host said: 550)"],
    ),
    error(
        "mail-deferred",
        concat!(
            r"status=(?:deferred|SOFTBOUNCE)|stat=Deferred|retry time not reached|",
            r"temporarily (?:deferred|rejected)"
        ),
        &[concat!(
            "A1: to=<a@example.com>, relay=none, delay=30, status=deferred (connect to ",
            "example.com: Connection timed out)"
        )],
    )
    .retry(),
    error(
        "mail-rejected",
        concat!(
            r"(?i)NOQUEUE: |milter-reject|reject(?:ed|ing)?\b|blocked using|rejected RCPT|denied|",
            r"blacklist|spam"
        ),
        &[
            "NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <a@b>: Relay access denied",
            "F=<a@b> rejected RCPT <c@d>: relay not permitted",
        ],
    ),
    error(
        "mail-timeout",
        r"(?i)timed? ?out|timeout after",
        &[
            "timeout after DATA from unknown[192.0.2.7]",
            "connect to example.com[192.0.2.25]:25: Connection timed out",
        ],
    )
    .retry(),
    error(
        "connection-lost",
        concat!(
            r"(?i)lost connection|connection (?:reset|refused|lost|dropped)|too many errors|",
            r"non-SMTP command|improper command|unexpected disconnection|",
            r"Disconnected: (?:Connection closed|Inactivity)"
        ),
        &[
            "lost connection after AUTH from unknown[192.0.2.7]",
            "imap-login: Disconnected: Inactivity (no auth attempts in 180 secs): rip=192.0.2.7",
        ],
    )
    .reset(),
    event(
        "mail",
        concat!(
            r"(?i)status=sent|: (?:from|to|client|message-id|uid|removed|sender)\b|",
            r"^(?:dis)?connect(?:ed)? from|disconnect from|Login: |Logged out|statistics: |",
            r"stat=Sent|<=|=>|Completed|Connection closed|Disconnected"
        ),
        &[
            "A1: to=<a@example.com>, relay=mx[192.0.2.25]:25, delay=0.5, status=sent (250 OK)",
            "connect from mx.example.com[192.0.2.25]",
            "A1: removed",
            "imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.1",
        ],
    ),
    error(
        "mail-error",
        r"(?i)^(?:\S+: )?(?:error|fatal|panic|warning)|\berror\b|\bfail|TLS",
        &[
            "warning: hostname a.example.com does not resolve to address 192.0.2.7",
            "fatal: no SASL authentication mechanisms",
        ],
    ),
    event(
        "mail-daemon",
        r"(?i)daemon started|starting|reload|refreshing|master",
        &["daemon started -- version 3.7.11, configuration /etc/postfix"],
    ),
];

pub static WEB: Family = Family {
    programs: &[
        "nginx",
        "uhttpd",
        "lighttpd",
        "httpd",
        "apache2",
        "haproxy",
        "php-fpm",
        "caddy",
        "traefik",
        "squid",
        "webconfigurator",
        "varnishd",
        "php",
    ],
    worse: "",
    rules: &WEB_RULES,
};

static WEB_RULES: [Rule; 7] = [
    error(
        "auth-failure",
        concat!(
            r"(?i)auth\w*(?: \S+){0,2} (?:error|fail)|login fail|failed login|password mismatch|",
            r"user \S+ (?:not found|was not found)|no user/password|Access denied"
        ),
        &[
            "/index.php: webConfigurator authentication error for user 'toto' from: 10.0.0.1",
            concat!(
                "2025/11/05 20:47:03 [error] 24#23: *9 user \"a\" was not found in \"/etc/htpasswd\",",
                " client: 192.0.2.1"
            ),
        ],
    ),
    error(
        "upstream-failed",
        concat!(
            r"(?i)upstream (?:timed out|prematurely|sent)|connect\(\) failed|no live upstreams|",
            r"Server \S+ is DOWN|bad gateway|no server available"
        ),
        &[
            concat!(
                "2025/11/05 20:47:03 [error] 24#23: *9 upstream timed out (110: Connection timed ",
                "out) while connecting"
            ),
            "Server app/web1 is DOWN, reason: Layer4 timeout",
        ],
    )
    .retry(),
    // A code of 500 and above is a server's error, and its own error code.
    event(
        "http-status",
        r#"HTTP/\d(?:\.\d)?" (?P<error_code>5\d\d) |" (?:4\d\d|3\d\d|2\d\d|1\d\d) \d"#,
        &[
            "192.0.2.1 - - [05/Nov/2025:20:47:03 +0000] \"GET / HTTP/1.1\" 502 157 \"-\" \"curl\"",
            "192.0.2.1 - - [05/Nov/2025:20:47:03 +0000] \"GET / HTTP/1.1\" 200 612",
        ],
    ),
    error(
        "web-error",
        concat!(
            r"\[(?:error|crit|alert|emerg|\w+:error)\]|(?i:\bfatal error\b|PHP (?:Fatal|Warning|",
            r"Parse)|segfault|exited on signal|out of memory)"
        ),
        &[
            concat!(
                "2025/11/05 20:47:03 [error] 24537#230441: *914 open() \"/usr/local/www/x\" failed ",
                "(2: No such file or directory), client: 192.0.2.1"
            ),
            "PHP Fatal error:  Uncaught Error in /a.php:1",
        ],
    ),
    event(
        "login",
        r"(?i)success(?:ful(?:ly)?)? (?:login|logged|auth)|logged (?:in|out)|Session timed out for user",
        &["/index.php: Successful login for user 'admin' from: 10.0.0.1 (Local Database)"],
    ),
    error(
        "web-failed",
        r"(?i)\bfail|\berror\b|timed? ?out|refused|denied",
        &["failed to bind to 0.0.0.0:80"],
    ),
    event(
        "web",
        r"(?i)start|stop|reload|GET |POST |HTTP/",
        &["/usr/local/sbin/pfctl started", "reloading configuration"],
    ),
];

pub static LOGIN: Family = Family {
    programs: &[
        "sudo",
        "su",
        "login",
        "smb",
        "smbd",
        "smbd_audit",
        "vsftpd",
        "proftpd",
        "pure-ftpd",
        "telnetd",
        "radiusd",
        "freeradius",
        "asterisk",
        "kamailio",
        "cockpit-session",
        "systemd-logind",
        "pam",
        "gdm-password",
        "polkitd",
        "luci",
        "rpcd",
        "vpnauth",
        "mysqld",
        "mariadbd",
        "postgres",
        "nextcloud",
        "gitea",
        "sddm",
        "xrdp",
        "winbindd",
    ],
    worse: "",
    rules: &LOGIN_RULES,
};

static LOGIN_RULES: [Rule; 5] = [
    event(
        "login-ok",
        r"NT_STATUS_OK",
        &["Auth: [SMB2,(null)] user []\\[toto] at [x] with [NTLMv2] status [NT_STATUS_OK] workstation []"],
    ),
    error(
        "auth-failure",
        concat!(
            r"(?i)authentication (?:failure|error|failed)|(?:login|logon|auth) (?:fail|incorrect|",
            r"error|attempt failed)|failed (?:login|password|logon)|FAIL LOGIN|NT_STATUS_|",
            r"incorrect password|wrong password|access denied|permission denied|tally \d+, deny|",
            r"not in sudoers|user unknown|Login incorrect|no such user|failed for '|",
            r"password authentication failed|authentication_fail|account locked|invalid (?:user|",
            r"password)"
        ),
        &[
            concat!(
                "pam_unix(sudo:auth): authentication failure; logname=a uid=4001 euid=0 ",
                "tty=/dev/pts/12 ruser=a rhost=  user=a"
            ),
            "pam_tally2(sudo:auth): user a (4001) tally 6, deny 5",
            concat!(
                "Auth: [SMB2,(null)] user []\\[toto] at [x] with [NTLMv2] status ",
                "[NT_STATUS_NO_SUCH_USER] workstation []"
            ),
            concat!(
                "NOTICE[123]: Registration from '\"a\" <sip:a@192.0.2.1>' failed for ",
                "'192.0.2.7:5060' - Wrong password"
            ),
            "USER a (Login failed): Incorrect password.",
        ],
    ),
    error(
        "login-timeout",
        r"(?i)timed? ?out|unreachable|is now Lagged",
        &["NOTICE[123]: -- Registration for 'a@sip.example.com' timed out, trying again (Attempt #2)"],
    )
    .retry(),
    error(
        "login-error",
        r"(?i)\berror\b|\bfail|refused|reject|denied",
        &["Rejecting request: error in EAP module"],
    ),
    event(
        "login",
        concat!(
            r"(?i)session (?:opened|closed)|COMMAND=|Accepted|logged (?:in|out)|New session|",
            r"Removed session|login|connect|OK"
        ),
        &[
            "a : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/bin/ls",
            "pam_unix(sudo:session): session opened for user root by a(uid=0)",
        ],
    ),
];
