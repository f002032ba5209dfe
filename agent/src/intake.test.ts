/** The way in, over a real spool and engine: a full spool makes a tail wait, a sick disk loses nothing. */
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ScoreBatch, scoreBatchSchema } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.js';
import { Counters } from './counters.js';
import { Intake } from './intake.js';
import type { Output } from './score/pipeline.js';
import { Feed, Feeds } from './source/feeds.js';
import type { Chunk, Source } from './source/source.js';
import { Spool } from './spool/spool.js';
import { testScoring } from './test-scoring.js';
import { silentLog, until, withFolder } from './test-support.js';

const BOOT = '0123456789abcdef';

const lineOf = (second: number) =>
  `{"timestamp":${1_700_000_000 + second},"device_id":"a","latency_ms":${20 + (second % 7)}}\n`;

/** `count` lines, 50 a chunk; the position is the number of the next line. */
class Numbers implements Source {
  readonly detail = 'numbers';
  readonly phase = 'live';
  pulled = 0;

  constructor(public count: number) {}

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk> {
    while (!signal.aborted) {
      if (this.pulled >= this.count) {
        await systemClock.sleep(10, signal);
        continue;
      }
      const text = Array.from({ length: 50 }, () => lineOf(this.pulled++)).join('');
      const next = this.pulled;
      yield { bytes: Buffer.from(text), emit: true, position: () => ({ next }) };
    }
  }
}

const feedOf = (name: string, canWait: boolean, create: () => Source) =>
  new Feed({ name, type: name, config: null, canWait, format: 0, saved: undefined, create });

async function build(folder: string, count: number, others: Feed[] = []) {
  const counters = new Counters();
  const failures: unknown[] = [];
  const log = silentLog;
  const bounds = { maxBytes: 256 * 1024, segmentBytes: 64 * 1024, whenFull: 'wait' as const };
  const spool = new Spool({ folder: join(folder, 'spool'), ...bounds, log, counters });
  await spool.start();
  const { pipeline } = testScoring({
    boot: BOOT,
    nowMs: () => 1_700_100_000_000,
    onEngineError: (error) => failures.push(error),
  });
  const source = new Numbers(count);
  const durable: Output[] = [];
  const intake = new Intake({
    feeds: new Feeds([feedOf('tail', true, () => source), ...others]),
    pipeline,
    spool,
    clock: systemClock,
    random: () => 0,
    log,
    counters,
    onDurable: (output) => durable.push(output),
  });
  return { intake, spool, source, durable, counters, failures };
}

async function drainOne(spool: Spool): Promise<ScoreBatch | null> {
  const batch = spool.oldest(() => false);
  if (!batch) return null;
  const bytes = await spool.read(batch);
  spool.acknowledge([{ boot: batch.boot, from: batch.sequence, to: batch.sequence }]);
  return bytes ? scoreBatchSchema.parse(JSON.parse(bytes.toString())) : null;
}

