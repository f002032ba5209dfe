/**
 * Says when records come too late, what it probably was and what to do: of each kind when it begins and then every
 * hour while it goes on. Counts are in the agent's counters.
 */
import type { EngineCounters, LateExample } from '@lineheron/native';
import type { Clock } from './clock.js';
import { lateReason } from './late-reasons.js';
import type { Log } from './log.js';

const REPEAT_MS = 3_600_000;

export interface LateWatchOptions {
  counters: () => Pick<EngineCounters, 'lateKinds'>;
  samples: () => LateExample[];
  clock: Pick<Clock, 'monotonicMs'>;
  log: Log;
}

export class LateWatch {
  private readonly told = new Map<string, { count: number; atMs: number }>();
  private readonly examples = new Map<string, LateExample>();

  constructor(private readonly options: LateWatchOptions) {}

  /** Every few seconds: the first late record of a run does not know yet what it is. */
  tick(): void {
    const { counters, samples, clock, log } = this.options;
    const nowMs = clock.monotonicMs();
    for (const example of samples()) this.examples.set(example.kind, example);
    for (const [kind, count] of Object.entries(counters().lateKinds)) {
      const before = this.told.get(kind);
      const fresh = count - (before?.count ?? 0);
      if (fresh <= 0 || (before && nowMs - before.atMs < REPEAT_MS)) continue;
      this.told.set(kind, { count, atMs: nowMs });
      const { what, todo } = lateReason(kind);
      const { device, behindMs } = this.examples.get(kind) ?? {};
      const example =
        device === undefined ? {} : { device, behind_seconds: Math.round((behindMs ?? 0) / 1000) };
      const records = fresh === 1 ? '1 record' : `${fresh} records`;
      log.warn({ kind, ...example, remedy: todo }, `${records} too late to be judged: ${what}`);
    }
  }
}
