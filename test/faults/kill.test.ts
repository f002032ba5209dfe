/**
 * `npm run faults` runs the same with 500 kills over a million lines, half of them with a broker that is a process
 * of its own.
 */
import { appendFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { recordLines } from '../support/lines.js';
import { report } from '../support/report.js';
import { Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';
import { killWhileTailing } from './kill.js';

const KILLS = Number(process.env.LINEHERON_KILLS ?? 10);
/** Four lines each. */
const SECONDS_PER_KILL = process.env.LINEHERON_KILLS ? 500 : 50;

let stack: Stack;

afterEach(() => stack.close());

it('killed right after its first start, an agent tells what was rotated before its second', async () => {
  stack = await Stack.create();
  await stack.collector();
  const path = join(stack.folder, 'line.log');
  const lines = recordLines({ devices: ['modem-1'], startMs: Date.now() - 60_000, seed: 7 }, 40);
  const text = lines.join('');
  // A line that is not whole: the position is all that there is to write.
  await writeFile(path, text.slice(0, 50));
  const starting = stack.agent('gw-young', { source: { type: 'tail', paths: [path], from: 'start' } });
  const spool = join(stack.folder, 'gw-young', 'spool', '000000000001.spool');
  await waitFor('the first position', async () => ((await stat(spool).catch(() => null))?.size ?? 0) > 32);
  const agent = stack.parts.at(-1)!;
  await Promise.all([agent.kill(), starting.catch(() => {})]);
  await rename(path, `${path}.1`);
  const half = lines.slice(0, 20).join('').length;
  await appendFile(`${path}.1`, text.slice(50, half));
  await writeFile(path, text.slice(half));
  await agent.start();
  const ends = await waitFor(
    'all lines',
    async () => {
      const windows = await stack.storedWindows('gw-young');
      const found = windows.filter(({ scope }) => scope === 'device').map(({ end }) => end);
      return found.length >= lines.length && found;
      // A batch whose acknowledgement was missed is sent again after half a minute.
    },
    90_000,
  );
  expect(new Set(ends).size).toBe(lines.length);
}, 120_000);

describe('kill -9 at any moment', () => {
  it.each([
    ['agent and collector', 'embedded', Math.floor(KILLS / 2)],
    ['agent, broker and collector', 'external', Math.ceil(KILLS / 2)],
  ] as const)(
    'of %s, stores every line of a tailed, rotated file exactly once (broker %s, %i kills)',
    async (who, broker, kills) => {
      stack = await Stack.create();
      const plan = { kills, secondsPerKill: SECONDS_PER_KILL, seed: 7, broker };
      const startMs = performance.now();
      const outcome = await killWhileTailing(stack, plan);
      const lines = kills * SECONDS_PER_KILL * 4;
      const seconds = Math.round((performance.now() - startMs) / 1000);
      report(`kill -9 of ${who}`, { ...outcome, seconds });
      expect(outcome).toEqual({
        ...{ kills, written: lines, stored: lines, distinct: lines, lost: [] },
        killed: outcome.killed,
      });
    },
    240_000 + KILLS * 5_000,
  );
});