describe('Intake', () => {
  it('makes a source wait while the spool is full, then takes everything, in order', () =>
    withFolder(async (folder) => {
      const count = 10_000;
      const { intake, spool, source, counters } = await build(folder, count);
      intake.start();
      await until('a full spool', () => counters.get('spool_full_waits') > 0);
      expect(source.pulled).toBeLessThan(count);
      expect(spool.position).toMatchObject({ sources: { tail: { next: expect.any(Number) } } });
      const records: number[] = [];
      await until('all records', async () => {
        const batch = await drainOne(spool);
        records.push(
          ...(batch?.records ?? []).map(({ timestamp }) => Date.parse(timestamp) / 1000 - 1_700_000_000),
        );
        return records.length >= count;
      });
      expect(records).toEqual(Array.from({ length: count }, (_, index) => index));
      expect(counters.get('spool_dropped_batches')).toBe(0);
      await intake.stop();
      expect(spool.position).toEqual({ sources: { tail: { next: count } } });
      await spool.close();
    }));

  it('has a first position durable before it takes the first line', () =>
    withFolder(async (folder) => {
      const seen: unknown[] = [];
      const placed: Source = {
        detail: 'placed',
        phase: 'live',
        async *chunks() {
          for (const at of [0, 1]) {
            yield { bytes: Buffer.alloc(0), emit: true, durable: true, position: () => ({ at }) };
            seen.push(spool.position);
          }
        },
      };
      const { intake, spool } = await build(folder, 0, [feedOf('placed', true, () => placed)]);
      intake.start();
      await until('the end of the source', () => seen.length === 2);
      expect(seen).toEqual([{ sources: { placed: { at: 0 } } }, { sources: { placed: { at: 1 } } }]);
      await intake.stop();
      await spool.close();
    }));

  it('waits for a disk that refuses, and goes on without a gap', () =>
    withFolder(async (folder) => {
      const { intake, spool, durable, counters, failures } = await build(folder, 100);
      const obstacle = join(folder, 'spool', '000000000001.spool');
      await mkdir(obstacle);
      intake.start();
      await until('a refused write', () => counters.get('spool_write_errors') > 0);
      expect(durable).toEqual([]);
      await rmdir(obstacle);
      await until('durable batches', () => spool.batches > 0);
      await intake.stop();
      const records: unknown[] = [];
      for (let batch = await drainOne(spool); batch; batch = await drainOne(spool))
        records.push(...batch.records);
      expect(records).toHaveLength(100);
      expect(failures).toEqual([]);
      await spool.close();
    }));

  it('at its end makes nothing durable after what the disk refused, so that a tail reads it again', () =>
    withFolder(async (folder) => {
      const { intake, spool, source, counters } = await build(folder, 50);
      const append = spool.append.bind(spool);
      // Only the first batch is refused: on a full disk a smaller entry may fit where a larger one did not.
      spool.append = (entry) =>
        entry.batches.some(({ sequence }) => sequence === 1)
          ? Promise.reject(new Error('no'))
          : append(entry);
      intake.start();
      await until('a refused write', () => counters.get('spool_write_errors') > 0);
      source.count += 50;
      await until('more lines', () => source.pulled === 100);
      await intake.stop();
      expect(counters.get('windows_lost_at_stop')).toBeGreaterThan(0);
      expect(spool.position).toBeUndefined();
      expect(spool.batches).toBe(0);
      await spool.close();
    }));

  it('starts a source that failed again from its position, while the others go on', () =>
    withFolder(async (folder) => {
      const begun: number[] = [];
      let at = 0;
      const failing: Source = {
        detail: 'fails',
        phase: 'live',
        async *chunks() {
          begun.push(systemClock.monotonicMs());
          yield { bytes: Buffer.from(lineOf(at++)), emit: true, position: () => ({ at }) };
          throw new Error('the port is taken');
        },
      };
      const { intake, spool, source, counters } = await build(folder, 50, [
        feedOf('listener', false, () => failing),
      ]);
      intake.start();
      await until('a third start', () => begun.length === 3);
      source.count += 50;
      await until('the other source', () => source.pulled === 100);
      await intake.stop();
      expect(counters.get('source_failures')).toBeGreaterThanOrEqual(2);
      expect(begun[2]! - begun[1]!).toBeGreaterThan(1.5 * (begun[1]! - begun[0]!));
      expect(spool.position).toEqual({ sources: { tail: { next: 100 }, listener: { at } } });
      expect(intake.ended).toBe(false);
      await spool.close();
    }));

  it('beside a tail that waits for a full spool, keeps the windows of others filled and counts what is not told', () =>
    withFolder(async (folder) => {
      const live = new Numbers(0);
      const { intake, spool, source, counters } = await build(folder, 1_000_000, [
        feedOf('host', false, () => live),
      ]);
      intake.start();
      await until('a full spool', () => spool.isFull && counters.get('spool_full_waits') > 0);
      const waitsAt = source.pulled;
      live.count = 500;
      await until('the other source', () => live.pulled === 500);
      await until('the count', () => counters.get('lines_not_told') === 500);
      expect(source.pulled).toBe(waitsAt);
      expect(counters.get('spool_dropped_batches')).toBe(0);
      await intake.stop();
      await spool.close();
    }));
});
