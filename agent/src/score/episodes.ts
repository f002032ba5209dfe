/**
 * Episodes: from a device's first suspect window to ten quiet seconds of event time after its last (three of its usual
 * intervals, where it reports more rarely; as long as a storm of events holds), or until its new level has become the
 * normal one. Pure state, fed window by window. A gateway's own episode opens only while none of its devices is in one:
 * else it would only repeat what is known. Bounded by the number of devices in an episode at once.
 */
import {
  EPISODE_QUIET_MS,
  type EpisodeEnd,
  GATEWAY_DEVICE,
  quietLimitMs,
  TELLING_TIMES,
} from '@lineheron/models';

export interface Episode {
  /** Id of its first window. */
  readonly id: string;
  readonly device: string;
  readonly openedMs: number;
  lastSuspectMs: number;
  /** When its newest window came, by the device's clock. */
  seenMs: number;
  /** Usual event time between two windows of the device; null while nothing is known. */
  intervalMs: number | null;
  /** How far over its threshold the window is that speaks for it. */
  thresholdRatio: number;
  /** Time without an event after which its storm is over; 0 without one. */
  holdMs: number;
}

export interface Sighting {
  device: string;
  endMs: number;
  suspect: boolean;
  /** How far it is over its threshold. */
  thresholdRatio?: number;
  /** Its level has lasted so long that it is the normal one now. */
  levelShift?: boolean;
  /** Usual event time between two windows of the device; null or absent while nothing is known. */
  intervalMs?: number | null;
  /** Events come too often: nothing is over before so much time without one. */
  holdMs?: number;
}

export interface Seen {
  /** The episode that this window belongs to. */
  episode: Episode | null;
  opened: boolean;
  /** It is the one that speaks for the episode from now on: the first, or one that is much stranger. */
  telling: boolean;
  /** The episode that ended with this window. */
  closed: Episode | null;
  /** Why that ended; null when none did. */
  why: EpisodeEnd | null;
}

/** A device that has fallen silent in an episode is let go after this long, and three of its intervals. */
export const SILENT_MS = 60_000;

export class Episodes {
  private readonly open = new Map<string, Episode>();

  /** `id` names the window, in case it opens an episode. */
  see(sighting: Sighting, nowMs: number, id: string): Seen {
    const { device, endMs, suspect, levelShift = false, intervalMs = null } = sighting;
    const { thresholdRatio = 0, holdMs = 0 } = sighting;
    const current = this.open.get(device) ?? null;
    const quiet =
      current !== null &&
      endMs - current.lastSuspectMs > Math.max(quietLimitMs(EPISODE_QUIET_MS, intervalMs), current.holdMs);
    const over = current !== null && (quiet || levelShift);
    const closed = over ? current : null;
    if (over) this.open.delete(device);
    let episode = over ? null : current;
    const opened = suspect && !levelShift && episode === null && !this.repeats(device);
    if (opened) {
      const times = { openedMs: endMs, lastSuspectMs: endMs, seenMs: nowMs, intervalMs };
      episode = { id, device, ...times, thresholdRatio, holdMs };
      this.open.set(device, episode);
    }
    const telling =
      opened || (suspect && episode !== null && thresholdRatio > TELLING_TIMES * episode.thresholdRatio);
    if (episode) {
      episode.seenMs = nowMs;
      episode.intervalMs = intervalMs;
      if (telling) episode.thresholdRatio = thresholdRatio;
      if (suspect) {
        episode.lastSuspectMs = Math.max(episode.lastSuspectMs, endMs);
        episode.holdMs = holdMs;
      }
    }
    return { episode, opened, telling, closed, why: closed && (levelShift ? 'level_shift' : 'quiet') };
  }

  /** Ends the episodes of devices that no longer say anything; `nowOf` is what a device's clock shows. */
  closeSilent(nowOf: (device: string) => number): Episode[] {
    return [...this.open.keys()].flatMap((device) => this.closeSilentOf(device, nowOf(device)) ?? []);
  }

  /** The same of one device. */
  closeSilentOf(device: string, nowMs: number): Episode | null {
    const episode = this.open.get(device);
    if (!episode) return null;
    const limitMs = Math.max(quietLimitMs(SILENT_MS, episode.intervalMs), episode.holdMs);
    if (nowMs - episode.seenMs < limitMs) return null;
    this.open.delete(device);
    return episode;
  }

  private repeats(device: string): boolean {
    return device === GATEWAY_DEVICE && [...this.open.keys()].some((name) => name !== GATEWAY_DEVICE);
  }
}
