/** Page by page every agent and every line is met once, in order, whatever is looked for. */
import { describe, expect, it } from 'vitest';
import { makeInfo } from '../testing/messages.js';
import { Fleet } from './fleet.js';
import { LineBoard } from './line-board.js';
import { Pages } from './pages.js';
import { standingsOf } from './standings.fixture.js';

const NOW = Date.UTC(2026, 0, 1);
const name = (at: number) => `gw-${String(at).padStart(3, '0')}`;

/** Agents with so many lines each; of every tenth one the agent is away. */
function build(agents: number, lines: number) {
  const fleet = new Fleet();
  for (let at = 0; at < agents; at++) {
    const id = name((at * 7) % agents);
    fleet.setOnline(id, true, NOW);
    fleet.setInfo(id, makeInfo({ agent: id, detecting: true, labels: { site: `Site ${id}` } }), NOW);
    for (let line = 0; line < lines; line++) {
      const device = `line-${String((line * 3) % lines).padStart(4, '0')}`;
      const judges = ['isolation_forest', 'adaptive_baseline'] as const;
      fleet.seen(id, { device, scope: 'device', state: 'scored', endMs: NOW, judges, measured: true }, NOW);
    }
    if (Number(id.slice(3)) % 10 === 0) fleet.setOnline(id, false, NOW);
  }
  const standings = standingsOf(fleet, NOW);
  const pages = new Pages({ fleet, standings, board: new LineBoard() });
  return { fleet, pages };
}

type Query = Partial<Parameters<Pages['lines']>[0]>;

function allLines(pages: Pages, query: Query = {}) {
  const keys: string[] = [];
  let turns = 0;
  for (let after: string | undefined; ; turns++) {
    const page = pages.lines({ limit: 100, sort: 'name', ...query, ...(after ? { after } : {}) });
    keys.push(...page.lines.map(({ agent, device }) => `${agent}/${device}`));
    if (page.next === null) return { keys, turns: turns + 1 };
    after = page.next;
  }
}

describe('pages of lines', () => {
  it('meet each line once, in the order of agent and device', () => {
    const { pages } = build(30, 25);
    const { keys, turns } = allLines(pages);
    expect(keys).toHaveLength(750);
    expect(keys).toEqual([...new Set(keys)].sort());
    expect(turns).toBe(8);
  });

  it('with the worst first begin with the lines of agents that are away', () => {
    const { pages } = build(30, 25);
    const { keys } = allLines(pages, { sort: 'worst' });
    expect(new Set(keys).size).toBe(750);
    const away = (key: string) => Number(key.slice(3, 6)) % 10 === 0;
    expect(keys.slice(0, 75).every(away)).toBe(true);
    expect(keys.slice(75).some(away)).toBe(false);
    expect(keys.slice(75)).toEqual(keys.slice(75).sort());
  });

  it('hold what is looked for, by text, agent, state and whether it is watched', () => {
    const { pages } = build(30, 25);
    expect(allLines(pages, { q: 'GW-007/line-0003' }).keys).toEqual(['gw-007/line-0003']);
    expect(allLines(pages, { agent: 'gw-007' }).keys).toHaveLength(25);
    expect(allLines(pages, { agent: 'gw-007', sort: 'worst', limit: 7 }).keys).toHaveLength(25);
    expect(allLines(pages, { agent: 'gw-nobody' }).keys).toEqual([]);
    expect(allLines(pages, { state: 'offline' }).keys).toHaveLength(75);
    expect(allLines(pages, { watched: 'false' }).keys).toHaveLength(75);
    expect(pages.lines({ limit: 1, sort: 'name', after: '3/zz/zz' })).toEqual({ lines: [], next: null });
  });

  it.each(['name', 'worst'] as const)(
    'by %s look at so many lines in a request and go on with the next',
    (sort) => {
      const { pages } = build(45, 1000);
      const { keys, turns } = allLines(pages, { sort, q: 'gw-044/line-0999' });
      expect(keys).toEqual(['gw-044/line-0999']);
      expect(turns).toBeGreaterThan(2);
      expect(turns).toBeLessThan(10);
    },
  );
});

describe('pages of agents', () => {
  const all = (pages: Pages, query: Partial<Parameters<Pages['agents']>[0]> = {}) => {
    const ids: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = pages.agents({ limit: 7, sort: 'name', ...query, ...(after ? { after } : {}) });
      ids.push(...page.agents.map(({ id }) => id));
      if (page.next === null) return ids;
      after = page.next;
    }
  };

  it('meet each agent once, by id or those first that are away, with the number of their lines', () => {
    const { pages } = build(30, 2);
    expect(all(pages)).toEqual(Array.from({ length: 30 }, (_, at) => name(at)));
    const worst = all(pages, { sort: 'worst' });
    expect(worst.slice(0, 4)).toEqual(['gw-000', 'gw-010', 'gw-020', 'gw-001']);
    expect(new Set(worst).size).toBe(30);
    expect(pages.agents({ limit: 1, sort: 'name' }).agents[0]?.lines).toEqual({ of: 2, watched: 0 });
  });

  it('hold what is looked for by id, label and whether it is online', () => {
    const { pages } = build(30, 1);
    expect(all(pages, { q: 'site gw-012' })).toEqual(['gw-012']);
    expect(all(pages, { online: 'false' })).toEqual(['gw-000', 'gw-010', 'gw-020']);
  });
});
