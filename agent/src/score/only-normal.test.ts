/** Which windows may be learnt from. */
import { Engine } from '@lineheron/native';
import { describe, expect, it } from 'vitest';
import { OnlyNormal } from './only-normal.js';

const quiet = {
  nats: 1,
  strangeness: 1,
  threshold: 13,
  suspect: false,
  levelShift: false,
  holdSeconds: 0,
  normalIf: null,
};
const strange = { ...quiet, nats: 40, suspect: true };

describe('OnlyNormal', () => {
  const at = (only: OnlyNormal, device: string, endS: number, baseline = quiet, inEpisode = false) =>
    only.see({ device, endMs: endS * 1000, baseline, rebooted: false }, inEpisode, false);

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
    const lasted = { device: 'a', endMs: 101_000, baseline: strange, rebooted: false };
    expect(only.see(lasted, false, true)).toBe(true);
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

  it.each([
    ['a modem', 'docsis: Cable Modem Reboot due to power button reset'],
    ['a host', 'kernel: Linux version 6.6.86 (builder@host) #0 SMP'],
  ])(
    'leaves out the windows that hold a reboot of %s and one window length after them, and the gateway with it',
    (_, reboot) => {
      const line = (second: number, device: string, text: string) =>
        `${new Date(Date.UTC(2026, 10, 18, 11, 0, second)).toISOString()} ${device} ${text}\n`;
      const quietly = 'dnsmasq[1]: query';
      const text = Array.from(
        { length: 100 },
        (_, second) => line(second, 'a', second === 20 ? reboot : quietly) + line(second, 'b', quietly),
      ).join('');
      const engine = new Engine({ windowSeconds: 30 });
      const format = engine.addFormat('"syslog"');
      const { windows } = engine.push(Buffer.from(text), Date.UTC(2026, 10, 18, 11, 2), true, format);
      const only = new OnlyNormal(30_000);
      const out = new Map<string, number[]>();
      for (const window of windows) {
        if (only.see(window, false, false)) continue;
        const second = (window.endMs / 1000) % 3600;
        out.set(window.device, [...(out.get(window.device) ?? []), second]);
      }
      const expected = Array.from({ length: 59 }, (_, index) => 20 + index);
      expect(Object.fromEntries(out)).toEqual({ a: expected, '*': expected });
    },
  );
});
