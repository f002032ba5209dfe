/** The real logrotate in each of its modes; `npm run faults` runs the same with two hundred rotations each. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProgram } from '../support/programs.js';
import { report } from '../support/report.js';
import { rotateWhileTailing } from './rotation.js';

const CYCLES = Number(process.env.LINEHERON_ROTATIONS ?? 6);
const LOGROTATE = findProgram('logrotate');

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-rotation-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const plan = (mode: readonly string[]) => ({
  folder,
  logrotate: LOGROTATE ?? '',
  mode,
  cycles: CYCLES,
  seed: 11,
});

describe.skipIf(LOGROTATE === null)('the real logrotate (skipped where it is not installed)', () => {
  it.each([
    ['create', ['nocompress']],
    ['compress', ['compress']],
    ['delaycompress', ['compress', 'delaycompress']],
    ['dateext', ['nocompress', 'dateext', 'dateformat -%Y%m%d-%s']],
  ])(
    `loses and doubles no line in ${CYCLES} rotations by %s`,
    async (name, mode) => {
      // By date one rotation a second is possible.
      const cycles = name === 'dateext' ? Math.min(CYCLES, 20) : CYCLES;
      const outcome = await rotateWhileTailing({ ...plan(mode), cycles });
      report(`rotation by ${name}`, { rotations: cycles, written: outcome.written, ...outcome.counters });
      expect(outcome).toMatchObject({ gap: 0, lost: [], doubled: [], torn: 0, inOrder: true });
      expect(outcome.counters.tail_positions_lost ?? 0).toBe(0);
      expect(outcome.counters.tail_rotations).toBeGreaterThan(0);
      expect(outcome.counters.tail_truncations ?? 0).toBe(0);
    },
    60_000 + CYCLES * 2_000,
  );

  it.each([
    ['copytruncate', ['copytruncate', 'nocompress']],
    ['copytruncate and compress', ['copytruncate', 'compress']],
  ])(
    `reads all that %s leaves in ${CYCLES} rotations, once, and counts the truncations`,
    async (name, mode) => {
      const outcome = await rotateWhileTailing(plan(mode));
      const { written, gap, gaps, torn } = outcome;
      report(`rotation by ${name}`, { rotations: CYCLES, written, gap, gaps, torn, ...outcome.counters });
      expect(outcome).toMatchObject({ lost: [], doubled: [], inOrder: true });
      expect(outcome.counters.tail_truncations ?? 0).toBeLessThanOrEqual(CYCLES);
      // What is told to be gone is gone: a line takes 12 bytes and more.
      expect(outcome.counters.tail_truncated_bytes_lost ?? 0).toBeLessThanOrEqual(outcome.gapBytes);
      // One a rotation, where it truncates. What is packed no longer tells whether it was copied.
      expect(gaps).toBeLessThanOrEqual(CYCLES);
      if (name === 'copytruncate') expect(gaps).toBeLessThanOrEqual(outcome.counters.tail_truncations ?? 0);
      expect(torn).toBeLessThanOrEqual(2 * CYCLES);
    },
    60_000 + CYCLES * 2_000,
  );
});
