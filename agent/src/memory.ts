/**
 * Keeps the daemon small: a start, a back-fill and a training leave free memory behind in V8's heap and in the
 * allocator, and mapped pages of the program that nobody needs again. All of it goes back when the resident set has
 * grown enough since the last time; a collection of a heap of 10 MB stops the thread for some 10 ms.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { releaseMemory } from '@lineheron/native';

/** Growth worth a collection. */
const WORTH_BYTES = 4e6;

export interface Memory {
  residentBytes(): number;
  giveBack(): void;
}

/** This process' own. V8 shows its collector to programs only by this flag. */
export function processMemory(): Memory {
  setFlagsFromString('--expose-gc');
  return {
    residentBytes: () => process.memoryUsage.rss(),
    giveBack: () => {
      // Made anew each time: a kept one would keep its context.
      (runInNewContext('gc') as () => void)();
      releaseMemory(true);
    },
  };
}

export class Trimming {
  /** Resident a while after the last time, when what is in use is back; null until then. */
  private settledBytes: number | null = 0;

  constructor(private readonly memory: Memory) {}

  /** Gives back what is free, if it may be much. For a timer, every half a minute or so. */
  check(): void {
    const residentBytes = this.memory.residentBytes();
    if (this.settledBytes === null) {
      this.settledBytes = residentBytes;
    } else if (residentBytes - this.settledBytes >= WORTH_BYTES) {
      this.memory.giveBack();
      this.settledBytes = null;
    }
  }
}
