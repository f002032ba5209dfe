import { HISTORY_WINDOWS } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { type HistoryWanted, lostSentence, trainingRows } from './training-rows.js';

const FINGERPRINT = 'ffffffffffffffff';
const gathered = (agent: string, count: number) =>
  Array.from({ length: count }, (_, endMs) => ({
    agent,
    device: 'modem-1',
    scope: 'device' as const,
    fingerprint: FINGERPRINT,
    endMs,
    features: [1, 2],
  }));

function archive(...stored: string[]) {
  const asked: HistoryWanted[] = [];
  const read = async (wanted: HistoryWanted) => {
    asked.push(wanted);
    const agents = wanted.agents ? stored.filter((agent) => wanted.agents!.includes(agent)) : stored;
    const counts = agents.map(() => 1);
    const rows = new Float32Array(2 * agents.length);
    const lines = agents.map((agent) => ({ agent, device: 'modem-1', rows: 1 }));
    return { columns: 2, rows, agents, counts, lines, oldestMs: 1, newestMs: 2 };
  };
  return { asked, read };
}

const wanted = { scope: 'device' as const, fingerprint: FINGERPRINT, useHistory: false };

describe('trainingRows', () => {
  it('adds as much history of each covered agent that is away as a present one gave', async () => {
    const { asked, read } = archive('gw-1', 'gw-3', 'gw-4');
    const covered = ['gw-1', 'gw-3', 'gw-4'];
    const rows = [...gathered('gw-1', 50), ...gathered('gw-2', 30)];
    const { history, lost } = await trainingRows({ ...wanted, gathered: rows, covered }, read);
    expect(asked).toEqual([
      { scope: 'device', fingerprint: FINGERPRINT, limit: 80, agents: ['gw-3', 'gw-4'] },
    ]);
    expect(history?.agents).toEqual(['gw-3', 'gw-4']);
    expect(lost).toEqual([]);
  });

  it('names covered agents of whom nothing is stored, with history asked for and without', async () => {
    for (const useHistory of [false, true]) {
      const { read } = archive('gw-1');
      const covered = ['gw-1', 'gw-9'];
      const { lost } = await trainingRows(
        { ...wanted, useHistory, gathered: gathered('gw-1', 9), covered },
        read,
      );
      expect(lost).toEqual(['gw-9']);
    }
  });

  it('is bounded, and reads nothing when all are there or nothing was gathered', async () => {
    const { asked, read } = archive('gw-2');
    const many = gathered('gw-1', HISTORY_WINDOWS);
    await trainingRows({ ...wanted, gathered: many, covered: ['gw-2', 'gw-3'] }, read);
    expect(asked.map(({ limit }) => limit)).toEqual([HISTORY_WINDOWS]);
    await trainingRows({ ...wanted, gathered: many, covered: ['gw-1'] }, read);
    const nothing = await trainingRows({ ...wanted, gathered: [], covered: ['gw-2'] }, read);
    expect(nothing.history).toBeNull();
    expect(asked).toHaveLength(1);
  });
});

describe('lostSentence', () => {
  it('names a few and counts the others', () => {
    expect(lostSentence([])).toBeNull();
    expect(lostSentence(['a'])).toContain('no windows of a,');
    expect(lostSentence(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toContain('a, b, c, d, e and 2 more');
  });
});
