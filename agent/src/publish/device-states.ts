/**
 * The retained `state/<device>` of every device: flat, for programs that know nothing of lineheron. Told when it
 * changes in kind, else every 30 s, and cleared when a device is forgotten. Bounded: the device silent longest goes.
 */
import {
  anomalySentence,
  type DeviceState,
  edgeDetectors,
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
/** Repeats in one go: what was told together must not be repeated together for ever. */
const MAX_REPEATS = 500;

/** An alert that the collector opened by itself. */
interface CollectorAlert {
  id: string;
  verdict: Verdict['verdict'];
}

interface Entry {
  state: DeviceState;
  /** The newest episode of ours, open or not. */
  lastEpisode: string | null;
  alert: CollectorAlert | null;
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
      this.entries.delete(device);
      const entry: Entry = {
        state: this.stateOf(window, earlier),
        lastEpisode: window.episode ?? earlier?.lastEpisode ?? null,
        alert: earlier?.alert ?? null,
        sentKind: earlier?.sentKind ?? null,
        sentMs: earlier?.sentMs ?? 0,
      };
      this.entries.set(device, entry);
      this.tell(entry);
    }
    this.evict();
  }

  /**
   * The collector's opinion of the episode that is open on a device, or of an alert that it opened itself while none
   * of ours is. What comes late, for an episode of ours that is over, is left.
   */
  review({ alert, device, status, verdict }: Verdict): void {
    const entry = this.entries.get(device);
    if (!entry) return;
    const open = status === 'open';
    if (alert === entry.lastEpisode) {
      if (open && alert === entry.state.episode) entry.state.verdict = verdict;
    } else if (!open) {
      if (alert === entry.alert?.id) this.forgetAlert(entry);
    } else if (entry.state.episode === null) {
      entry.alert = { id: alert, verdict };
      entry.state.verdict = verdict;
    }
    this.tell(entry);
  }

  /** An episode has ended. Says so where no window did: the device has fallen silent. */
  close(device: string, episode: string): void {
    const entry = this.entries.get(device);
    if (entry?.state.episode !== episode) return;
    const summary = `${subjectOf(device)} has fallen silent.`;
    const verdict = entry.alert?.verdict ?? null;
    entry.state = { ...entry.state, suspect: false, episode: null, verdict, summary };
    this.tell(entry);
  }

  /** A device that reported regularly has fallen silent; its next window says how it is again. */
  stale(device: string, summary: string): void {
    const entry = this.entries.get(device);
    if (!entry) return;
    entry.state = { ...entry.state, state: 'stale', suspect: false, summary };
    this.tell(entry);
  }

  /** Repeats what is due, whether or not a window comes. Cheap to call often. */
  repeatDue(): void {
    const nowMs = this.options.monotonicMs();
    let repeated = 0;
    for (const entry of this.entries.values()) {
      if (nowMs - entry.sentMs < REPEAT_MS) continue;
      if (!this.tell(entry)) return;
      repeated += 1;
      if (repeated >= MAX_REPEATS) return;
    }
  }

  /** A broker may have forgotten everything: tell it all again. */
  republish(): void {
    for (const entry of this.entries.values()) {
      // That the collector closed its alert may have been said to nobody.
      this.forgetAlert(entry);
      entry.sentKind = null;
      this.tell(entry);
    }
  }

  private forgetAlert(entry: Entry): void {
    entry.alert = null;
    if (entry.state.episode === null) entry.state.verdict = null;
  }

  /** False when it could not be sent now. */
  private tell(entry: Entry): boolean {
    const { agent, publish, monotonicMs } = this.options;
    const { state } = entry;
    const kind = `${state.state} ${state.suspect} ${state.episode} ${state.verdict}`;
    const nowMs = monotonicMs();
    if (kind === entry.sentKind && nowMs - entry.sentMs < REPEAT_MS) return true;
    if (!publish(topics.state(agent, state.device), JSON.stringify(state))) return false;
    entry.sentKind = kind;
    entry.sentMs = nowMs;
    return true;
  }

  private stateOf(window: ScoredWindow, earlier: Entry | undefined): DeviceState {
    const feature = (name: string) => window.features[this.options.featureNames.indexOf(name)] ?? null;
    const same = window.episode !== null && earlier?.state.episode === window.episode;
    const reviewed = same ? (earlier?.state.verdict ?? 'unreviewed') : 'unreviewed';
    return {
      agent: this.options.agent,
      device: window.device,
      at: window.end,
      state: window.state,
      score: window.score,
      threshold: window.threshold,
      baseline_nats: window.baseline?.nats ?? null,
      baseline_threshold: window.baseline?.threshold ?? null,
      suspect: window.suspect,
      detectors: edgeDetectors(window).join(','),
      episode: window.episode,
      verdict: window.episode === null ? (earlier?.alert?.verdict ?? null) : reviewed,
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

function subjectOf(device: string): string {
  return device === GATEWAY_DEVICE ? 'The gateway as a whole' : device;
}

function summaryOf(window: ScoredWindow): string {
  const subject = subjectOf(window.device);
  if (window.suspect) return anomalySentence(window.device, window.reasons);
  if (window.episode !== null) return `${subject} is recovering.`;
  if (window.state === 'warming_up') return `${subject}: the first window is filling.`;
  if (window.state === 'untrained') return `${subject}: no model is trained yet.`;
  if (window.state === 'stopped') return `${subject}: detection is off.`;
  return `${subject} behaves as usual.`;
}
