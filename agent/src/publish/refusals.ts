/** Batches that the collector will never take: set aside in the quarantine, counted, and out of the spool. */
import type { Clock } from '../clock.js';
import type { Counters } from '../counters.js';
import { type Log, messageOf } from '../log.js';
import type { Quarantine } from '../spool/quarantine.js';
import type { Spool, WaitingBatch } from '../spool/spool.js';

export interface RefusalsOptions {
  spool: Pick<Spool, 'has' | 'read' | 'acknowledge'>;
  quarantine: Pick<Quarantine, 'add'>;
  clock: Clock;
  log: Log;
  counters: Counters;
  /** They wait no more. */
  onSettled: (gone: readonly WaitingBatch[]) => void;
}

export class Refusals {
  constructor(private readonly options: RefusalsOptions) {}

  /** `code` is the collector's reason. Never rejects; one that is not here is nobody's. */
  async setAside({ boot, sequence }: WaitingBatch, code: string): Promise<void> {
    const { spool, quarantine, clock, log, counters, onSettled } = this.options;
    if (!spool.has({ boot, sequence })) return;
    const bytes = await spool.read({ boot, sequence });
    counters.add('batches_refused');
    log.error({ sequence, code }, 'the collector refused a batch: set aside');
    const at = new Date(clock.nowMs()).toISOString();
    await quarantine.add(at, code, bytes).catch((error) => {
      log.error({ error: messageOf(error) }, 'cannot write the quarantine');
    });
    onSettled(spool.acknowledge([{ boot, from: sequence, to: sequence }]));
  }
}
