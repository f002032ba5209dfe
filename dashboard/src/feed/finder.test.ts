import type { LineView } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { Finder } from './finder.js';

const line = (device: string) => ({ device }) as LineView;

function build(answers: Record<string, readonly LineView[] | null>) {
  const asked: string[] = [];
  const found: string[][] = [];
  const timers = new Map<number, () => void>();
  let next = 0;
  const finder = new Finder({
    find: async (text) => {
      asked.push(text);
      return answers[text] ?? null;
    },
    onFound: (lines) => found.push(lines.map(({ device }) => device)),
    setTimer: (run) => {
      timers.set(++next, run);
      return next;
    },
    clearTimer: (timer) => timers.delete(timer),
  });
  /** Runs what waits, and all that follows from it at once. */
  const pass = async () => {
    const due = [...timers.values()];
    timers.clear();
    for (const run of due) run();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { finder, asked, found, timers, pass };
}

describe('Find beyond the list', () => {
  it('asks for the last of what was typed, and again while it stands there', async () => {
    const { finder, asked, found, pass } = build({ harbour: [line('modem-7')] });
    for (const text of ['h', 'har', 'harbour ']) finder.want(text);
    await pass();
    await pass();
    expect(asked).toEqual(['harbour', 'harbour']);
    expect(found).toEqual([['modem-7'], ['modem-7']]);
  });

  it('asks nothing once the text is gone, and drops an answer that comes too late', async () => {
    const { finder, found, timers, pass } = build({ a: [line('modem-1')] });
    finder.want('a');
    const asking = pass();
    finder.want('');
    await asking;
    expect(found).toEqual([]);
    expect(timers.size).toBe(0);
  });

  it('tries again what could not be had', async () => {
    const { finder, asked, found, pass } = build({});
    finder.want('a');
    await pass();
    await pass();
    expect(asked).toEqual(['a', 'a']);
    expect(found).toEqual([]);
  });
});
