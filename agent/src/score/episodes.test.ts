/** When episodes open and close. */
import { describe, expect, it } from 'vitest';
import { Episodes, SILENT_MS } from './episodes.js';

function feed(episodes: Episodes, device: string, endS: number, suspect: boolean, nowMs = 0) {
  return episodes.see({ device, endMs: endS * 1000, suspect }, nowMs, `${device}@${endS}`);
}

describe('Episodes', () => {
  it('opens at the first suspect window and ends after ten seconds of event time without one', () => {
    const episodes = new Episodes();
    expect(feed(episodes, 'a', 1, false)).toEqual({
      episode: null,
      opened: false,
      telling: false,
      closed: null,
      why: null,
    });
    expect(feed(episodes, 'a', 2, true)).toMatchObject({ opened: true, episode: { id: 'a@2' } });
    expect(feed(episodes, 'a', 5, true)).toMatchObject({ opened: false, episode: { id: 'a@2' } });
    expect(feed(episodes, 'a', 15, false)).toMatchObject({ episode: { id: 'a@2' }, closed: null });
    expect(feed(episodes, 'a', 16, false)).toMatchObject({ episode: null, closed: { id: 'a@2' } });
    expect(feed(episodes, 'a', 17, false)).toEqual({
      episode: null,
      opened: false,
      telling: false,
      closed: null,
      why: null,
    });
  });

  it('ends when its level has become the normal one, and that record opens none again', () => {
    const episodes = new Episodes();
    feed(episodes, 'a', 1, true);
    const shift = { device: 'a', endMs: 2000, suspect: true, levelShift: true };
    expect(episodes.see(shift, 0, 'never')).toMatchObject({
      episode: null,
      opened: false,
      closed: { id: 'a@1' },
      why: 'level_shift',
    });
    expect(feed(episodes, 'a', 3, true)).toMatchObject({ opened: true, episode: { id: 'a@3' } });
  });

  it('ends one and opens the next with a suspect window after a long gap', () => {
    const episodes = new Episodes();
    feed(episodes, 'a', 1, true);
    expect(feed(episodes, 'a', 60, true)).toMatchObject({
      opened: true,
      episode: { id: 'a@60' },
      closed: { id: 'a@1' },
    });
  });

  it('one fault on a line that reports once a minute is one episode, over a silence of two reports too', () => {
    const episodes = new Episodes();
    const see = (endS: number, suspect: boolean) => {
      const sighting = { device: 'a', endMs: endS * 1000, suspect, intervalMs: 60_000 };
      return episodes.see(sighting, endS * 1000, `a@${endS}`);
    };
    expect(see(0, true)).toMatchObject({ opened: true });
    for (const [endS, suspect] of [
      [60, true],
      [120, false],
      [180, false],
      [240, true],
    ] as const)
      expect(see(endS, suspect)).toMatchObject({
        opened: false,
        telling: false,
        closed: null,
        episode: { id: 'a@0' },
      });
    expect(episodes.closeSilent(() => 360_000)).toEqual([]);
    expect(see(420, false)).toMatchObject({ closed: null });
    expect(see(480, false)).toMatchObject({ closed: { id: 'a@0' }, why: 'quiet' });
    expect(see(540, true)).toMatchObject({ opened: true });
    expect(episodes.closeSilent(() => 720_000)).toMatchObject([{ id: 'a@540' }]);
  });

  it('keeps devices apart', () => {
    const episodes = new Episodes();
    feed(episodes, 'a', 1, true);
    expect(feed(episodes, 'b', 1, false).episode).toBeNull();
    expect(feed(episodes, 'b', 2, true)).toMatchObject({ opened: true, episode: { id: 'b@2' } });
  });

  it("opens a gateway's own episode only while no device is in one", () => {
    const episodes = new Episodes();
    feed(episodes, 'a', 1, true);
    expect(feed(episodes, '*', 1, true)).toEqual({
      episode: null,
      opened: false,
      telling: false,
      closed: null,
      why: null,
    });
    feed(episodes, 'a', 20, false);
    expect(feed(episodes, '*', 20, true)).toMatchObject({ opened: true });
    expect(feed(episodes, 'a', 21, true)).toMatchObject({ opened: true });
    expect(feed(episodes, '*', 21, true)).toMatchObject({ opened: false, episode: { id: '*@20' } });
  });

  it('lets go of a device that fell silent', () => {
    const episodes = new Episodes();
    feed(episodes, 'a', 1, true, 1000);
    expect(episodes.closeSilent(() => 1000 + SILENT_MS - 1)).toEqual([]);
    expect(episodes.closeSilent(() => 1000 + SILENT_MS)).toMatchObject([{ id: 'a@1' }]);
    expect(episodes.closeSilent(() => 1e9)).toEqual([]);
  });
});
