/**
 * One collector a broker. Who serves says so every two seconds, retained; who comes asks first and listens. A claim
 * without a fresh word behind it is that of a dead collector and taken over after five seconds. Of several that ask at
 * once the one that started first goes on, by instance where that is the same. A collector on its own embedded broker
 * never asks. Knows nothing of sockets.
 *
 *   away → asking → serving → away
 *             ↓  ↖     ↓ (pushed out, or held up for so long that another may have come)
 *             standby (another serves; asks again when that one falls silent)
 */
import { type CollectorClaim, collectorClaimSchema } from '@lineheron/models';

export interface FleetClaimOptions {
  me: Omit<CollectorClaim, 'v' | 'state'>;
  monotonicMs: () => number;
  publish: (claim: CollectorClaim, retain: boolean) => void;
  /** `again`: another served meanwhile. */
  onServing: (again: boolean) => void;
  /** Another collector serves here, so this one does not. */
  onStandby: (other: CollectorClaim) => void;
  /** It served, was held up, and has to ask again. */
  onPaused: () => void;
}

const BEAT_MS = 2000;
/** Nobody answered for this long: nobody is there. */
const ASK_MS = 1000;
const BID_MS = 400;
/** A claim is believed for this long without a fresh word; who could not say one for so long may have been replaced. */
const STALE_MS = 5000;
/** Answers to those who ask, however many ask. */
const ANSWER_MS = 200;

type State = 'away' | 'asking' | 'serving' | 'standby';

export class FleetClaim {
  private state: State = 'away';
  private other: CollectorClaim | null = null;
  private ownsBroker = false;
  /** What the broker kept, where that comes before it says that we are subscribed. */
  private early: Uint8Array | null = null;
  private untilMs = 0;
  private saidMs = Number.NEGATIVE_INFINITY;
  private heardMs = 0;
  /** Since when another that outranks us says that it serves. */
  private conflictMs: number | null = null;

  constructor(private readonly options: FleetClaimOptions) {}

  /** The collector that serves in place of this one. */
  get servedBy(): CollectorClaim | null {
    return this.state === 'standby' ? this.other : null;
  }

  /** Connected, and subscribed to the topic. */
  connected(ownsBroker: boolean): void {
    this.ownsBroker = ownsBroker;
    const { early } = this;
    this.early = null;
    if (ownsBroker) this.serve();
    else this.ask();
    if (early) this.hear(early, true);
  }

  disconnected(): void {
    this.state = 'away';
    this.early = null;
    this.conflictMs = null;
  }

  /** `retained`: kept by the broker from before we subscribed. What is no claim is left. */
  hear(payload: Uint8Array, retained: boolean): void {
    if (payload.byteLength === 0) {
      // Another has ended, or asked and was cut off: whoever serves says so again.
      if (this.state === 'serving') this.say();
      else if (this.state === 'standby') this.ask();
      return;
    }
    if (this.state === 'away' && retained) this.early = payload;
    const claim = parse(payload);
    if (claim === null) return;
    const isOwn = claim.instance === this.options.me.instance;
    if (isOwn) {
      // Nobody has served since we did.
      if (retained && this.state === 'asking') this.serve();
    } else if (claim.state === 'serving') this.hearServing(claim, retained);
    else if (!retained) this.hearAsking(claim);
  }

  /** To be called a few times a second. */
  tick(): void {
    const nowMs = this.options.monotonicMs();
    if (this.state === 'serving') {
      if (!this.ownsBroker && nowMs - this.saidMs > STALE_MS) this.pause();
      else if (nowMs - this.saidMs >= BEAT_MS) this.say();
    } else if (this.state === 'asking') {
      if (nowMs >= this.untilMs) this.serve();
      else if (nowMs - this.saidMs >= BID_MS) this.say();
    } else if (this.state === 'standby' && nowMs - this.heardMs > STALE_MS) this.ask();
  }

  private hearServing(claim: CollectorClaim, retained: boolean): void {
    const nowMs = this.options.monotonicMs();
    if (this.state === 'asking') {
      if (retained) this.untilMs = nowMs + STALE_MS;
      else this.standBy(claim);
    } else if (this.state === 'standby') {
      this.other = claim;
      this.heardMs = nowMs;
    } else if (this.state === 'serving' && !this.ownsBroker) this.contest(claim, nowMs);
  }

  private hearAsking(claim: CollectorClaim): void {
    const { me, monotonicMs } = this.options;
    if (this.state === 'serving' && monotonicMs() - this.saidMs >= ANSWER_MS) this.say();
    else if (this.state === 'asking' && outranks(claim, me)) this.standBy(claim);
  }

  /** Two serve, after a broker lost both: the lower one yields, though not to a single message. */
  private contest(claim: CollectorClaim, nowMs: number): void {
    if (!outranks(claim, this.options.me)) {
      if (nowMs - this.saidMs >= ANSWER_MS) this.say();
      return;
    }
    if (this.conflictMs === null || nowMs - this.heardMs > STALE_MS) this.conflictMs = nowMs;
    this.heardMs = nowMs;
    if (nowMs - this.conflictMs >= STALE_MS) this.standBy(claim);
  }

  private ask(): void {
    this.state = 'asking';
    this.untilMs = this.options.monotonicMs() + ASK_MS;
    this.say();
  }

  private serve(): void {
    const again = this.other !== null;
    this.state = 'serving';
    this.other = null;
    this.conflictMs = null;
    this.say();
    this.options.onServing(again);
  }

  private pause(): void {
    this.options.onPaused();
    this.ask();
  }

  private standBy(other: CollectorClaim): void {
    this.state = 'standby';
    this.other = other;
    this.heardMs = this.options.monotonicMs();
    this.options.onStandby(other);
  }

  private say(): void {
    const isServing = this.state === 'serving';
    this.saidMs = this.options.monotonicMs();
    this.options.publish({ v: 1, state: isServing ? 'serving' : 'asking', ...this.options.me }, isServing);
  }
}

/** Who it is and what to do, for people. */
export function otherCollector({ host, pid, address, version, started_at }: CollectorClaim): string {
  const where = address === '' ? '' : `, ${address}`;
  return `another collector serves this broker (host ${host}, process ${pid}${where}, version ${version}, since ${started_at}): stop it, or set mqtt.url (LINEHERON_MQTT_URL) to another broker`;
}

function outranks(
  a: Pick<CollectorClaim, 'started_at' | 'instance'>,
  b: Pick<CollectorClaim, 'started_at' | 'instance'>,
): boolean {
  const [aMs, bMs] = [Date.parse(a.started_at), Date.parse(b.started_at)];
  return aMs === bMs ? a.instance < b.instance : aMs < bMs;
}

function parse(payload: Uint8Array): CollectorClaim | null {
  try {
    return collectorClaimSchema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
  } catch {
    return null;
  }
}
