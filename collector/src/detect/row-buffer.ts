/**
 * Windows gathered during a training, by scope and fingerprint. Each buffer keeps a fair sample of at most `maxRows`
 * (reservoir sampling with a seeded generator), however long the collecting lasts.
 */
import type { Scope } from '@lineheron/models';

export interface GatheredWindow {
  agent: string;
  device: string;
  scope: Scope;
  fingerprint: string;
  endMs: number;
  features: ReadonlyArray<number | null>;
}

export interface RowBuffer {
  scope: Scope;
  fingerprint: string;
  seen: number;
  rows: GatheredWindow[];
}

const MAX_BUFFERS = 32;

export class RowBuffers {
  private readonly buffers = new Map<string, RowBuffer>();
  private state: number;

  constructor(
    private readonly maxRows: number,
    seed: number,
  ) {
    this.state = seed >>> 0;
  }

  get all(): RowBuffer[] {
    return [...this.buffers.values()];
  }

  add(window: GatheredWindow): void {
    const buffer = this.buffer(window.scope, window.fingerprint);
    if (!buffer) return;
    buffer.seen++;
    if (buffer.rows.length < this.maxRows) buffer.rows.push(window);
    else {
      const place = Math.floor(this.random() * buffer.seen);
      if (place < this.maxRows) buffer.rows[place] = window;
    }
  }

  /** The buffer of a scope and fingerprint, made when new; null when there are too many. */
  buffer(scope: Scope, fingerprint: string): RowBuffer | null {
    const key = `${scope}/${fingerprint}`;
    const known = this.buffers.get(key);
    if (known || this.buffers.size >= MAX_BUFFERS) return known ?? null;
    const fresh: RowBuffer = { scope, fingerprint, seen: 0, rows: [] };
    this.buffers.set(key, fresh);
    return fresh;
  }

  /** mulberry32: small, seeded, good enough to sample. */
  private random(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
