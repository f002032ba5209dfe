/** For tests of tails: runs one in the background and keeps what it gave. Every chunk counts as durable once taken. */
import { systemClock } from '../clock.js';
import { Counters } from '../counters.js';
import { silentLog, until } from '../test-support.js';
import { TailSource } from './tail.js';

export interface ReaderOptions {
  from?: 'start' | 'end';
  saved?: unknown;
  maxFiles?: number;
  log?: typeof silentLog;
  /** Chunks that are taken before it is as good as killed; all of them when absent. */
  only?: number;
}

export class TailReader {
  readonly emitted: string[] = [];
  readonly refilled: string[] = [];
  readonly counters = new Counters();
  saved: unknown;
  checkpoints = 0;
  private readonly abort = new AbortController();
  private readonly done: Promise<void>;
  private readonly only: number | undefined;

  constructor(
    paths: string[],
    { from = 'start', saved, maxFiles = 256, log = silentLog, only }: ReaderOptions = {},
  ) {
    this.saved = saved;
    this.only = only;
    const source = new TailSource({
      config: { type: 'tail', paths, from, max_files: maxFiles },
      saved,
      windowSeconds: 10,
      clock: systemClock,
      log,
      counters: this.counters,
    });
    this.done = this.run(source);
  }

  private async run(source: TailSource): Promise<void> {
    let taken = 0;
    for await (const chunk of source.chunks(this.abort.signal)) {
      const lines = Buffer.from(chunk.bytes).toString().split('\n').slice(0, -1);
      (chunk.emit ? this.emitted : this.refilled).push(...lines);
      const times = lines.map((line) => Number(line.split(' ')[0])).filter(Number.isFinite);
      if (chunk.position && lines.length === 0) this.checkpoints += 1;
      if (chunk.position) {
        const newestMs = times.length ? times.reduce((a, b) => Math.max(a, b)) : null;
        this.saved = JSON.parse(JSON.stringify(chunk.position(newestMs)));
      }
      taken += 1;
      if (taken === this.only) return;
    }
  }

  async has(lines: string[]): Promise<void> {
    // A surplus fails as well: the first line too many has no counterpart.
    await until(`${lines.length} lines`, () => this.emitted.length >= lines.length);
    const wrong = this.emitted.findIndex((line, index) => line !== lines[index]);
    if (wrong >= 0) throw new Error(`line ${wrong} is ${this.emitted[wrong]}, not ${lines[wrong]}`);
  }

  /** Ends it; one that takes only so many chunks ends by itself. */
  async stop(): Promise<void> {
    if (this.only === undefined) this.abort.abort();
    await this.done;
  }
}

/** Lines `<event time in ms> line <number>`, one a second. */
export const lines = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `${(from + index) * 1000} line ${from + index}`);

export const text = (list: readonly string[]): string => list.map((line) => `${line}\n`).join('');
