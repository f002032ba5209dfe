/**
 * The retained `state/<device>` of every device: flat, for programs that know nothing of lineheron. Told when it
 * changes in kind, else every 30 s, and cleared when a device is forgotten. Bounded: the device silent longest goes.
 */
import {
  anomalySentence,
  type DeviceState,
  GATEWAY_DEVICE,
  type ScoredWindow,
  topics,
  type Verdict,
} from '@lineheron/models';

export interface DeviceStatesOptions {
  agent: string;
  featureNames: readonly string[];
  maxDevices: number;
  /** False when it could not be sent now. An empty payload clears. */
  publish: (topic: string, payload: string) => boolean;
  monotonicMs: () => number;
}

const REPEAT_MS = 30_000;

interface Entry {
  state: DeviceState;
  /** Kind of state that was sent last; null when nothing was. */
  sentKind: string | null;
  sentMs: number;
}

export class DeviceStates {
  /** In the order of the last news, so that the first is silent longest. */
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: DeviceStatesOptions) {}

  update(windows: ReadonlyMap<string, ScoredWindow>): void {
    for (const [device, window] of windows) {
      const earlier = this.entries.get(device);
      const state = this.stateOf(window, earlier?.state);
      this.entries.delete(device);
      const entry = { state, sentKind: earlier?.sentKind ?? null, sentMs: earlier?.sentMs ?? 0 };
      this.entries.set(device, entry);
      this.tell(entry);
    }
    this.evict();
  }

  /** The collector's opinion of the episode that is open on a device. */
  review({ device, status, verdict }: Verdict): void {
    const entry = this.entries.get(device);
    if (!entry || entry.state.episode === null || status !== 'open') return;
    entry.state.verdict = verdict;
    this.tell(entry);
  }

  /** A broker may have forgotten everything: tell it all again. */
  republish(): void {
    for (const entry of this.entries.values()) {
      entry.sentKind = null;
      this.tell(entry);
    }
  }

  private tell(entry: Entry): void {
    const { agent, publish, monotonicMs } = this.options;
    const { state } = entry;
    const kind = `${state.state} ${state.suspect} ${state.episode} ${state.verdict}`;
    const nowMs = monotonicMs();
    if (kind === entry.sentKind && nowMs - entry.sentMs < REPEAT_MS) return;
    if (!publish(topics.state(agent, state.device), JSON.stringify(state))) return;
    entry.sentKind = kind;
    entry.sentMs = nowMs;
  }

  private stateOf(window: ScoredWindow, earlier: DeviceState | undefined): DeviceState {
    const feature = (name: string) => window.features[this.options.featureNames.indexOf(name)] ?? null;
    const same = window.episode !== null && earlier?.episode === window.episode;
    return {
      agent: this.options.agent,
      device: window.device,
      at: window.end,
      state: window.state,
      score: window.score,
      threshold: window.threshold,
      suspect: window.suspect,
      episode: window.episode,
      verdict: window.episode === null ? null : same ? (earlier?.verdict ?? 'unreviewed') : 'unreviewed',
      latency_ms: feature('latency_mean'),
      packet_loss_pct: feature('packet_loss_mean'),
      traffic_mb: feature('traffic_mean'),
      error_rate: feature('error_rate'),
      summary: summaryOf(window).slice(0, 1024),
    };
  }

  private evict(): void {
    while (this.entries.size > this.options.maxDevices) {
      const [device] = this.entries.keys();
      if (device === undefined) return;
      this.entries.delete(device);
      this.options.publish(topics.state(this.options.agent, device), '');
    }
  }
}

function summaryOf(window: ScoredWindow): string {
  const subject = window.device === GATEWAY_DEVICE ? 'The gateway as a whole' : window.device;
  if (window.suspect) return anomalySentence(window.device, window.reasons);
  if (window.episode !== null) return `${subject} is recovering.`;
  if (window.state === 'warming_up') return `${subject}: the first window is filling.`;
  if (window.state === 'untrained') return `${subject}: no model is trained yet.`;
  if (window.state === 'stopped') return `${subject}: detection is off.`;
  return `${subject} behaves as usual.`;
}
