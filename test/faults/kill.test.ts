import { afterEach, describe, expect, it } from 'vitest';
import { Stack } from '../support/stack.js';
import { killWhileTailing } from './kill.js';

let stack: Stack;

afterEach(() => stack.close());

describe('kill -9 of agent and collector in mid-run', () => {
  it('stores every record of a tailed, rotated file exactly once after ten kills', async () => {
    stack = await Stack.create();
    const outcome = await killWhileTailing(stack, { kills: 10, seconds: 1_000, seed: 7 });
    expect(outcome).toEqual({
      written: 3_000,
      stored: 3_000,
      distinct: 3_000,
      lost: [],
    });
  }, 180_000);
});
