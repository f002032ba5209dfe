/**
 * `npm run faults` runs the same with 500 kills over a million lines, half of them with a broker that is a process
 * of its own.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { Stack } from '../support/stack.js';
import { killWhileTailing } from './kill.js';

const KILLS = Number(process.env.LINEHERON_KILLS ?? 10);
/** Four lines each. */
const SECONDS_PER_KILL = process.env.LINEHERON_KILLS ? 500 : 50;

let stack: Stack;

afterEach(() => stack.close());

describe('kill -9 at any moment', () => {
  it.each([
    ['agent and collector', 'embedded', Math.floor(KILLS / 2)],
    ['agent, broker and collector', 'external', Math.ceil(KILLS / 2)],
  ] as const)(
    'of %s, stores every line of a tailed, rotated file exactly once (broker %s, %i kills)',
    async (_who, broker, kills) => {
      stack = await Stack.create();
      const plan = { kills, secondsPerKill: SECONDS_PER_KILL, seed: 7, broker };
      const startMs = performance.now();
      const outcome = await killWhileTailing(stack, plan);
      const lines = kills * SECONDS_PER_KILL * 4;
      const seconds = Math.round((performance.now() - startMs) / 1000);
      if (process.env.LINEHERON_KILLS) console.log(JSON.stringify({ ...outcome, seconds }));
      expect(outcome).toEqual({ kills, written: lines, stored: lines, distinct: lines, lost: [] });
    },
    240_000 + KILLS * 5_000,
  );
});
