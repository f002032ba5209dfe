import { describe, expect, it } from 'vitest';
import { acknowledgements } from './acknowledge.js';
import { Ledger, mergeSequences } from './ledger.js';

const one = (sequence: number, boot = 'b1') => ({ agent: 'gw-1', boot, sequence });

describe('Ledger', () => {
  it('knows exactly what was added, in whatever order it came', () => {
    const ledger = new Ledger();
    const added = [5, 1, 2, 9, 7, 8, 3, 20];
    for (const sequence of added) ledger.add({ agent: 'gw-1', boot: 'b1', first: sequence, last: sequence });
    for (let sequence = 0; sequence < 25; sequence++) {
      expect(ledger.has('gw-1', 'b1', sequence)).toBe(added.includes(sequence));
    }
    expect(ledger.ranges('gw-1', 'b1')).toEqual([
      { first: 1, last: 3 },
      { first: 5, last: 5 },
      { first: 7, last: 9 },
      { first: 20, last: 20 },
    ]);
  });

  it('joins ranges that overlap or touch', () => {
    const ledger = new Ledger();
    for (const [first, last] of [
      [1, 4],
      [10, 12],
      [6, 7],
      [3, 9],
    ] as const) {
      ledger.add({ agent: 'gw-1', boot: 'b1', first, last });
    }
    expect(ledger.ranges('gw-1', 'b1')).toEqual([{ first: 1, last: 12 }]);
  });

  it('keeps agents and boots apart', () => {
    const ledger = new Ledger();
    ledger.add({ agent: 'gw-1', boot: 'b1', first: 1, last: 1 });
    expect(ledger.has('gw-1', 'b2', 1)).toBe(false);
    expect(ledger.has('gw-2', 'b1', 1)).toBe(false);
  });

  it('lets the agent unseen for longest go, and recalls it when it is back', async () => {
    const ledger = new Ledger(2);
    const range = (agent: string) => ({ agent, boot: 'b1', first: 1, last: 1 });
    const asked: string[][] = [];
    const read = async (unknown: readonly string[]) => {
      asked.push([...unknown]);
      return unknown.map(range);
    };
    ledger.add(range('gw-1'));
    ledger.add(range('gw-2'));
    await ledger.recall(['gw-1'], read);
    ledger.add(range('gw-3'));
    const known = () => ['gw-1', 'gw-2', 'gw-3'].filter((agent) => ledger.has(agent, 'b1', 1));
    expect(known()).toEqual(['gw-1', 'gw-3']);
    await ledger.recall(['gw-2', 'gw-3', 'gw-2'], read);
    expect(known()).toEqual(['gw-2', 'gw-3']);
    expect(asked).toEqual([['gw-2']]);
  });

  it('forgets the boot heard of longest ago when an agent has had very many', () => {
    const ledger = new Ledger();
    for (let boot = 0; boot <= 1000; boot++)
      ledger.add({ agent: 'gw-1', boot: `b${boot}`, first: 1, last: 1 });
    expect(ledger.has('gw-1', 'b0', 1)).toBe(false);
    expect(ledger.has('gw-1', 'b1', 1)).toBe(true);
  });
});

describe('mergeSequences and acknowledgements', () => {
  it('give the fewest ranges, one message an agent', () => {
    const batches = [
      one(2),
      one(1),
      one(2),
      one(4),
      one(9, 'b2'),
      { agent: 'gw-2', boot: 'b1', sequence: 1 },
    ];
    expect(mergeSequences(batches)).toHaveLength(4);
    const acks = acknowledgements(batches);
    expect(acks.get('gw-1')?.ranges).toEqual([
      { boot: 'b1', from: 1, to: 2 },
      { boot: 'b1', from: 4, to: 4 },
      { boot: 'b2', from: 9, to: 9 },
    ]);
    expect(acks.get('gw-2')?.ranges).toEqual([{ boot: 'b1', from: 1, to: 1 }]);
  });
});
