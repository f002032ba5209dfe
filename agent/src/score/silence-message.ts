/** A device's silence in the words of the wire. Pure. */
import { type AnomalyMessage, span } from '@lineheron/models';
import type { Silence } from './silences.js';
import { isoTime } from './wire.js';

export function silenceMessage(agent: string, silence: Silence): AnomalyMessage {
  const { device, lastWindow, endMs, silentMs, intervalMs } = silence;
  const [silentS, intervalS] = [silentMs / 1000, intervalMs / 1000];
  const usual = `it usually reports every ${span(intervalS)}`;
  return {
    v: 1,
    id: lastWindow,
    episode: lastWindow,
    phase: 'opened',
    agent,
    device,
    scope: 'device',
    at: isoTime(endMs),
    score: null,
    threshold: null,
    state: 'stale',
    reasons: [
      { feature: 'silence', unit: 's', observed: silentS, median: intervalS, p5: null, p95: null, share: 1 },
    ],
    summary: `${device} has been silent for ${span(silentS)}: ${usual}.`,
  };
}
