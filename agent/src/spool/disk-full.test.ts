/** The spool on a disk that is really full: a tmpfs of 1 MB, where the tests may mount one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Counters } from '../counters.js';
import { silentLog } from '../test-support.js';
import { Spool } from './spool.js';

const BOOT = '0123456789abcdef';
const BATCH_BYTES = 20_000;
/** Three times what the disk takes. */
const MANY = 160;

let folder: string;

function mount(): boolean {
  folder = mkdtempSync(join(tmpdir(), 'lineheron-full-'));
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
}

function unmount(): void {
  spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true, force: true });
}

const mayMount = mount();
unmount();

async function open(whenFull: 'thin' | 'wait') {
  const counters = new Counters();
  const bounds = { maxBytes: 64 * 1024 * 1024, segmentBytes: 16 * 1024 * 1024 };
  const spool = new Spool({ folder: join(folder, 'spool'), ...bounds, whenFull, log: silentLog, counters });
  await spool.start();
  return { spool, counters };
}

const entry = (sequence: number) => ({
  position: { at: sequence },
  batches: [{ boot: BOOT, sequence, windows: 1, bytes: randomBytes(BATCH_BYTES), createdMs: 0, marks: [] }],
});

/** Appends until the disk refuses; returns the last sequence that was taken. */
async function fill(spool: Spool): Promise<number> {
  for (let sequence = 1; sequence < 1000; sequence++) {
    const failed = await spool.append(entry(sequence)).then(
      () => null,
      (error: NodeJS.ErrnoException) => error.code,
    );
    if (failed === 'ENOSPC') return sequence - 1;
    if (failed) throw new Error(failed);
  }
  throw new Error('the disk never filled');
}

describe.skipIf(!mayMount)('Spool on a full disk (skipped where no tmpfs may be mounted)', () => {
  beforeEach(() => {
    if (!mount()) throw new Error(execFileSync('mount').toString());
  });
  afterEach(unmount);

  it('takes batches again, by itself, once everything in it is acknowledged', async () => {
    const { spool } = await open('wait');
    const last = await fill(spool);
    expect(last).toBeGreaterThan(3);
    expect(spool.batches).toBe(last);
    spool.acknowledge([{ boot: BOOT, from: 1, to: last }]);
    for (let sequence = last + 1; sequence <= last + 3; sequence++) await spool.append(entry(sequence));
    expect(spool.batches).toBe(3);
    await spool.close();
    const again = await open('wait');
    expect(again.spool.position).toEqual({ at: last + 3 });
    expect(again.spool.batches).toBe(3);
    await again.spool.close();
  });

  it('keeps everything and its position while something waits and the source can wait', async () => {
    const { spool, counters } = await open('wait');
    const last = await fill(spool);
    await expect(spool.append(entry(last + 1))).rejects.toThrow(/ENOSPC/);
    expect(spool.batches).toBe(last);
    expect(counters.get('spool_dropped_batches')).toBe(0);
    await spool.close();
    expect((await open('wait')).spool.position).toEqual({ at: last });
  });

  it('drops the oldest, counted, for a source that cannot wait', async () => {
    const { spool, counters } = await open('thin');
    for (let sequence = 1; sequence <= MANY; sequence++) await spool.append(entry(sequence));
    expect(counters.get('spool_dropped_batches')).toBe(MANY - spool.batches);
    expect(counters.get('spool_dropped_batches')).toBeGreaterThan(0);
    expect(spool.oldest(() => false)?.sequence).toBe(MANY + 1 - spool.batches);
    await spool.close();
  });
});
