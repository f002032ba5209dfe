/**
 * What the broker refuses, by reason. Counted here and handed on in bulk, so that a flood of refusals is no flood of
 * messages between threads.
 */

/** Why something was refused, and the sentence that a person reads. Null where it is everyday: lost connections. */
export const REFUSALS = {
  client_error: null,
  connection_error: null,
  bad_packet: 'A client was cut: it speaks no MQTT, or sent a packet that is too large.',
  bad_login: 'A client was refused: wrong user name or password.',
  bad_client_id:
    'A client was refused for its client id: too long, taken, or empty with a session that is to last.',
  bad_topic: 'A client was cut: its topic is invalid, too long, too deep or reserved.',
  bad_filter: 'A subscription was refused: its topic filter is invalid, too long, too deep or reserved.',
  too_many_unconnected: 'Connections were cut that had not sent CONNECT: too many waited at once.',
  no_place:
    'Clients were refused: every place is taken by an agent. Raise mqtt.max_connections, or use a broker of its own.',
  displaced:
    'Idle clients were cut to make room for others: look for what opens connections, or raise mqtt.max_connections.',
  too_many_subscriptions: 'Subscriptions were refused: too many of one client, or of all.',
  too_many_replays:
    'Subscriptions were refused: the client asked for retained messages faster than it takes them.',
  qos2_in_flight: 'A client was cut: too many of its QoS 2 messages waited for PUBREL.',
  partial_packets: 'Clients were cut that held large packets back half sent.',
  slow_client: 'A client was cut: it takes what it subscribed to more slowly than it comes.',
  not_retained: 'Messages were delivered but not retained: their sender, or all together, retain too much.',
  retained_displaced: 'Retained messages of those who retain most gave way to others.',
  no_session: 'Clients were given no lasting session: too many have one.',
  session_dropped: 'A lasting session ended early to make room for another.',
  session_full: 'Messages were not queued for a client that is away: its session is full.',
  accept_failed:
    'Connections could not be accepted: the process may have too few file descriptors (ulimit -n).',
} as const satisfies Record<string, string | null>;

export type RefusalReason = keyof typeof REFUSALS;

const REPORT_MS = 200;

export class Refusals {
  private readonly counts = new Map<RefusalReason, number>();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly report: (counts: Array<[RefusalReason, number]>) => void) {}

  count(reason: RefusalReason): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
    this.timer ??= setTimeout(() => this.flush(), REPORT_MS).unref();
  }

  private flush(): void {
    this.timer = null;
    const counts = [...this.counts];
    this.counts.clear();
    this.report(counts);
  }
}
