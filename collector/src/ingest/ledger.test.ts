import { describe, expect, it } from 'vitest';
import type { BootKey } from '../spans.js';
import { acknowledgements } from './acknowledge.js';
import { Ledger } from './ledger.js';

const one = (sequence: number, boot = 'b1', agent = 'gw-1') => ({ agent, boot, sequence });
const range = (agent: string, boot = 'b1', complete = true) => ({ agent, boot, first: 1, last: 1, complete });

describe('Ledger', () => {
  it('keeps agents and boots apart', () => {
    const ledger = new Ledger();
    ledger.add(range('gw-1'));
    expect(ledger.knows(one(1))).toBe('stored');
    expect(ledger.knows(one(1, 'b2'))).toBe('new');
    expect(ledger.knows(one(1, 'b1', 'gw-2'))).toBe('new');
  });

  it('takes what was only claimed for no more than perhaps stored', () => {
    const ledger = new Ledger();
    ledger.add(range('gw-1', 'b1', false));
    expect(ledger.knows(one(1))).toBe('perhaps');
  });

  it('lets the boot unheard of for longest go, and recalls it when it is back', async () => {
    const ledger = new Ledger(2);
    const asked: string[][] = [];
    const read = async (unknown: readonly BootKey[]) => {
      asked.push(unknown.map(({ agent }) => agent));
      return unknown.map(({ agent }) => range(agent));
    };
    ledger.add(range('gw-1'));
    ledger.add(range('gw-2'));
    await ledger.recall([one(1)], read);
    ledger.add(range('gw-3'));
    const known = () =>
      ['gw-1', 'gw-2', 'gw-3'].filter((agent) => ledger.knows(one(1, 'b1', agent)) === 'stored');
    expect(known()).toEqual(['gw-1', 'gw-3']);
    const again = [one(1, 'b1', 'gw-2'), one(1, 'b1', 'gw-3'), one(2, 'b1', 'gw-2')];
    await ledger.recall(again, read);
    expect(known()).toEqual(['gw-2', 'gw-3']);
    expect(asked).toEqual([['gw-2']]);
  });
});

describe('acknowledgements', () => {
  it('give the fewest ranges, one message an agent, and name nothing but what came', () => {
    const batches = [one(2), one(1), one(2), one(9, 'b2'), { ...one(7), first: 3 }, one(1, 'b1', 'gw-2')];
    const acks = acknowledgements(batches);
    expect(acks.get('gw-1')?.ranges).toEqual([
      { boot: 'b1', from: 1, to: 2 },
      { boot: 'b1', from: 7, to: 7 },
      { boot: 'b2', from: 9, to: 9 },
    ]);
    expect(acks.get('gw-2')?.ranges).toEqual([{ boot: 'b1', from: 1, to: 1 }]);
  });
});
