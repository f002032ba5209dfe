/** `npm run faults` runs the same with two hundred kills. */
import { afterEach, describe, expect, it } from 'vitest';
import { Stack } from '../support/stack.js';
import { killWhileTailing } from './kill.js';

const KILLS = Number(process.env.LINEHERON_KILLS ?? 10);
const SECONDS = 100 * KILLS;
const DEVICES = 3;

let stack: Stack;

afterEach(() => stack.close());

describe('kill -9 of agent and collector in mid-run', () => {
  it(
    `stores every record of a tailed, rotated file exactly once after ${KILLS} kills`,
    async () => {
      stack = await Stack.create();
      const outcome = await killWhileTailing(stack, { kills: KILLS, seconds: SECONDS, seed: 7 });
      const records = SECONDS * DEVICES;
      expect(outcome).toEqual({ written: records, stored: records, distinct: records, lost: [] });
    },
    120_000 + KILLS * 5_000,
  );
});
