/** Who is silent now, agent or line, and whether that is news. Pure: judges what the fleet has noted. */
import { GATEWAY_DEVICE } from '@lineheron/models';
import { type Agent, isSilent } from './agent-view.js';

/** One that might be silent: a line, or an agent itself. */
export interface Hearing {
  agent: string;
  device: string;
  kind: 'silence' | 'offline';
  silent: boolean;
  /** Whether to tell of it: regular so far, expected to speak now, and not told of by a wider silence. */
  tell: boolean;
  /** Wall time of its last word, and whether the collector heard that itself since it started. */
  lastSeenMs: number;
  live: boolean;
  /** Wall time of its first word after its last silence. */
  resumedMs: number;
  intervalMs: number | null;
}

/** An agent and its lines; whoever has said nothing for `silenceMs` may be silent. */
export function hearingsOf(agent: Agent, silenceMs: number, nowMs: number): Hearing[] {
  const { id, online, known, changedMs, info, lines } = agent;
  const settled = nowMs - changedMs >= silenceMs;
  // What came to its end has nothing more to say.
  const ended = info?.source.phase === 'ended';
  const expected = known && online && settled && (info === null || info.source.phase === 'live');
  const whole = lines.get(GATEWAY_DEVICE);
  const wholeSilent = lines.size > 2 && whole !== undefined && isSilent(whole, nowMs);
  const lastSeenMs = agent.lastSeenMs ?? changedMs;
  // Windows may come before the word that it is online.
  const away = !online && nowMs - lastSeenMs >= silenceMs;
  const own: Hearing = {
    agent: id,
    device: GATEWAY_DEVICE,
    kind: 'offline',
    silent: away,
    tell: away && settled && !ended && lines.size > 0,
    lastSeenMs,
    live: agent.live,
    resumedMs: agent.backMs,
    intervalMs: null,
  };
  const ofLines = [...lines.values()].map((line): Hearing => {
    const isWhole = line.device === GATEWAY_DEVICE;
    const silent = isSilent(line, nowMs);
    return {
      agent: id,
      device: line.device,
      kind: 'silence',
      silent,
      tell: silent && expected && line.interval.isRegular && isWhole === wholeSilent,
      lastSeenMs: line.lastSeenMs,
      live: line.live,
      resumedMs: line.resumedMs,
      intervalMs: line.interval.usualMs,
    };
  });
  return [own, ...ofLines];
}
