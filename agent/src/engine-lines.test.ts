/** The first lines of a file are looked at before they are read. */
import { Engine } from '@lineheron/native';
import { describe, expect, it } from 'vitest';
import { pushLines } from './engine-lines.js';

const NOW = Date.parse('2027-06-01T00:00:00Z');

function read(lines: readonly string[], begins: boolean) {
  const engine = new Engine({ publishRecords: 'all' });
  const format = engine.addFormat(JSON.stringify({ type: 'docsis', device_id: 'm' }));
  const bytes = Buffer.from(lines.map((time) => `${time}\tcritical\tT3 time-out\n`).join(''));
  const { records, reordered } = pushLines(engine, { bytes, emit: true, format, begins }, NOW);
  const times = records.map(({ timestampMs }) => new Date(timestampMs).toISOString().slice(0, 16));
  return { times, reordered, late: engine.counters().late };
}

describe('pushLines', () => {
  it('turns the first lines of a file round that is newest first', () => {
    const page = ['2027-05-20 18:02:11', '2027-05-20 18:01:00', '2027-05-20 17:20:00'];
    const times = ['2027-05-20T17:20', '2027-05-20T18:01', '2027-05-20T18:02'];
    expect(read(page, true)).toEqual({ times, reordered: 'newest_first', late: 0 });
    expect(read(page, false)).toMatchObject({ reordered: null, late: 2 });
  });

  it('reads the dates of a file in the order that a later line shows', () => {
    const { times, reordered } = read(
      ['09/11/2026 07:15:00', '12/11/2026 07:15:00', '13/11/2026 07:15:00'],
      true,
    );
    expect(times).toEqual(['2026-11-09T07:15', '2026-11-12T07:15', '2026-11-13T07:15']);
    expect(reordered).toBe(null);
  });
});
