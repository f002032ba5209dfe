/**
 * The forests that a replay scores with: read from where an agent keeps them, or fitted on the first part of the
 * lines. Nothing is written. The same rows and seed give the same forest.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SCOPES, type Scope } from '@lineheron/models';
import { ModelStore, manifestSchema } from '@lineheron/models/persist';
import { type Engine, fitForest } from '@lineheron/native';
import { EXIT, ExitError } from '../exit-code.js';
import { messageOf } from '../log.js';

export interface Learned {
  scope: Scope;
  payload: Uint8Array;
  threshold: number;
  rows: number;
  release: number | null;
}

const MAX_ROWS = 16_384;
/** Fewer windows than this say too little of what is normal; the agent's own training asks for as many. */
const MIN_ROWS = 30;

async function fromFolder(folder: string, engine: Engine): Promise<Learned[]> {
  const store = new ModelStore(folder);
  const found = await Promise.all(
    SCOPES.map((scope) => store.load('isolation_forest', scope, engine.fingerprint)),
  );
  return found.flatMap((model) => {
    if (!model) return [];
    const { scope, threshold, rows, release } = model.manifest;
    return [{ scope, payload: model.payload, threshold, rows, release }];
  });
}

async function fromManifest(path: string): Promise<Learned[]> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  if (manifest.kind !== 'isolation_forest')
    throw new Error(`is a model of kind ${manifest.kind}, not a forest`);
  const payload = await readFile(join(dirname(path), `${manifest.sha256}.bin`));
  const { scope, threshold, rows, release } = manifest;
  return [{ scope, payload, threshold, rows, release }];
}

/**
 * Forests at a path: a manifest (`….json`), a folder of models, or an agent's data folder. Throws ExitError when
 * there are none that fit the engine's features.
 */
export async function loadLearned(path: string, engine: Engine): Promise<Learned[]> {
  const failed = (why: string) => new ExitError(EXIT.noInput, `${path}: ${why}`);
  let learned: Learned[];
  try {
    if ((await stat(path)).isDirectory()) {
      learned = await fromFolder(path, engine);
      if (learned.length === 0) learned = await fromFolder(join(path, 'models'), engine);
    } else learned = await fromManifest(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw failed(code === 'ENOENT' ? 'there is no such model' : messageOf(error));
  }
  if (learned.length > 0) return learned;
  throw failed(
    `holds no forest for these features (fingerprint ${engine.fingerprint}): window length and channels must be the same`,
  );
}

/** Puts forests into use; a given threshold counts in place of their own. Throws ExitError when one does not fit. */
export function useLearned(
  engine: Engine,
  learned: readonly Learned[],
  threshold: number | null,
  name: string,
): void {
  for (const { scope, payload, threshold: own } of learned) {
    try {
      engine.setForest(scope, payload);
    } catch (error) {
      throw new ExitError(
        EXIT.noInput,
        `${basename(name)}: the ${scope} forest cannot be used: ${messageOf(error)}`,
      );
    }
    engine.setThreshold(scope, threshold ?? own);
  }
  // What is compared here are forests and their thresholds.
  engine.setActive('isolation_forest');
  engine.setDetecting(true);
}

/** Windows to learn from: all of them, or a uniform sample once there are too many (Vitter 1985, algorithm R). */
export class Lessons {
  private readonly rows: Record<Scope, (readonly (number | null)[])[]> = { device: [], gateway: [] };
  private readonly seen: Record<Scope, number> = { device: 0, gateway: 0 };
  private state: number;

  constructor(private readonly seed: number) {
    this.state = seed >>> 0;
  }

  add(scope: Scope, features: readonly (number | null)[]): void {
    const rows = this.rows[scope];
    this.seen[scope] += 1;
    if (rows.length < MAX_ROWS) {
      rows.push(features);
      return;
    }
    const place = Math.floor(this.random() * this.seen[scope]);
    if (place < rows.length) rows[place] = features;
  }

  /** Fits a forest for every scope that has enough windows. Throws ExitError when the devices have too few. */
  async learn(engine: Engine, contamination: number): Promise<Learned[]> {
    const { length } = this.rows.device;
    if (length < MIN_ROWS) {
      const why = `only ${length} windows to train on, ${MIN_ROWS} are needed: raise --train-fraction or give --model`;
      throw new ExitError(EXIT.data, why);
    }
    const learned: Learned[] = [];
    for (const scope of SCOPES) {
      const rows = this.rows[scope];
      if (rows.length < MIN_ROWS) continue;
      const { features, fingerprint } = engine;
      const values = Float64Array.from(rows.flatMap((row) => row.map((value) => value ?? Number.NaN)));
      const fitted = await fitForest(values, { fingerprint, features, seed: this.seed, contamination });
      learned.push({
        scope,
        payload: fitted.bytes,
        threshold: fitted.threshold,
        rows: rows.length,
        release: null,
      });
    }
    return learned;
  }

  /** In [0, 1): mulberry32, the same for the same seed on every machine. */
  private random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
