/**
 * One trained autoencoder in an ONNX Runtime session. `session.run` works on the calling thread, so windows are
 * scored in batches. The session is made from bytes whose checksum was verified; external data is never followed. A
 * file of an earlier layout is a graph like any other here, and goes on working with its own threshold.
 */
import type { Manifest } from '@lineheron/models/persist';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Quantiles } from './quantiles.js';

export interface BatchScores {
  /** One score a row. */
  scores: Float32Array;
  /** One error a feature, row after row. */
  errors: Float32Array;
}

/** Fewer training windows of a line say too little of how it is. */
const MIN_LINE_ROWS = 30;
const MEASURED_ROWS = 64;
const MEASURED_RUNS = 5;
/** Larger batches are cut, so that one run never holds the thread for long. */
const MAX_ROWS = 4096;

export class Autoencoder {
  /** Lines that gave enough windows to its training, as `agent/device`. */
  private readonly known: ReadonlySet<string>;

  private constructor(
    readonly manifest: Manifest,
    readonly columns: number,
    readonly quantiles: Quantiles | null,
    private readonly session: InferenceSession,
    /** Mean time for one score in a batch of 64, µs. */
    readonly inferenceUs: number,
    readonly memoryBytes: number,
  ) {
    const enough = (manifest.lines ?? []).filter(({ rows }) => rows >= MIN_LINE_ROWS);
    this.known = new Set(enough.map(({ agent, device }) => `${agent}/${device}`));
  }

  /** Builds the session, tries it on rows of nothing but missing values, and measures it. */
  static async load(
    manifest: Manifest,
    payload: Uint8Array,
    quantiles: Quantiles | null,
  ): Promise<Autoencoder> {
    // The first session also pays for the runtime itself, so memory is measured on a second one.
    await (await openSession(payload)).release();
    const before = process.memoryUsage.rss();
    const session = await openSession(payload);
    const columns = inputColumns(session);
    const trial = new Float32Array(MEASURED_ROWS * columns).fill(Number.NaN);
    await run(session, trial, columns);
    const grown = process.memoryUsage.rss() - before;
    const startMs = performance.now();
    for (let turn = 0; turn < MEASURED_RUNS; turn++) await run(session, trial, columns);
    const inferenceUs = ((performance.now() - startMs) * 1000) / (MEASURED_RUNS * MEASURED_ROWS);
    const memoryBytes = Math.max(payload.byteLength, grown);
    return new Autoencoder(manifest, columns, quantiles, session, inferenceUs, memoryBytes);
  }

  /** Whether it was trained on enough windows of this line. */
  knows({ agent, device }: { agent: string; device: string }): boolean {
    return this.known.has(`${agent}/${device}`);
  }

  async score(rows: Float32Array): Promise<BatchScores> {
    const count = rows.length / this.columns;
    if (count <= MAX_ROWS) return run(this.session, rows, this.columns);
    const whole: BatchScores = { scores: new Float32Array(count), errors: new Float32Array(rows.length) };
    for (let first = 0; first < count; first += MAX_ROWS) {
      const part = rows.subarray(first * this.columns, (first + MAX_ROWS) * this.columns);
      const { scores, errors } = await run(this.session, part, this.columns);
      whole.scores.set(scores, first);
      whole.errors.set(errors, first * this.columns);
    }
    return whole;
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}

/**
 * One thread: the network is so small that a second one only waits (a batch of 1,024 rows of 19 takes 0.15–0.19 ms of
 * processor time on one, 0.35 ms on two). Memory arena, memory patterns and the level of optimisation make no
 * difference that could be measured, so they stay at the runtime's defaults.
 */
function openSession(payload: Uint8Array): Promise<InferenceSession> {
  const threads = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  return InferenceSession.create(payload, { ...threads, executionMode: 'sequential' });
}

async function run(session: InferenceSession, rows: Float32Array, columns: number): Promise<BatchScores> {
  const input = new Tensor('float32', rows, [rows.length / columns, columns]);
  const { score, errors } = await session.run({ features: input });
  if (!(score?.data instanceof Float32Array) || !(errors?.data instanceof Float32Array)) {
    throw new Error('the model has not the outputs `score` and `errors`');
  }
  return { scores: score.data, errors: errors.data };
}

function inputColumns(session: InferenceSession): number {
  const input = session.inputMetadata.find(({ name }) => name === 'features');
  const columns = input?.isTensor ? input.shape.at(-1) : undefined;
  if (typeof columns !== 'number' || columns < 1) {
    throw new Error('the model has no input `features` with a fixed number of columns');
  }
  return columns;
}
