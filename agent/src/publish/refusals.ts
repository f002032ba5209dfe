/** Batches that the collector or the broker will never take: set aside in the quarantine, counted, and out of the spool. */
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
  async refused(batch: WaitingBatch, code: string): Promise<void> {
    const { log, counters, spool } = this.options;
    if (!spool.has(batch)) return;
    counters.add('batches_refused');
    log.error({ sequence: batch.sequence, code }, 'the collector refused a batch: set aside');
    await this.setAside(batch, code);
  }

  /** The broker takes no message of so many `bytes`. Never rejects. */
  async tooLarge(batch: WaitingBatch, bytes: number): Promise<void> {
    const { log, counters } = this.options;
    counters.add('batches_too_large');
    log.error({ sequence: batch.sequence, bytes }, 'a batch is larger than the broker takes: set aside');
    await this.setAside(batch, 'too_large');
  }

  private async setAside({ boot, sequence }: WaitingBatch, code: string): Promise<void> {
    const { spool, quarantine, clock, log, onSettled } = this.options;
    const bytes = await spool.read({ boot, sequence });
    const at = new Date(clock.nowMs()).toISOString();
    await quarantine.add(at, code, bytes).catch((error) => {
      log.error({ error: messageOf(error) }, 'cannot write the quarantine');
    });
    onSettled(spool.acknowledge([{ boot, from: sequence, to: sequence }]));
  }
}
