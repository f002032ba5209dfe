/**
 * What the adaptive baselines know, kept beside the models: read at the start, written every minute and at the end.
 * One file, whole or as it was before; a damaged one, or one of other channels, is told and begun anew.
 */
import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '@lineheron/models/persist';
import type { Engine } from '@lineheron/native';
import type { Counters } from '../counters.js';
import { type Log, messageOf } from '../log.js';

export interface BaselinesOptions {
  engine: Pick<Engine, 'saveBaselines' | 'loadBaselines'>;
  path: string;
  monotonicMs: () => number;
  log: Log;
  counters: Counters;
}

const KEEP_EVERY_MS = 60_000;

export class Baselines {
  private keptAtMs = 0;
  private writing: Promise<void> | null = null;

  constructor(private readonly options: BaselinesOptions) {}

  async start(): Promise<void> {
    const { engine, path, log, monotonicMs } = this.options;
    this.keptAtMs = monotonicMs();
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') log.warn({ error: error.message }, 'cannot read the baselines');
      return null;
    });
    if (!bytes) return;
    try {
      log.info({ devices: engine.loadBaselines(bytes) }, 'the baselines know these devices');
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'the baselines begin anew');
    }
  }

  /** Writes when it is time to. Cheap to call often; never rejects. */
  keepDue(): void {
    if (this.writing || this.options.monotonicMs() - this.keptAtMs < KEEP_EVERY_MS) return;
    void this.keep();
  }

  /** Writes now, after what is being written. Never rejects. */
  async keep(): Promise<void> {
    await this.writing;
    this.writing = this.write().finally(() => {
      this.writing = null;
    });
    await this.writing;
  }

  private async write(): Promise<void> {
    const { engine, path, log, counters, monotonicMs } = this.options;
    this.keptAtMs = monotonicMs();
    try {
      await writeFileAtomic(path, engine.saveBaselines());
    } catch (error) {
      counters.add('baseline_write_errors');
      log.warn({ error: messageOf(error) }, 'cannot write the baselines');
    }
  }
}
