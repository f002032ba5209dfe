/**
 * Find beyond the list that the feed shows: asks the collector a moment after the last key, and again while the text
 * stands there, since what is found is not told of otherwise. One question at a time.
 */
import type { LineView } from '@lineheron/models';

const PAUSE_MS = 200;
const AGAIN_MS = 5_000;

export interface FinderParts {
  /** Null when it could not be had. */
  readonly find: (text: string) => Promise<readonly LineView[] | null>;
  readonly onFound: (lines: readonly LineView[]) => void;
  readonly setTimer: (run: () => void, ms: number) => number;
  readonly clearTimer: (timer: number) => void;
}

export class Finder {
  readonly #parts: FinderParts;
  #text = '';
  #timer: number | null = null;

  constructor(parts: FinderParts) {
    this.#parts = parts;
  }

  /** An empty text ends it; what was found stays for who has chosen it. */
  want(text: string): void {
    const wanted = text.trim();
    if (wanted === this.#text) return;
    this.stop();
    this.#text = wanted;
    if (wanted !== '') this.#askIn(PAUSE_MS);
  }

  stop(): void {
    this.#text = '';
    if (this.#timer !== null) this.#parts.clearTimer(this.#timer);
    this.#timer = null;
  }

  #askIn(ms: number): void {
    this.#timer = this.#parts.setTimer(() => void this.#ask(), ms);
  }

  async #ask(): Promise<void> {
    const text = this.#text;
    const lines = await this.#parts.find(text);
    if (text !== this.#text) return;
    if (lines !== null) this.#parts.onFound(lines);
    this.#askIn(AGAIN_MS);
  }
}
