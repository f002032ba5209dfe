/**
 * Who has a place. Newcomers always get one while anybody holds a place that is not reserved: the collector and the
 * agents that it knows keep theirs, of all others the longest idle gives way, first of the address that holds most.
 * Connections that have not sent CONNECT are counted apart, and the oldest of them gives way.
 */
import type { BrokerLimits } from './limits.js';
import type { RefusalReason } from './refusals.js';

export interface Peer {
  readonly address: string;
  /** Ends the connection. */
  cut(): void;
}

type Rank = 'unconnected' | 'other' | 'reserved';

interface Place {
  rank: Rank;
  clientId: string | null;
  lastHeardMs: number;
  partialBytes: number;
}

type PlaceLimits = Pick<BrokerLimits, 'maxConnections' | 'maxUnconnected' | 'maxPartialBytes'>;

export class Connections {
  private readonly places = new Map<Peer, Place>();
  private readonly counts: Record<Rank, number> = { unconnected: 0, other: 0, reserved: 0 };
  private partial = 0;

  constructor(
    private readonly limits: PlaceLimits,
    private readonly refuse: (reason: RefusalReason) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get connected(): number {
    return this.counts.other + this.counts.reserved;
  }

  get unconnected(): number {
    return this.counts.unconnected;
  }

  get partialBytes(): number {
    return this.partial;
  }

  open(peer: Peer): void {
    if (this.counts.unconnected >= this.limits.maxUnconnected) {
      const [oldest] = [...this.places].find(([, { rank }]) => rank === 'unconnected') ?? [];
      if (oldest) this.cut(oldest, 'too_many_unconnected');
    }
    this.places.set(peer, { rank: 'unconnected', clientId: null, lastHeardMs: this.now(), partialBytes: 0 });
    this.counts.unconnected += 1;
  }

  /** It sent CONNECT. False when there is no place for it. */
  admit(peer: Peer, clientId: string, isReserved: boolean): boolean {
    const place = this.places.get(peer);
    if (!place) return false;
    if (this.connected >= this.limits.maxConnections) {
      const victim = this.whoGivesWay();
      if (!victim) {
        this.refuse('no_place');
        return false;
      }
      this.cut(victim, 'displaced');
    }
    place.clientId = clientId;
    this.rank(place, isReserved ? 'reserved' : 'other');
    return true;
  }

  /** Bytes came, of which so many belong to a packet that is not complete. */
  heard(peer: Peer, partialBytes: number): void {
    const place = this.places.get(peer);
    if (!place) return;
    place.lastHeardMs = this.now();
    this.partial += partialBytes - place.partialBytes;
    place.partialBytes = partialBytes;
    while (this.partial > this.limits.maxPartialBytes) {
      const hoarder = this.largestPartial();
      if (!hoarder) return;
      this.cut(hoarder, 'partial_packets');
    }
  }

  /** These client ids have places of their own from now on. */
  reserve(isReserved: (clientId: string) => boolean): void {
    for (const place of this.places.values()) {
      if (place.rank === 'other' && isReserved(place.clientId ?? '')) this.rank(place, 'reserved');
    }
  }

  close(peer: Peer): void {
    const place = this.places.get(peer);
    if (!place) return;
    this.places.delete(peer);
    this.counts[place.rank] -= 1;
    this.partial -= place.partialBytes;
  }

  private rank(place: Place, rank: Rank): void {
    this.counts[place.rank] -= 1;
    this.counts[rank] += 1;
    place.rank = rank;
  }

  private cut(peer: Peer, reason: RefusalReason): void {
    this.refuse(reason);
    this.close(peer);
    peer.cut();
  }

  private whoGivesWay(): Peer | null {
    const byAddress = new Map<string, number>();
    for (const [{ address }, { rank }] of this.places) {
      if (rank === 'other') byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
    }
    const most = Math.max(...byAddress.values());
    return this.least(
      ({ address }, { rank }) => rank === 'other' && byAddress.get(address) === most,
      ({ lastHeardMs }) => lastHeardMs,
    );
  }

  private largestPartial(): Peer | null {
    return this.least(
      (_peer, { rank, partialBytes }) => rank !== 'reserved' && partialBytes > 0,
      ({ partialBytes }) => -partialBytes,
    );
  }

  private least(may: (peer: Peer, place: Place) => boolean, by: (place: Place) => number): Peer | null {
    let found: [Peer, Place] | null = null;
    for (const entry of this.places) {
      if (may(...entry) && (found === null || by(entry[1]) < by(found[1]))) found = entry;
    }
    return found?.[0] ?? null;
  }
}
