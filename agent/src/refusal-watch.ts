/**
 * Says so when most lines of a source are refused: an agent that understands nothing looks like a quiet one. Told once
 * when it begins, when its main reason changes, every hour while it lasts, and when it is over; at most once a minute.
 * Counts are of the last 32 to 64 lines, or of the last chunks where those hold more. Raw text is in the log only,
 * redacted; what `view` gives may leave the gateway.
 */
import type { RefusedSource } from '@lineheron/models';
import type { EngineCounters, RefusedLine } from '@lineheron/native';
import type { Clock } from './clock.js';
import type { SourceConfig } from './config-source.js';
import type { Log } from './log.js';
import type { Remedy } from './proposal/remedy.js';
import { mainRefusal, refusalReason, valueCode } from './refusal-reasons.js';

const BUCKET_LINES = 32;
/** So many lines say enough at once; fewer only if nothing better comes for a while. */
const ENOUGH_LINES = 10;
const PATIENCE_MS = 30_000;
const BEGINS_ABOVE = 0.5;
const ENDS_BELOW = 0.25;
const REPEAT_MS = 3_600_000;
const PAUSE_MS = 60_000;
const MAX_KEPT_BYTES = 16 * 1024;
const MAX_SAMPLES = 256;
const MAX_SHOWN_LINE = 200;
const MAX_VIEW = 8;

/** One object as long as a source is read in one way: another one begins the counts anew. */
export interface WatchedSource {
  readonly name: string;
  /** Its lines' format by the engine's number. */
  readonly format: number;
  readonly config: SourceConfig | null;
}

export interface RefusalWatchOptions {
  counters: () => Pick<EngineCounters, 'lines' | 'refused' | 'refusedValues' | 'tooLong'>;
  samples: () => RefusedLine[];
  /** Looks at lines of a source that are refused for `code`. */
  remedy: (source: WatchedSource, lines: Uint8Array, code: string) => Remedy;
  redact: (line: string) => string;
  clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  log: Log;
  /** What `view` gives has changed. */
  onChange: () => void;
}

interface Bucket {
  lines: number;
  refused: Record<string, number>;
}

interface Watched {
  source: WatchedSource;
  previous: Bucket;
  current: Bucket;
  firstMs: number;
  /** Chunks in which something was refused, the newest last. */
  kept: Buffer[];
  toldMs: number;
  /** Refused lines since it was last told. */
  fresh: number;
  told: { code: string; since: string; remedy: Remedy } | null;
}

const emptyBucket = (): Bucket => ({ lines: 0, refused: {} });
const total = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);

export class RefusalWatch {
  private readonly watched = new Map<string, Watched>();
  private readonly samples = new Map<string, string>();
  private before: Bucket = emptyBucket();

  constructor(private readonly options: RefusalWatchOptions) {}

  /** After every chunk that the engine was given. */
  pushed(source: WatchedSource, bytes: Uint8Array): void {
    const gave = this.gave();
    if (gave.lines === 0) return;
    const one = this.of(source);
    if (one.current.lines >= BUCKET_LINES) {
      one.previous = one.current;
      one.current = emptyBucket();
    }
    add(one.current, gave);
    const refused = total(gave.refused);
    one.fresh += refused;
    if (refused > 0) keep(one.kept, bytes);
    this.judge(one);
  }

  /** Every second or so: few lines that are all refused are told after a while, too. */
  tick(): void {
    for (const one of this.watched.values()) if (one.current.lines > 0) this.judge(one);
  }

  /** Only these are read from now on. */
  retain(names: readonly string[]): void {
    for (const name of this.watched.keys()) if (!names.includes(name)) this.watched.delete(name);
  }

  /** A few refused lines, at debug level; they stay on this machine. */
  tellSamples(): void {
    for (const sample of this.options.samples()) {
      this.options.log.debug(sample, sample.valueOnly ? 'a refused value in a line' : 'a refused line');
      const code = sample.valueOnly ? valueCode(sample.reason) : sample.reason;
      if (this.samples.size < MAX_SAMPLES) this.samples.set(`${sample.format} ${code}`, sample.line);
    }
  }

  view(): RefusedSource[] {
    return [...this.watched.values()]
      .flatMap((one) => {
        if (!one.told) return [];
        const { lines, refused } = recent(one);
        if (total(refused) === 0) return [];
        const { code, since, remedy } = one.told;
        const { reason } = refusalReason(code);
        return [
          {
            source: one.source.name,
            lines: total(refused),
            of: lines,
            code: code.slice(0, 64),
            reason: reason.slice(0, 256),
            remedy: remedy.anywhere.slice(0, 512),
            since,
          },
        ];
      })
      .slice(0, MAX_VIEW);
  }

