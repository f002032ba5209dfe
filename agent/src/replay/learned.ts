/**
 * The forests that a replay scores with: read from where an agent keeps them, or fitted on the first part of the
 * lines. Nothing is written. The same rows and seed give the same forest.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SCOPES, type Scope } from '@lineheron/models';
import { type Manifest, ModelStore, manifestSchema } from '@lineheron/models/persist';
import type { Engine } from '@lineheron/native';
import { EXIT, ExitError } from '../exit-code.js';
import { messageOf } from '../log.js';
import { fitScope, MIN_TRAINING_ROWS } from '../score/fit.js';
import type { Scoring } from '../score/scoring.js';

export interface Learned {
  scope: Scope;
  payload: Uint8Array;
  /** By contamination: where the forest is heard alone. */
  threshold: number;
  /** What its training windows say of rare scores: where the budget counts. */
  metrics: Manifest['metrics'];
  rows: number;
  release: number | null;
}

const MAX_ROWS = 16_384;

async function fromFolder(folder: string, engine: Engine): Promise<Learned[]> {
  const store = new ModelStore(folder);
  const found = await Promise.all(
    SCOPES.map((scope) => store.load('isolation_forest', scope, engine.fingerprint)),
  );
  return found.flatMap((model) => {
    if (!model) return [];
    return [learnedOf(model.manifest, model.payload)];
  });
}

async function fromManifest(path: string): Promise<Learned[]> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  if (manifest.kind !== 'isolation_forest')
    throw new Error(`is a model of kind ${manifest.kind}, not a forest`);
  const payload = await readFile(join(dirname(path), `${manifest.sha256}.bin`));
  return [learnedOf(manifest, payload)];
}

function learnedOf({ scope, threshold, metrics, rows, release }: Manifest, payload: Uint8Array): Learned {
  return { scope, payload, threshold, metrics, rows, release };
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

/** Takes forests into use, each with the threshold that the agent would give it. Throws ExitError when one does not fit. */
export function useLearned(scoring: Scoring, learned: readonly Learned[], name: string): void {
  for (const model of learned) {
    try {
      scoring.useForest(model, model.payload);
    } catch (error) {
      throw new ExitError(
        EXIT.noInput,
        `${basename(name)}: the ${model.scope} forest cannot be used: ${messageOf(error)}`,
      );
    }
  }
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

  /** Devices' windows seen, too few to learn from; null when there are enough. */
  get tooFew(): number | null {
    const { length } = this.rows.device;
    return length < MIN_TRAINING_ROWS ? length : null;
  }

  /** Fits a forest for every scope that has enough windows. */
  async learn(engine: Engine, contamination: number, windowSeconds: number): Promise<Learned[]> {
    const learned: Learned[] = [];
    for (const scope of SCOPES) {
      const rows = this.rows[scope];
      if (rows.length < MIN_TRAINING_ROWS) continue;
      const { bytes, threshold, tail } = await fitScope(rows, {
        engine,
        seed: this.seed,
        contamination,
        windowSeconds,
      });
      learned.push({
        ...{ scope, payload: bytes, threshold },
        ...{ metrics: { ...tail }, rows: rows.length, release: null },
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
