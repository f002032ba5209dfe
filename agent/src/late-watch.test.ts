/** Late records are told by what they were, and not again and again. */
import { Engine } from '@lineheron/native';
import { describe, expect, it } from 'vitest';
import { LateWatch } from './late-watch.js';

const START = Date.parse('2026-11-20T12:00:00Z');

function watched() {
  const engine = new Engine();
  const told: [Record<string, unknown>, string][] = [];
  let nowMs = 0;
  const log = { debug() {}, info() {}, error() {}, warn: (...args: unknown[]) => told.push(args as never) };
  const watch = new LateWatch({
    counters: () => engine.counters(),
    samples: () => engine.lateSample(),
    clock: { monotonicMs: () => nowMs },
    log,
  });
  const push = (minutes: readonly number[]) => {
    const line = (minute: number) => `{"timestamp":${START + minute * 60_000},"device_id":"m"}\n`;
    engine.push(Buffer.from(minutes.map(line).join('')), START + 7_200_000, true);
    watch.tick();
  };
  return { push, told, wait: (ms: number) => (nowMs += ms) };
}

describe('LateWatch', () => {
  it('tells a log that is newest first once an hour, with its device and what to do', () => {
    const { push, told, wait } = watched();
    push([60, 59, 58, 57]);
    push([56, 55]);
    expect(told).toHaveLength(1);
    const [fields, message] = told[0]!;
    expect(fields).toMatchObject({ kind: 'newest_first', device: 'm', remedy: 'turn the file round (tac)' });
    expect(message).toMatch(/^3 records too late to be judged: the lines go back in time/);
    wait(3_600_000);
    push([54]);
    expect(told).toHaveLength(2);
    expect(told[1]![1]).toMatch(/^3 records/);
  });

  it('tells a clock that was set back by an hour', () => {
    const { push, told } = watched();
    push([57, 58, 59, 60, 1, 2]);
    expect(told.map(([{ kind }]) => kind)).toEqual(['daylight_saving']);
    push([3, 4, 5]);
    expect(told).toHaveLength(1);
  });
});
