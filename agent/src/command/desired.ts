/**
 * What the collector wants of this agent: its own wishes beat the fleet's, field by field. Kept on disk, so that a
 * restart without a broker goes on as before; with a checksum, because a flipped bit may look like a wish. Until
 * somebody wishes, detection is off.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { type ActiveModel, type Desired, desiredSchema } from '@lineheron/models';
import { writeFileAtomic } from '@lineheron/models/persist';
import { z } from 'zod';
import { type Log, messageOf } from '../log.js';

export interface Settled {
  detecting: boolean;
  active_model: ActiveModel;
  /** False alert episodes allowed per device and day; undefined: as configured. */
  budget: number | undefined;
}

const storedSchema = z.object({ own: desiredSchema.nullable(), fleet: desiredSchema.nullable() });
type Stored = z.infer<typeof storedSchema>;

export interface DesiredOptions {
  path: string;
  log: Log;
  onChange: (settled: Settled) => void;
}

export class DesiredState {
  private wishes: Stored = { own: null, fleet: null };
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly options: DesiredOptions) {}

  get settled(): Settled {
    const { own, fleet } = this.wishes;
    return {
      detecting: own?.detecting ?? fleet?.detecting ?? false,
      active_model: own?.active_model ?? fleet?.active_model ?? 'ensemble',
      budget: own?.budget ?? fleet?.budget,
    };
  }

  async start(): Promise<void> {
    const text = await readFile(this.options.path, 'utf8').catch(() => null);
    if (text === null) return;
    try {
      const { crc, ...wishes } = JSON.parse(text);
      if (crc !== crc32(JSON.stringify(wishes))) throw new Error('its checksum is wrong');
      this.wishes = storedSchema.parse(wishes);
    } catch (error) {
      this.options.log.warn({ error: messageOf(error) }, 'the kept desired state is damaged and left out');
    }
  }

  /** Null: the wish was taken back. */
  set(whose: 'own' | 'fleet', desired: Desired | null): void {
    const before = JSON.stringify(this.wishes);
    const settledBefore = JSON.stringify(this.settled);
    this.wishes = { ...this.wishes, [whose]: desired };
    if (JSON.stringify(this.wishes) === before) return;
    this.writing = this.writing.then(() => this.write());
    if (JSON.stringify(this.settled) !== settledBefore) this.options.onChange(this.settled);
  }

  /** Resolves when everything is on disk that is going there. */
  async flush(): Promise<void> {
    await this.writing;
  }

  private async write(): Promise<void> {
    try {
      await mkdir(dirname(this.options.path), { recursive: true, mode: 0o700 });
      const crc = crc32(JSON.stringify(this.wishes));
      await writeFileAtomic(this.options.path, `${JSON.stringify({ ...this.wishes, crc })}\n`);
    } catch (error) {
      this.options.log.error({ error: messageOf(error) }, 'cannot keep the desired state');
    }
  }
}
