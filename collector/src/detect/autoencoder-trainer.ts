/**
 * Trains one autoencoder from gathered and stored windows, keeps it durably and hands it over. The fitting itself
 * runs in Rust, off this thread. `native` is loaded only here and only when a training comes.
 */
import { meanFrequency, type Scope, scoreTail } from '@lineheron/models';
import {
  MAX_MANIFEST_LINES,
  type Manifest,
  type ModelStore,
  type ProfileFiles,
  trainingProfile,
} from '@lineheron/models/persist';
import { columnQuantiles, type QuantileFiles } from './quantiles.js';
import type { GatheredWindow } from './row-buffer.js';

/** Stored windows, row after row; the store gives them so. */
export interface HistoryRows {
  columns: number;
  rows: Float32Array;
  agents: string[];
  /** How many rows each of them gave, in their order. */
  counts: number[];
  /** How many rows each line gave. */
  lines: { agent: string; device: string; rows: number }[];
  oldestMs: number | null;
  newestMs: number | null;
}

export interface FitRequest {
  scope: Scope;
  fingerprint: string;
  gathered: readonly GatheredWindow[];
  history: HistoryRows | null;
  epochs: number;
}

export interface FitResult {
  manifest: Manifest;
  epochsRun: number;
}

/** Fewest windows that a model may be trained on. */
export const MIN_ROWS = 60;

export interface TrainerOptions {
  models: ModelStore;
  quantiles: QuantileFiles;
  profiles: ProfileFiles;
  seed: number;
  thresholdPercentile: number;
  windowSeconds: number;
  now: () => number;
  use: (manifest: Manifest, payload: Uint8Array) => Promise<void>;
}

export class AutoencoderTrainer {
  constructor(private readonly options: TrainerOptions) {}

  /** Rejects with a plain sentence when there is too little to learn from. */
  async fit({ scope, fingerprint, gathered, history, epochs }: FitRequest): Promise<FitResult> {
    const { seed, thresholdPercentile, windowSeconds, models, quantiles, profiles, now } = this.options;
    const table = joinRows(gathered, history);
    const count = rowCount(gathered, history);
    if (count < MIN_ROWS) throw new Error(`${count} windows are too few: ${MIN_ROWS} are needed`);
    const { trainAutoencoder } = await import('@lineheron/native');
    const startMs = performance.now();
    const trained = await trainAutoencoder(table.rows, table.columns, {
      epochs,
      seed,
      thresholdPercentile,
      fingerprint,
    });
    const tail = scoreTail(trained.scores, meanFrequency(table.rows, table.columns), windowSeconds);
    const manifest = await models.save(
      {
        kind: 'autoencoder',
        scope,
        fingerprint,
        trained_at: new Date(now()).toISOString(),
        ...trainingSpan(gathered, history),
        rows: trained.rows,
        seed,
        threshold: trained.threshold,
        training_ms: performance.now() - startMs,
        agents: [...new Set([...gathered.map(({ agent }) => agent), ...(history?.agents ?? [])])].sort(),
        lines: linesOf(gathered, history),
        metrics: {
          epochs_run: trained.epochsRun,
          training_loss: trained.trainingLoss,
          parameters: trained.parameters,
          ...tail,
          ...(trained.validationLoss === null ? {} : { validation_loss: trained.validationLoss }),
        },
      },
      trained.onnx,
    );
    await quantiles.save(scope, fingerprint, manifest.sha256, columnQuantiles(table.rows, table.columns));
    const independent = Math.min(1, tail.effective_rows / table.agents.length);
    await profiles.save(
      scope,
      fingerprint,
      manifest.sha256,
      trainingProfile(table.rows, table.columns, trained.scores, table.agents, independent),
    );
    await this.options.use(manifest, trained.onnx);
    return { manifest, epochsRun: trained.epochsRun };
  }
}

export function rowCount(gathered: readonly GatheredWindow[], history: HistoryRows | null): number {
  return gathered.length + (history && history.columns > 0 ? history.rows.length / history.columns : 0);
}

function joinRows(gathered: readonly GatheredWindow[], history: HistoryRows | null) {
  const columns = gathered[0]?.features.length ?? history?.columns ?? 0;
  const fitting = gathered.filter(({ features }) => features.length === columns);
  const kept = history && history.columns === columns ? history.rows : new Float32Array(0);
  const rows = new Float64Array(fitting.length * columns + kept.length);
  fitting.forEach(({ features }, row) => {
    features.forEach((value, column) => {
      rows[row * columns + column] = value ?? Number.NaN;
    });
  });
  rows.set(kept, fitting.length * columns);
  const stored = kept.length === 0 ? [] : (history?.agents ?? []);
  const agents = fitting.map(({ agent }) => agent);
  stored.forEach((agent, place) => {
    for (let row = 0; row < (history?.counts[place] ?? 0); row++) agents.push(agent);
  });
  return { rows, columns, agents };
}

/** How many windows each line gave; of more lines than a manifest holds, those that gave most. */
function linesOf(gathered: readonly GatheredWindow[], history: HistoryRows | null): HistoryRows['lines'] {
  const lines = new Map<string, HistoryRows['lines'][number]>();
  const add = (agent: string, device: string, rows: number) => {
    const key = `${agent}/${device}`;
    lines.set(key, { agent, device, rows: (lines.get(key)?.rows ?? 0) + rows });
  };
  for (const { agent, device } of gathered) add(agent, device, 1);
  for (const { agent, device, rows } of history?.lines ?? []) add(agent, device, rows);
  return [...lines.values()].sort((a, b) => b.rows - a.rows).slice(0, MAX_MANIFEST_LINES);
}

function trainingSpan(gathered: readonly GatheredWindow[], history: HistoryRows | null) {
  const ends = gathered.map(({ endMs }) => endMs);
  if (history?.oldestMs != null) ends.push(history.oldestMs);
  if (history?.newestMs != null) ends.push(history.newestMs);
  const at = (ms: number) => new Date(ms).toISOString();
  const [from, to] = [ends.reduce((a, b) => Math.min(a, b)), ends.reduce((a, b) => Math.max(a, b))];
  return { training_from: at(from), training_to: at(to) };
}
