/**
 * Learns from how connections end what size of message the broker refuses: MQTT 3.1.1 knows no other way to say so.
 * The largest message that is unanswered when the broker ends a connection, and larger than all that it ever took, is
 * under suspicion. From then on batches go one at a time; when connections end three times with nothing else of that
 * order on the way, that size and more counts as refused. Pure but for its memory, which the next start begins anew.
 */
const ENDS = 3;
/** Of the largest: what is smaller than this share of it was hardly the reason. */
const SMALL_SHARE = 0.5;
/** No broker is known that takes less: who ends connections after these has another reason. */
const MIN_SUSPECT_BYTES = 4 * 1024;
/** A message that is sent again may say a few more words. */
const SAME_BYTES = 64;
/** Until a connection is lost for another reason, a message may be on its way for this long. */
const SOON_MS = 30_000;

interface Sent {
  bytes: number;
  sentMs: number;
}

export class SizeLimit {
  /** Messages of this size and more are refused. */
  refusedBytes = Number.POSITIVE_INFINITY;
  private readonly unanswered = new Set<Sent>();
  /** The largest that the broker took. */
  private takenBytes = 0;
  private suspect: { bytes: number; ends: number } | null = null;

  /** Hears the size that is refused from now on. */
  constructor(private readonly onRefused: (bytes: number) => void) {}

  /** Only one large message may be on its way. */
  get isCareful(): boolean {
    return this.suspect !== null;
  }

  /** Returns what to call once the broker has answered. */
  sent(bytes: number, nowMs: number): () => void {
    const one: Sent = { bytes, sentMs: nowMs };
    this.unanswered.add(one);
    return () => {
      if (!this.unanswered.delete(one)) return;
      this.takenBytes = Math.max(this.takenBytes, bytes);
      if (this.suspect && bytes >= this.suspect.bytes) this.suspect = null;
    };
  }

  /** A connection is over; `byBroker`: nothing but the broker seems to be the reason. */
  ended(byBroker: boolean, nowMs: number): void {
    const sent = [...this.unanswered];
    this.unanswered.clear();
    if (!byBroker) return;
    const most = Math.max(this.takenBytes, MIN_SUSPECT_BYTES);
    const large = sent.filter(({ bytes }) => bytes > most).sort((a, b) => b.bytes - a.bytes);
    const [largest, next] = large;
    if (!largest || nowMs - largest.sentMs > SOON_MS) return;
    const { bytes } = largest;
    const { suspect } = this;
    const before = suspect && Math.abs(suspect.bytes - bytes) <= SAME_BYTES ? suspect.ends : 0;
    // With others like it nobody knows which one it was.
    const isCertain = !next || next.bytes < SMALL_SHARE * bytes;
    this.suspect = { bytes, ends: before + (isCertain ? 1 : 0) };
    if (this.suspect.ends < ENDS) return;
    this.suspect = null;
    this.refusedBytes = Math.min(this.refusedBytes, bytes);
    this.onRefused(bytes);
  }
}