  private judge(one: Watched): void {
    const { clock } = this.options;
    const nowMs = clock.monotonicMs();
    const { lines, refused } = recent(one);
    const share = total(refused) / lines;
    const enough = lines >= ENOUGH_LINES || nowMs - one.firstMs >= PATIENCE_MS;
    if (!enough) return;
    if (one.told && share < ENDS_BELOW) this.over(one, lines, total(refused));
    if (share <= BEGINS_ABOVE || nowMs - one.toldMs < PAUSE_MS) return;
    const code = mainRefusal(refused);
    if (code === null) return;
    const due = one.told === null || one.told.code !== code || nowMs - one.toldMs >= REPEAT_MS;
    if (due && one.fresh > 0) this.tell(one, code, lines, total(refused));
  }

  private tell(one: Watched, code: string, lines: number, refused: number): void {
    const { clock, log, redact, remedy, onChange } = this.options;
    const isNew = one.told?.code !== code;
    if (isNew) {
      const since = one.told?.since ?? new Date(clock.nowMs()).toISOString();
      one.told = { code, since, remedy: remedy(one.source, Buffer.concat(one.kept), code) };
    }
    one.toldMs = clock.monotonicMs();
    one.fresh = 0;
    const { name } = one.source;
    const sample = this.sample(one.source.format, code);
    log.warn(
      {
        source: name,
        code,
        ...(sample === undefined ? {} : { sample: redact(sample).slice(0, MAX_SHOWN_LINE) }),
        remedy: one.told?.remedy.here,
      },
      `${refused} of the last ${lines} lines of ${name} ${refusalReason(code).valueOnly ? 'are read in part' : 'are refused'}: ${refusalReason(code).reason}`,
    );
    if (isNew) onChange();
  }

  private over(one: Watched, lines: number, refused: number): void {
    one.told = null;
    one.kept = [];
    this.options.log.info(
      { source: one.source.name },
      `the lines of ${one.source.name} are understood again: ${refused} of the last ${lines} are refused`,
    );
    this.options.onChange();
  }

  private sample(format: number, code: string): string | undefined {
    this.tellSamples();
    return this.samples.get(`${format} ${code}`);
  }

  /** What the engine counted since the last chunk. */
  private gave(): Bucket {
    const { lines, refused, refusedValues, tooLong } = this.options.counters();
    const values = Object.entries(refusedValues).map(([code, count]) => [valueCode(code), count]);
    const all = { ...refused, ...Object.fromEntries(values), too_long: tooLong };
    const now = { lines, refused: all as Record<string, number> };
    const { before } = this;
    this.before = now;
    const entries = Object.entries(now.refused).map(([code, count]) => [
      code,
      count - (before.refused[code] ?? 0),
    ]);
    return { lines: now.lines - before.lines, refused: Object.fromEntries(entries) };
  }

  private of(source: WatchedSource): Watched {
    const known = this.watched.get(source.name);
    if (known?.source === source) return known;
    // What was told of it stands until its lines are understood.
    const { told = null, toldMs = Number.NEGATIVE_INFINITY } = known ?? {};
    const one = {
      source,
      previous: emptyBucket(),
      current: emptyBucket(),
      firstMs: this.options.clock.monotonicMs(),
      kept: [],
      fresh: 0,
      told,
      toldMs,
    };
    this.watched.set(source.name, one);
    return one;
  }
}

function add(bucket: Bucket, more: Bucket): void {
  bucket.lines += more.lines;
  for (const [code, count] of Object.entries(more.refused)) {
    if (count > 0) bucket.refused[code] = (bucket.refused[code] ?? 0) + count;
  }
}

function recent({ previous, current }: Watched): Bucket {
  const both = emptyBucket();
  add(both, previous);
  add(both, current);
  return both;
}

/** The newest chunks, bounded; of one that is larger its front, up to a whole line. */
function keep(kept: Buffer[], bytes: Uint8Array): void {
  const front = Buffer.from(bytes.subarray(0, MAX_KEPT_BYTES));
  kept.push(front.subarray(0, front.lastIndexOf(10) + 1 || front.length));
  let size = kept.reduce((sum, { length }) => sum + length, 0);
  while (size > MAX_KEPT_BYTES && kept.length > 1) size -= kept.shift()!.length;
}
