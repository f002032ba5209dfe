/** Which windows may be learnt from. */
import { describe, expect, it } from 'vitest';
import { OnlyNormal } from './only-normal.js';

const quiet = {
  nats: 1,
  strangeness: 1,
  threshold: 13,
  suspect: false,
  levelShift: false,
  normalIf: null,
};
const strange = { ...quiet, nats: 40, suspect: true };

describe('OnlyNormal', () => {
  const at = (only: OnlyNormal, device: string, endS: number, baseline = quiet, inEpisode = false) =>
    only.see({ device, endMs: endS * 1000, baseline }, inEpisode, false);

  it('leaves out what is in an episode, and all windows that still hold a record of it', () => {
    const only = new OnlyNormal(30_000);
    expect(at(only, 'a', 100)).toBe(true);
    expect(at(only, 'a', 101, quiet, true)).toBe(false);
    expect(at(only, 'a', 130)).toBe(false);
    expect(at(only, 'a', 131)).toBe(true);
  });

  it('leaves out what the baseline finds strange while nobody hears it', () => {
    const only = new OnlyNormal(30_000);
    expect(at(only, 'a', 100, strange)).toBe(false);
    expect(at(only, 'b', 100)).toBe(true);
  });

  it('leaves out the gateway as a whole while any of its devices is odd', () => {
    const only = new OnlyNormal(30_000);
    at(only, 'a', 100, strange);
    expect(at(only, '*', 110)).toBe(false);
    expect(at(only, '*', 131)).toBe(true);
  });

  it('learns a level that lasted from there on', () => {
    const only = new OnlyNormal(30_000);
    at(only, 'a', 100, strange, true);
    expect(only.see({ device: 'a', endMs: 101_000, baseline: strange }, false, true)).toBe(true);
    expect(at(only, 'a', 102)).toBe(true);
  });

  it('leaves out planned work on a device, and the gateway with it, until the windows hold nothing of it', () => {
    const iso = (second: number) => new Date(second * 1000).toISOString();
    const work = [{ from: iso(100), to: iso(200), devices: ['a'] }];
    const only = new OnlyNormal(30_000, () => work);
    const learnt = (device: string) => [99, 100, 229, 230].map((second) => at(only, device, second));
    expect(learnt('a')).toEqual([true, false, false, true]);
    expect(learnt('*')).toEqual([true, false, false, true]);
    expect(learnt('b')).toEqual([true, true, true, true]);
    const all = new OnlyNormal(30_000, () => [{ from: iso(100), to: iso(200) }]);
    expect(at(all, 'b', 150)).toBe(false);
  });

  it('leaves out one window length after records of a clock that was not set', () => {
    const only = new OnlyNormal(30_000);
    only.unsynchronised(0);
    expect(at(only, 'a', 100)).toBe(true);
    only.unsynchronised(3);
    expect(at(only, 'a', 101)).toBe(false);
    only.unsynchronised(3);
    expect(at(only, 'b', 131)).toBe(false);
    expect(at(only, 'b', 132)).toBe(true);
  });
});
