/** Collectors that ask each other over a broker that is only imagined, in time that the test makes. */
import type { CollectorClaim } from '@lineheron/models';
import { beforeEach, describe, expect, it } from 'vitest';
import { FleetClaim } from './fleet-claim.js';

const TICK_MS = 250;

let nowMs: number;
let retained: string;
let nodes: Node[];

/** One collector's side, and its connection. */
class Node {
  readonly heard: string[] = [];
  isConnected = false;
  serving = false;
  readonly claim: FleetClaim;

  constructor(
    readonly name: string,
    startedSecond: number,
  ) {
    this.claim = new FleetClaim({
      me: {
        instance: name.repeat(16),
        host: `host-${name}`,
        pid: 7,
        address: '',
        version: '0.1.0',
        started_at: new Date(startedSecond * 1000).toISOString(),
      },
      monotonicMs: () => nowMs,
      publish: (claim, retain) => this.isConnected && publish(JSON.stringify(claim), retain),
      onServing: () => {
        this.serving = true;
      },
      onStandby: () => {
        this.serving = false;
      },
      onPaused: () => {
        this.serving = false;
      },
    });
    nodes.push(this);
  }

  /** Brokers differ in what comes first: the answer to the subscription, or what they kept. */
  connect(ownsBroker = false, keptFirst = false): void {
    this.isConnected = true;
    const kept = retained;
    const hear = () => kept !== '' && this.claim.hear(Buffer.from(kept), true);
    if (keptFirst) hear();
    this.claim.connected(ownsBroker);
    if (!keptFirst) hear();
  }

  /** `will`: the broker notices, and clears the claim. */
  disconnect(will: boolean): void {
    this.isConnected = false;
    this.serving = false;
    this.claim.disconnected();
    if (will) publish('', true);
  }
}

function publish(text: string, retain: boolean): void {
  if (retain) retained = text;
  for (const node of nodes) if (node.isConnected) node.claim.hear(Buffer.from(text), false);
}

function pass(ms: number, who: readonly Node[] = nodes): void {
  for (const untilMs = nowMs + ms; nowMs < untilMs; ) {
    nowMs += TICK_MS;
    for (const node of who) if (node.isConnected) node.claim.tick();
  }
}

const serving = () => nodes.filter((node) => node.serving).map(({ name }) => name);

beforeEach(() => {
  nowMs = 1_000_000;
  retained = '';
  nodes = [];
});

describe('a collector that comes to a broker', () => {
  it('serves it after a second when nobody is there, and at once when it is its own', () => {
    new Node('a', 1).connect();
    expect(serving()).toEqual([]);
    pass(1250);
    expect(serving()).toEqual(['a']);
    expect(JSON.parse(retained)).toMatchObject({ state: 'serving', host: 'host-a', pid: 7 });
    new Node('b', 2).connect(true);
    expect(serving()).toContain('b');
  });

  it('stands by at once while another serves, knows which, and leaves its claim as it is', () => {
    new Node('b', 2).connect();
    pass(2000);
    const before = JSON.parse(retained) as CollectorClaim;
    const second = new Node('a', 1);
    second.connect();
    pass(TICK_MS);
    pass(600_000);
    expect(serving()).toEqual(['b']);
    expect(second.claim.servedBy).toMatchObject({ host: 'host-b', instance: 'b'.repeat(16) });
    expect(JSON.parse(retained)).toEqual(before);
  });

  it.each([false, true])(
    'takes over from a dead one after five seconds, and keeps what its late last will clears (kept first: %s)',
    (keptFirst) => {
      const first = new Node('a', 1);
      first.connect();
      pass(2000);
      first.disconnect(false);
      new Node('b', 2).connect(false, keptFirst);
      pass(4000);
      expect(serving()).toEqual([]);
      pass(2000);
      expect(serving()).toEqual(['b']);
      publish('', true);
      expect(JSON.parse(retained)).toMatchObject({ host: 'host-b' });
    },
  );

  it.each([
    [2, 1],
    [1, 2],
    [1, 1],
  ])('is one of two of the same moment, and one alone serves (%i, %i)', (a, b) => {
    const both = [new Node('a', a), new Node('b', b)];
    for (const node of both) node.connect();
    for (let ms = 0; ms < 30_000; ms += TICK_MS) {
      pass(TICK_MS);
      expect(serving().length).toBeLessThanOrEqual(1);
    }
    expect(serving()).toEqual([a <= b ? 'a' : 'b']);
  });

  it('believes no garbage, and no claim without a word behind it', () => {
    const told = ['{', 'null', '[]', '{"v":1}', `{"v":1,"state":"serving","instance":"${'c'.repeat(16)}"}`];
    const node = new Node('a', 1);
    node.connect();
    for (const text of told) publish(text, false);
    pass(1250);
    expect(serving()).toEqual(['a']);
    node.disconnect(false);
    retained = JSON.stringify({ ...JSON.parse(retained), instance: 'c'.repeat(16) });
    node.connect();
    pass(5250);
    expect(serving()).toEqual(['a']);
  });
});

describe('a collector that served', () => {
  it('goes on at once when it is back and its claim is still there', () => {
    const node = new Node('a', 1);
    node.connect();
    pass(2000);
    node.disconnect(false);
    pass(60_000);
    node.connect();
    expect(serving()).toEqual(['a']);
  });

  it('stands by when another took over meanwhile, and serves again when that one ends', () => {
    const [first, second] = [new Node('a', 1), new Node('b', 2)];
    first.connect();
    pass(2000);
    first.disconnect(true);
    second.connect();
    pass(2000);
    first.connect();
    pass(60_000);
    expect(serving()).toEqual(['b']);
    second.disconnect(true);
    pass(1250);
    expect(serving()).toEqual(['a']);
  });

  it('asks again before it goes on when it was held up for so long that another may have come', () => {
    const [first, second] = [new Node('a', 1), new Node('b', 2)];
    first.connect();
    pass(2000);
    // Stopped, but its connection lives on; what it is sent waits.
    second.connect();
    first.isConnected = false;
    pass(7000, [second]);
    first.isConnected = true;
    first.claim.tick();
    expect(serving()).toEqual(['b']);
    pass(10_000);
    expect(serving()).toEqual(['b']);
  });

  it('is not pushed out by a single word of another, but one of two that go on yields', () => {
    const first = new Node('b', 2);
    first.connect();
    pass(2000);
    const forged = { ...(JSON.parse(retained) as CollectorClaim), instance: '0'.repeat(16) };
    publish(JSON.stringify(forged), false);
    pass(60_000);
    expect(serving()).toEqual(['b']);
    const other = new Node('a', 1);
    other.isConnected = true;
    other.claim.connected(true);
    pass(8000);
    expect(serving()).toEqual(['a']);
  });
});
