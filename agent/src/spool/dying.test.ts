/**
 * The spool of a process that dies at every single change of a file, in three ways. What must hold when the next one
 * starts: what was said to be durable is there, whole, once; what was not is there whole or not at all, and the
 * source's position is that of the last entry that is there.
 *
 * `LINEHERON_KILLS` (npm run faults) dies at every change, a plain test run at some of them.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Counters } from '../counters.js';
import { silentLog } from '../test-support.js';
import { type Death, DyingFiles } from './dying-files.js';
import type { NewBatch } from './entry.js';
import { nodeFiles, type SpoolFiles } from './files.js';
import { Spool } from './spool.js';

const BOOT = '0123456789abcdef';
const APPENDS = 60;
/** A plain run dies at every 19th. */
const STEP = process.env.LINEHERON_KILLS ? 1 : 19;

const isEvent = (sequence: number) => sequence % 20 === 10;

/** One batch with one window, padded with noise so that segments fill. */
function batchOf(sequence: number): NewBatch {
  const atMs = sequence * 200_000;
  const noise = Array.from({ length: 12 }, (_, at) => Math.sin(sequence * 31 + at));
  const end = new Date(atMs).toISOString();
  const suspect = isEvent(sequence);
  const window = { device: 'm', end, suspect, episode: null, features: noise };
  const bytes = Buffer.from(JSON.stringify({ sequence, windows: [window], records: [] }));
  return {
    boot: BOOT,
    sequence,
    windows: 1,
    bytes,
    createdMs: atMs,
    marks: suspect ? [['m', atMs, atMs]] : [],
  };
}

function open(
  folder: string,
  files: SpoolFiles,
  whenFull: 'thin' | 'wait',
  counters = new Counters(),
): Spool {
  const maxBytes = whenFull === 'thin' ? 8_000 : 1_000_000;
  return new Spool({ folder, maxBytes, segmentBytes: 1_500, whenFull, log: silentLog, counters, files });
}

interface Life {
  /** Sequences whose entry was said to be durable. */
  durable: number[];
  acknowledged: Set<number>;
}

/** Appends and acknowledges until the end or until it dies. */
async function live(spool: Spool): Promise<Life> {
  const life: Life = { durable: [], acknowledged: new Set() };
  try {
    await spool.start();
    for (let sequence = 1; sequence <= APPENDS; sequence += 2) {
      await spool.append({
        position: { at: sequence + 1 },
        batches: [batchOf(sequence), batchOf(sequence + 1)],
      });
      life.durable.push(sequence, sequence + 1);
      if (sequence % 9 !== 0) continue;
      for (const { sequence: gone } of spool.acknowledge([
        { boot: BOOT, from: sequence - 5, to: sequence - 2 },
      ])) {
        life.acknowledged.add(gone);
      }
    }
    await spool.close();
  } catch {
    // It died. Whatever came to pass must be found right by the next.
  }
  return life;
}

/** What would be sent, by sequence. */
async function waiting(spool: Spool): Promise<Map<number, { first: number; windows: unknown[] }>> {
  const found = new Map<number, { first: number; windows: unknown[] }>();
  for (;;) {
    const next = spool.oldest(({ sequence }) => found.has(sequence));
    if (!next) return found;
    const batch = JSON.parse((await spool.read(next))!.toString());
    expect(batch.sequence).toBe(next.sequence);
    found.set(next.sequence, { first: batch.first ?? batch.sequence, windows: batch.windows });
  }
}

async function dyingAt(death: Death, diesAt: number, whenFull: 'thin' | 'wait'): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'lineheron-dying-'));
  try {
    const files = new DyingFiles(death, diesAt);
    const life = await live(open(join(folder, 'spool'), files, whenFull));
    await files.bury();
    const counters = new Counters();
    const spool = open(join(folder, 'spool'), nodeFiles, whenFull, counters);
    await spool.start();
    const found = await waiting(spool);
    expect(counters.get('spool_damaged_segments')).toBe(0);
    checkFound(found, life, whenFull);
    const { at } = (spool.position ?? { at: 0 }) as { at: number };
    expect(at).toBeGreaterThanOrEqual(life.durable.at(-1) ?? 0);
    for (const sequence of found.keys()) expect(sequence).toBeLessThanOrEqual(at);
    await spool.append({ position: { at: 999 }, batches: [batchOf(999)] });
    expect((await waiting(spool)).has(999)).toBe(true);
    await spool.close();
    return files.dead;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function checkFound(
  found: Map<number, { first: number; windows: unknown[] }>,
  { durable, acknowledged }: Life,
  whenFull: 'thin' | 'wait',
): void {
  for (const sequence of durable) {
    if (acknowledged.has(sequence)) continue;
    // A thinned spool still holds what happened; all else it stands for with a later batch.
    if (whenFull === 'wait' || isEvent(sequence)) expect(found.has(sequence)).toBe(true);
    else expect([...found].some(([last, { first }]) => first <= sequence && sequence <= last)).toBe(true);
  }
  for (const [sequence, { windows }] of found) {
    const made = JSON.parse(batchOf(sequence).bytes.toString()).windows[0];
    if (whenFull === 'thin' && windows.length === 0) expect(isEvent(sequence)).toBe(false);
    else expect(windows).toMatchObject([made]);
  }
}

describe.each(['clean', 'torn', 'power'] as const)('a %s death', (death) => {
  it.each(['wait', 'thin'] as const)(
    'at any change of a file loses nothing that was durable (a full spool would %s)',
    async (whenFull) => {
      let deaths = 0;
      for (let at = 1 + (STEP > 1 ? 2 : 0); await dyingAt(death, at, whenFull); at += STEP) deaths += 1;
      expect(deaths * STEP).toBeGreaterThan(100);
    },
    300_000,
  );
});
