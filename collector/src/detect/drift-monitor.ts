/**
 * Measures drift agent by agent from the windows that a model might learn from: of each line one in a window's length,
 * so that they count as independent. Counters fade: they stand for the last few hundred. Drift that goes on is
 * *lasting*, and a reason to train anew. Pure state on event time; bounded in agents and in lines of each.
 */
import type { AgentDrift, Feature, Scope } from '@lineheron/models';
import { binOf, largestShift, type Shift } from './drift.js';
import type { TrainingProfile } from './training-profile.js';

export interface NormalWindow {
  agent: string;
  scope: Scope;
  fingerprint: string;
  device: string;
  endMs: number;
  windowMs: number;
  features: ReadonlyArray<number | null>;
  /** The model's own; null when it did not review it. */
  score: number | null;
}

/** The model that windows of a kind are compared with; null when there is none or nothing is known of its training. */
export type ProfileOf = (
  scope: Scope,
  fingerprint: string,
) => { sha256: string; profile: TrainingProfile } | null;

interface Known {
  scope: Scope;
  fingerprint: string;
  agent: string;
  sha256: string;
  counts: number[][];
  rows: number;
  /** Rows since the model came, and since drift was first found. */
  total: number;
  drift: { shift: Shift; sinceMs: number; sinceTotal: number } | null;
  shift: Shift | null;
  /** Event time of each line's last window that counted. */
  lines: Map<string, number>;
}

/** Independent windows below which nothing is said: an hour of one line, a quarter of an hour of four. */
export const MIN_ROWS = 120;
/** The same of the training: ten minutes of one line. */
export const MIN_TRAINED = 20;
const MAX_ROWS = 480;
const LASTING_ROWS = 60;
const MAX_AGENTS = 10_000;
const MAX_LINES = 1000;
const ASK_EVERY = 10;

export class DriftMonitor {
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly profileOf: ProfileOf,
    private readonly featuresOf: (agent: string) => readonly Feature[] | undefined,
  ) {}

  add(window: NormalWindow): void {
    const { agent, scope, fingerprint, device, endMs, windowMs, features, score } = window;
    const model = this.profileOf(scope, fingerprint);
    const trained = model?.profile.agents[agent];
    if (!model || !trained || features.length + 1 !== model.profile.edges.length) return;
    const known = this.of(window, model.sha256, model.profile);
    const last = known.lines.get(device);
    if (last !== undefined && endMs < last + windowMs && endMs > last - windowMs) return;
    known.lines.delete(device);
    known.lines.set(device, endMs);
    if (known.lines.size > MAX_LINES) known.lines.delete(known.lines.keys().next().value!);
    model.profile.edges.forEach((edges, column) => {
      if (column === features.length && score === null) return;
      const value = column < features.length ? (features[column] ?? null) : score;
      known.counts[column]![binOf(edges, value)]!++;
    });
    known.rows++;
    known.total++;
    if (known.rows >= MAX_ROWS) fade(known);
    if (known.rows >= MIN_ROWS && known.total % ASK_EVERY === 0) this.judge(known, model.profile, endMs);
  }

  /** What is known of every agent of a kind of windows, the farthest first. */
  view(scope: Scope, fingerprint: string): AgentDrift[] {
    return [...this.known.values()]
      .filter((known) => known.scope === scope && known.fingerprint === fingerprint)
      .map((known) => this.driftOf(known))
      .sort((a, b) => (b.psi ?? 0) / (b.bound ?? 1) - (a.psi ?? 0) / (a.bound ?? 1));
  }

  /** Kinds of windows of which some agent's drift lasts, with the model that they drifted from. */
  get lasting(): Array<{ scope: Scope; fingerprint: string; sha256: string }> {
    const found = [...this.known.values()].filter(isLasting);
    const kinds = new Map(found.map((one) => [`${one.scope}/${one.fingerprint}`, one]));
    return [...kinds.values()].map(({ scope, fingerprint, sha256 }) => ({ scope, fingerprint, sha256 }));
  }

  private judge(known: Known, { edges, agents }: TrainingProfile, endMs: number): void {
    const trained = agents[known.agent]!;
    if (trained.rows < MIN_TRAINED) return;
    const bins = edges.map((edge, column) => ({ edges: edge, shares: trained.shares[column] ?? [] }));
    const shift = largestShift(bins, known.counts, trained.rows);
    known.shift = shift;
    if (shift === null || shift.psi <= shift.bound) known.drift = null;
    else known.drift = { ...(known.drift ?? { sinceMs: endMs, sinceTotal: known.total }), shift };
  }

  private driftOf(known: Known): AgentDrift {
    const { agent, rows, shift, drift } = known;
    const names = [...(this.featuresOf(agent) ?? []).map(({ name }) => name), 'autoencoder_score'];
    return {
      agent,
      windows: Math.round(rows),
      state:
        shift === null ? 'too_little' : drift === null ? 'none' : isLasting(known) ? 'lasting' : 'drifting',
      feature: shift === null ? null : (names[shift.feature] ?? null),
      psi: shift?.psi ?? null,
      bound: shift?.bound ?? null,
      since: drift === null ? null : new Date(drift.sinceMs).toISOString(),
    };
  }

  private of({ agent, scope, fingerprint }: NormalWindow, sha256: string, profile: TrainingProfile): Known {
    const key = `${scope}/${fingerprint}/${agent}`;
    const before = this.known.get(key);
    // Another model has another normal.
    if (before?.sha256 === sha256) return before;
    const counts = profile.edges.map((edges) => new Array<number>(edges.length + 2).fill(0));
    const lines = before?.lines ?? new Map<string, number>();
    const kind = { scope, fingerprint, agent, sha256, lines };
    const fresh: Known = { ...kind, counts, rows: 0, total: 0, drift: null, shift: null };
    this.known.delete(key);
    this.known.set(key, fresh);
    if (this.known.size > MAX_AGENTS) this.known.delete(this.known.keys().next().value!);
    return fresh;
  }
}

function isLasting({ drift, total }: Known): boolean {
  return drift !== null && total - drift.sinceTotal >= LASTING_ROWS;
}

function fade(known: Known): void {
  known.rows /= 2;
  known.counts = known.counts.map((counts) => counts.map((count) => count / 2));
}
