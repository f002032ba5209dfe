/**
 * Lines that came from others and wait to be taken, kept apart by sender. Bounded in bytes: what is beyond is refused,
 * and whoever hands it in counts it, or stops handing in.
 */

/** What one line costs beside its bytes. */
const LINE_COST = 64;
const LINE_FEED = Buffer.from('\n');

export interface SenderLines {
  sender: string;
  bytes: Buffer;
}

export class LineQueue {
  private waiting = new Map<string, Buffer[]>();
  private bytes = 0;
  private wake: (() => void) | null = null;

  constructor(private readonly maxBytes: number) {}

  get waitingBytes(): number {
    return this.bytes;
  }

  /** Time for those who can wait to do so. */
  get isHalfFull(): boolean {
    return this.bytes >= this.maxBytes / 2;
  }

  /**
   * A message, without its line's end; false when there is no room. Its bytes are copied. Who stops as soon as the
   * queue is half full may go over its bound with what is already read.
   */
  add(sender: string, message: Buffer, stops: boolean): boolean {
    const cost = message.length + LINE_COST;
    if (!stops && this.bytes + cost > this.maxBytes) return false;
    this.bytes += cost;
    const lines = this.waiting.get(sender);
    const line = oneLine(message);
    if (lines) lines.push(line, LINE_FEED);
    else this.waiting.set(sender, [line, LINE_FEED]);
    this.wake?.();
    return true;
  }

  /** Everything that waits, one block a sender. */
  take(): SenderLines[] {
    const taken = [...this.waiting].map(([sender, lines]) => ({ sender, bytes: Buffer.concat(lines) }));
    this.waiting = new Map();
    this.bytes = 0;
    return taken;
  }

  /** Resolves as soon as something waits, or the signal is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.waiting.size > 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.wake = null;
        resolve();
      };
      this.wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** Copied, with its own line ends as spaces and without what senders put at the end. */
function oneLine(message: Buffer): Buffer {
  let end = message.length;
  while (end > 0 && isEnd(message[end - 1]!)) end -= 1;
  const line = Buffer.from(message.subarray(0, end));
  for (let at = line.indexOf(10); at >= 0; at = line.indexOf(10, at + 1)) line[at] = 32;
  return line;
}

function isEnd(byte: number): boolean {
  return byte === 10 || byte === 13 || byte === 0;
}
