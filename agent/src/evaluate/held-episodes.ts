/**
 * Alarms as the agent tells them: an episode goes on over quiet windows, until ten seconds or three intervals of them, or
 * a new level.
 */
import { Episodes } from '../score/episodes.js';
import type { JudgedWindow } from './gateway.js';

/**
 * Each window's episode from its first alarm to its last, 0 for none. `windows` are device after device, each in its
 * order.
 */
export function heldEpisodes(
  windows: readonly Pick<JudgedWindow, 'device' | 'endMs' | 'baseline'>[],
  alarms: ArrayLike<boolean>,
): Uint32Array {
  const held = new Uint32Array(windows.length);
  const episodes = new Episodes();
  let lastAlarm = 0;
  windows.forEach(({ device, endMs, baseline }, at) => {
    const suspect = alarms[at] === true;
    const levelShift = baseline?.levelShift ?? false;
    const before = windows[at - 1];
    const intervalMs = before?.device === device ? endMs - before.endMs : null;
    const sighting = { device, endMs, suspect, levelShift, intervalMs };
    const { episode, opened } = episodes.see(sighting, endMs, () => `${at + 1}`);
    if (!suspect || episode === null) return;
    held.fill(Number(episode.id), opened ? at : lastAlarm, at + 1);
    lastAlarm = at;
  });
  return held;
}
