/**
 * The source `stdin`: lines from standard input, such as `journalctl -f | lineheron-agent run`. Reads only as fast as
 * lines are taken, so the writer waits while the spool is full. At its end the agent delivers what it has and ends.
 * It cannot be opened again, so a fault of it is its end too, told and counted.
 */
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { encodingOf } from '../config-format.js';
import type { Counters } from '../counters.js';
import { type Log, messageOf } from '../log.js';
import { type Encoding, Utf8Decoder } from '../text-encoding.js';
import { LineCutter, longestLine } from './line-cutter.js';
import { type Chunk, lineKeys, type Phase, type Source, sourceKind } from './source.js';

const stdinSchema = z.strictObject({ type: z.literal('stdin'), ...lineKeys });

export class StdinSource implements Source {
  readonly detail = 'standard input';
  private current: Phase = 'live';

  constructor(
    private readonly open: () => Readable,
    private readonly log: Log,
    private readonly counters: Counters,
    private readonly encoding: Encoding = 'auto',
    private readonly maxLineBytes?: number,
  ) {}

  get phase(): Phase {
    return this.current;
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Chunk> {
    const stream = this.open();
    // What it says after its end concerns nobody.
    stream.on('error', () => {});
    const decoder = new Utf8Decoder(this.encoding);
    let begins = true;
    const cutter = new LineCutter(this.maxLineBytes);
    const stop = () => stream.destroy();
    signal.addEventListener('abort', stop, { once: true });
    try {
      if (signal.aborted) return;
      for await (const bytes of stream) {
        const lines = cutter.push(decoder.push(bytes as Buffer));
        if (lines.length > 0) yield chunkOf(lines, begins);
        begins &&= lines.length === 0;
        if (signal.aborted) return;
      }
    } catch (error) {
      // A stream that is destroyed while it is read complains.
      if (signal.aborted) return;
      this.counters.add('stdin_errors');
      this.log.error({ error: messageOf(error) }, 'standard input failed and is taken as ended');
    } finally {
      signal.removeEventListener('abort', stop);
    }
    const last = Buffer.concat([cutter.push(decoder.end()), cutter.end()]);
    if (last.length > 0) yield chunkOf(last, begins);
    this.current = 'ended';
  }
}

function chunkOf(bytes: Uint8Array, begins: boolean): Chunk {
  return { bytes, emit: true, begins, position: null };
}

export const stdin = sourceKind({
  schema: stdinSchema,
  canWait: true,
  endsAgent: true,
  isFixed: true,
  create: ({ format }, { stdin: open = () => process.stdin, log, counters }) =>
    new StdinSource(open, log, counters, encodingOf(format), longestLine(format)),
});
