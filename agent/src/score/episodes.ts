/**
 * Episodes: from a device's first suspect window to ten quiet seconds of event time after its last (three of its usual
 * intervals, where it reports more rarely), or until its new level has become the normal one. Pure state, fed window by
 * window. A gateway's own episode opens only while none of its devices is in one: else it would only
 * repeat what is known. Bounded by the number of devices in an episode at once.
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
  /** When its newest window arrived, by our clock. */
  seenMs: number;
  /** Usual event time between two windows of the device; null while nothing is known. */
  intervalMs: number | null;
  /** How far over its threshold the window is that speaks for it. */
  thresholdRatio: number;
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
  see(
    { device, endMs, suspect, levelShift = false, intervalMs = null, thresholdRatio = 0 }: Sighting,
    nowMs: number,
    id: () => string,
  ): Seen {
    const current = this.open.get(device) ?? null;
    const quiet =
      current !== null && endMs - current.lastSuspectMs > quietLimitMs(EPISODE_QUIET_MS, intervalMs);
    const over = current !== null && (quiet || levelShift);
    const closed = over ? current : null;
    if (over) this.open.delete(device);
    let episode = over ? null : current;
    const opened = suspect && !levelShift && episode === null && !this.repeats(device);
    if (opened) {
      const times = { openedMs: endMs, lastSuspectMs: endMs, seenMs: nowMs, intervalMs };
      episode = { id: id(), device, ...times, thresholdRatio };
      this.open.set(device, episode);
    }
    const telling =
      opened || (suspect && episode !== null && thresholdRatio > TELLING_TIMES * episode.thresholdRatio);
    if (episode) {
      episode.seenMs = nowMs;
      episode.intervalMs = intervalMs;
      if (telling) episode.thresholdRatio = thresholdRatio;
      if (suspect) episode.lastSuspectMs = Math.max(episode.lastSuspectMs, endMs);
    }
    return { episode, opened, telling, closed, why: closed && (levelShift ? 'level_shift' : 'quiet') };
  }

  /** Ends the episodes of devices that no longer say anything. */
  closeSilent(nowMs: number): Episode[] {
    const isSilent = ({ seenMs, intervalMs }: Episode) =>
      nowMs - seenMs >= quietLimitMs(SILENT_MS, intervalMs);
    const silent = [...this.open.values()].filter(isSilent);
    for (const episode of silent) this.open.delete(episode.device);
    return silent;
  }

  private repeats(device: string): boolean {
    return device === GATEWAY_DEVICE && [...this.open.keys()].some((name) => name !== GATEWAY_DEVICE);
  }
}
