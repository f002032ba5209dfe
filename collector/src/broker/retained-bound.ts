/**
 * Says which publishes may be retained, since aedes keeps every one in memory for ever. Holds the size of each topic
 * that it let pass, never a payload; both their number and their bytes are bounded.
 */

export interface RetainedLimits {
  maxTopics: number;
  maxBytes: number;
}

/** What one retained message costs the broker besides its topic and payload, roughly. */
const OVERHEAD_BYTES = 256;

export class RetainedBound {
  private readonly sizes = new Map<string, number>();
  private bytes = 0;

  constructor(private readonly limits: RetainedLimits) {}

  /** False when it would exceed a limit; what its topic held before then stays. An empty payload clears a topic. */
  accept(topic: string, payloadBytes: number): boolean {
    const before = this.sizes.get(topic);
    const size = payloadBytes === 0 ? 0 : OVERHEAD_BYTES + 2 * topic.length + payloadBytes;
    const grows = size > (before ?? 0);
    const bytes = this.bytes - (before ?? 0) + size;
    if (grows && bytes > this.limits.maxBytes) return false;
    if (grows && before === undefined && this.sizes.size >= this.limits.maxTopics) return false;
    this.bytes = bytes;
    if (size === 0) this.sizes.delete(topic);
    else this.sizes.set(topic, size);
    return true;
  }
}
