/**
 * Alarms as the agent tells them: an episode goes on over quiet windows, until ten seconds or three intervals of them, or
 * a new level.
 */
import { EventClock } from '../score/device-clock.js';
import { Episodes } from '../score/episodes.js';
import { MAX_DEVICES } from '../score/scoring.js';
import { Silences } from '../score/silences.js';
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
  const [episodes, silences, clock] = [
    new Episodes(),
    new Silences(MAX_DEVICES),
    new EventClock(MAX_DEVICES),
  ];
  let lastAlarm = 0;
  windows.forEach(({ device, endMs, baseline }, at) => {
    const suspect = alarms[at] === true;
    const levelShift = baseline?.levelShift ?? false;
    const nowMs = clock.see(device, endMs);
    episodes.closeSilentOf(device, nowMs);
    silences.overdueOf(device, nowMs);
    const holdMs = (baseline?.holdSeconds ?? 0) * 1000;
    const intervalMs = silences.intervalMs(device);
    const sighting = { device, endMs, suspect, levelShift, intervalMs, holdMs };
    const { episode, opened } = episodes.see(sighting, nowMs, `${at + 1}`);
    silences.see(device, endMs, '', nowMs);
    if (!suspect || episode === null) return;
    held.fill(Number(episode.id), opened ? at : lastAlarm, at + 1);
    lastAlarm = at;
  });
  return held;
}
