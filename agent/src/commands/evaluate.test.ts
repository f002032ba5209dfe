/** `evaluate` by the built program: what it finds in files made here, and what it says of bad ones. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseCsv } from '../evaluate/csv.js';
import type { EvaluationResult } from '../evaluate/evaluate.js';
import { MAIN } from '../test-agent.js';
import { withFolder } from '../test-support.js';

const run = promisify(execFile);

/** Uniform in [0, 1), always the same. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

/** One row a minute for two days; three hours after its middle one column stays high for half an hour. */
function series(seed: number, fault = true): string {
  const random = randomOf(seed);
  const rows = Array.from({ length: 2880 }, (_, row) => {
    const bad = fault && row >= 1620 && row < 1650;
    return `${1_700_000_000 + row * 60},${(20 + random() + (bad ? 8 : 0)).toFixed(4)},${random().toFixed(4)},${bad ? 1 : 0}`;
  });
  return `timestamp,a,b,label\n${rows.join('\n')}\n`;
}

/** Rows about a line; one in fifty is far from it. */
function table(): string {
  const random = randomOf(3);
  const rows = Array.from({ length: 500 }, (_, row) => {
    const [x, bad] = [random(), row % 50 === 7];
    return `${row},${x.toFixed(4)},${(x + 0.1 * random() + (bad ? 5 : 0)).toFixed(4)},${bad ? 1 : 0}`;
  });
  return `timestamp,x,y,label\n${rows.join('\n')}\n`;
}

function records(): string {
  const random = randomOf(4);
  const lines = Array.from({ length: 6000 }, (_, second) => {
    const bad = second >= 1800 && second < 1830;
    return JSON.stringify({
      timestamp: new Date(1_700_000_000_000 + second * 1000).toISOString(),
      device_id: 'm1',
      latency_ms: 20 + 5 * random() + (bad ? 300 : 0),
      packet_loss_pct: bad ? 20 : 0,
      retry_count: random() < 0.1 ? 1 : 0,
      traffic_volume_mb: 1 + random(),
      connection_resets: 0,
      is_anomaly: bad,
    });
  });
  return `${lines.join('\n')}\n`;
}

async function evaluated(folder: string, ...args: string[]) {
  const json = join(folder, 'result.json');
  const { stdout } = await run(process.execPath, [MAIN, 'evaluate', '--json', json, ...args], {
    cwd: folder,
  });
  const result = JSON.parse(await readFile(json, 'utf8')) as EvaluationResult;
  const of = (method: string) => result.methods.find((row) => row.method === method)!;
  return { stdout, result, of };
}

async function refused(folder: string, ...args: string[]): Promise<{ code: number; stderr: string }> {
  return run(process.execPath, [MAIN, 'evaluate', ...args], { cwd: folder }).then(
    () => ({ code: 0, stderr: '' }),
    ({ code, stderr }) => ({ code, stderr }),
  );
}

describe('evaluate', () => {
  it('finds the fault of a series, before chance and permanent alarm', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'a.csv'), series(1));
      const { stdout, result, of } = await evaluated(folder, 'a.csv');
      expect(result.files[0]).toMatchObject({ mode: 'series', rows: 2304, anomalous: 30 });
      expect(of('ensemble').mean.event_recall_week).toBe(1);
      expect(of('ensemble').mean.ap).toBeGreaterThan(0.5);
      expect(of('random').mean.ap).toBeLessThan(0.1);
      expect(of('always_alarm').mean).toMatchObject({
        auc: 0.5,
        event_recall_day: 0,
        recall_at_threshold: 1,
      });
      expect(stdout).toContain('adaptive_baseline');
    }));

  it('learns from another file with --train, and gives the spread over seeds', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'a.csv'), series(1));
      await writeFile(join(folder, 'normal.csv'), series(2, false));
      const { stdout, result, of } = await evaluated(
        folder,
        '--train',
        'normal.csv',
        '--seeds',
        '2',
        'a.csv',
      );
      expect(result.files[0]!.rows).toBe(2880);
      expect(of('ensemble').mean.event_recall_week).toBe(1);
      expect(of('isolation_forest').sd.ap).toBeGreaterThan(0);
      expect(stdout).toContain('±');
    }));

  it('is the same whatever the labels say, but for the figures', () =>
    withFolder(async (folder) => {
      const text = series(1);
      await writeFile(join(folder, 'a.csv'), text);
      await writeFile(
        join(folder, 'b.csv'),
        text.replace(/,[01]$/gm, (end) => (end === ',1' ? ',0' : ',1')),
      );
      const [a, b] = [await evaluated(folder, 'a.csv'), await evaluated(folder, 'b.csv')];
      // With all labels turned round the same scores rank the other way.
      for (const { method, mean } of a.result.methods)
        expect(b.of(method).mean.auc).toBeCloseTo(1 - mean.auc, 9);
    }));

  it('takes rows that are only numbered as a table', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 't.csv'), table());
      const { result, of } = await evaluated(folder, 't.csv');
      expect(result.files[0]).toMatchObject({ mode: 'table', rows: 500, anomalous: 10 });
      expect(of('ensemble').mean.ap).toBeGreaterThan(0.9);
      expect(of('ensemble').mean.event_recall_week).toBeNull();
    }));

  it('sends records through the engine', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'r.jsonl'), records());
      const { result, of } = await evaluated(folder, 'r.jsonl');
      expect(result.files[0]).toMatchObject({ mode: 'records', anomalous: 30 });
      expect(of('adaptive_baseline').mean).toMatchObject({ event_recall_week: 1, delay_p50_s: 0 });
      expect(of('ensemble').mean.recall_at_threshold).toBeGreaterThan(0.9);
    }));

  it('learns from earlier records with --train, and says what was left out', () =>
    withFolder(async (folder) => {
      const lines = records().split('\n');
      await writeFile(join(folder, 'before.jsonl'), `${lines.slice(0, 1200).join('\n')}\n`);
      await writeFile(join(folder, 'after.jsonl'), `nonsense\n${lines.slice(1200).join('\n')}`);
      const { stdout, result, of } = await evaluated(folder, '--train', 'before.jsonl', 'after.jsonl');
      expect(result.files[0]).toMatchObject({
        ...{ mode: 'records', rows: 4800, anomalous: 30 },
        refused: { invalid_json: 1 },
      });
      expect(of('adaptive_baseline').mean.event_recall_week).toBe(1);
      expect(stdout).toContain('after.jsonl: lines left out, 1 invalid_json');
    }));

  it("judges the channels that the agent's configuration declares", () =>
    withFolder(async (folder) => {
      const random = randomOf(8);
      // The fault shows in a declared channel alone.
      const lines = Array.from({ length: 3600 }, (_, second) => {
        const bad = second >= 1800 && second < 1830;
        return JSON.stringify({
          timestamp: new Date(1_700_000_000_000 + second * 1000).toISOString(),
          device_id: 'm1',
          latency_ms: 20 + 5 * random(),
          snr_db: 30 + random() - (bad ? 20 : 0),
          is_anomaly: bad,
        });
      });
      await writeFile(join(folder, 'r.jsonl'), `${lines.join('\n')}\n`);
      await writeFile(
        join(folder, 'agent.yaml'),
        JSON.stringify({
          ...{ agent_id: 'gw-1', data_dir: join(folder, 'data'), mqtt: { url: 'mqtt://127.0.0.1:1' } },
          channels: [{ name: 'snr_db', unit: 'dB', kind: 'gauge' }],
          source: { type: 'stdin' },
        }),
      );
      const declared = await evaluated(folder, '--config', 'agent.yaml', 'r.jsonl');
      expect(declared.of('ensemble').mean.delay_p50_s).toBeLessThan(5);
      expect(declared.of('adaptive_baseline').mean.recall_at_threshold).toBeGreaterThan(0.5);
      const undeclared = await evaluated(folder, 'r.jsonl');
      expect(undeclared.of('adaptive_baseline').mean.recall_at_threshold).toBe(0);
    }));

  it('reads names in quotes and spaces, times in milliseconds and backwards, and a blank cell as unknown', () =>
    withFolder(async (folder) => {
      const [, ...rows] = series(1).trimEnd().split('\n');
      const ms = rows.map((row) => row.replace(',', '000,'));
      await writeFile(join(folder, 'a.csv'), series(1));
      await writeFile(join(folder, 'b.csv'), `"timestamp", a, "b", label\n${ms.join('\n')}\n`);
      const [a, b] = [await evaluated(folder, 'a.csv'), await evaluated(folder, 'b.csv')];
      expect(b.result.methods).toEqual(a.result.methods);
      await writeFile(join(folder, 'c.csv'), `timestamp,a,b,label\n${rows.reverse().join('\n')}\n`);
      const c = await evaluated(folder, 'c.csv');
      expect(c.of('always_alarm').mean.false_episodes_day).toBeGreaterThan(20);
      const blank = parseCsv('d.csv', 'timestamp,a,label\n5, ,0\n', true);
      expect(blank.rows[0]).toBeNaN();
    }));

  it('reads ISO 8601 times as the same times in seconds', () =>
    withFolder(async (folder) => {
      const text = series(1);
      await writeFile(join(folder, 'a.csv'), text);
      const iso = (zone: string) =>
        text.replace(/^\d+/gm, (seconds) =>
          new Date(Number(seconds) * 1000).toISOString().replace('Z', zone),
        );
      await writeFile(join(folder, 'b.csv'), iso('Z'));
      const [a, b] = [await evaluated(folder, 'a.csv'), await evaluated(folder, 'b.csv')];
      expect(b.result.methods).toEqual(a.result.methods);
      const timesOf = (csv: string) => Array.from(parseCsv('c.csv', csv, true).timesMs!);
      expect(timesOf(iso(''))).toEqual(timesOf(text));
      expect(timesOf(iso('+01:00'))).toEqual(timesOf(text).map((ms) => ms - 3_600_000));
      expect(timesOf('timestamp,a,label\n"2026-01-31 12:00",1,0\n2026-02-01,1,0\n')).toEqual([
        Date.UTC(2026, 0, 31, 12),
        Date.UTC(2026, 1, 1),
      ]);
      expect(() => parseCsv('c.csv', 'timestamp,a,label\n2026-13-01,1,0\n', true)).toThrow(
        'line 2: "2026-13-01" in column timestamp is no number of seconds and no ISO 8601 time',
      );
    }));

  it('tells no recall and no F1 of a file without anomalous rows', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'a.csv'), series(1, false));
      const { stdout, of } = await evaluated(folder, 'a.csv');
      expect(of('always_alarm').mean).toMatchObject({
        recall_at_threshold: null,
        f1_at_threshold: null,
        precision_at_threshold: 0,
      });
      const cells = stdout
        .split('\n')
        .find((line) => line.startsWith('ensemble'))!
        .split(/ {2,}/);
      // Method, ROC-AUC, AP, best F1, precision, recall, F1.
      expect(cells.slice(5, 7)).toEqual(['–', '–']);
    }));

  it('names line and column of a value that is beyond 32 bits, and takes the largest below', () =>
    withFolder(async (folder) => {
      const lines = series(1).trimEnd().split('\n');
      const withCell = (cell: string) =>
        lines.map((line, at) => (at === 34 ? line.replace(/,[^,]+(,[01])$/, `,${cell}$1`) : line)).join('\n');
      for (const cell of ['1e39', '-1e300', 'Infinity']) {
        await writeFile(join(folder, 'a.csv'), withCell(cell));
        expect(await refused(folder, 'a.csv')).toMatchObject({
          code: 65,
          stderr: expect.stringContaining(
            `a.csv: line 35: "${cell}" in column b is infinite or beyond 3.4e38`,
          ),
        });
      }
      await writeFile(join(folder, 'a.csv'), withCell('3.4e38'));
      expect((await evaluated(folder, 'a.csv')).result.files[0]).toMatchObject({
        mode: 'series',
        rows: 2304,
      });
    }));

  it('says that a file is empty, whatever it should have been', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'a.csv'), series(1));
      await writeFile(join(folder, 'none.csv'), '');
      await writeFile(join(folder, 'none.jsonl'), ' \n');
      const empty = (name: string) => ({ code: 65, stderr: expect.stringContaining(`${name}: is empty`) });
      expect(await refused(folder, 'none.csv')).toMatchObject(empty('none.csv'));
      expect(await refused(folder, 'none.jsonl')).toMatchObject(empty('none.jsonl'));
      expect(await refused(folder, '--train', 'none.csv', 'a.csv')).toMatchObject(empty('none.csv'));
    }));

  it('refuses a --train-fraction for a table, which is fitted whole, and says what to do', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 't.csv'), table());
      for (const mode of [['--mode', 'table'], []])
        expect(await refused(folder, ...mode, '--train-fraction', '0.3', 't.csv')).toMatchObject({
          code: 64,
          stderr: expect.stringMatching(/t\.csv is a table.*leave --train-fraction out.*--mode series/),
        });
      expect(await refused(folder, '--train-fraction', '0', 't.csv')).toMatchObject({ code: 0 });
    }));

  it('says what is wrong with a file and ends with its code', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'plain.csv'), 'timestamp,a\n5,1\n');
      await writeFile(join(folder, 'text.csv'), 'timestamp,a,label\n5,1,0\n6,high,0\n');
      await writeFile(join(folder, 'short.csv'), 'timestamp,a,label\n5,1,0\n66,1,1\n');
      await writeFile(join(folder, 'bad.jsonl'), '{"device": 5}\n');
      expect(await refused(folder, 'none.csv')).toMatchObject({
        code: 66,
        stderr: expect.stringContaining('no such file'),
      });
      expect(await refused(folder, 'plain.csv')).toMatchObject({
        code: 65,
        stderr: expect.stringContaining('no column "label"'),
      });
      expect(await refused(folder, 'text.csv')).toMatchObject({
        code: 65,
        stderr: expect.stringContaining('text.csv: line 3: "high" in column a is no number'),
      });
      expect(await refused(folder, 'short.csv')).toMatchObject({
        code: 65,
        stderr: expect.stringContaining('20 are needed'),
      });
      expect(await refused(folder, 'bad.jsonl')).toMatchObject({
        code: 65,
        stderr: expect.stringContaining('30 are needed'),
      });
      await writeFile(join(folder, 'twice.csv'), 'timestamp,a,label,label\n5,1,0,0\n');
      expect(await refused(folder, 'twice.csv')).toMatchObject({
        code: 65,
        stderr: expect.stringContaining('has two columns "label"'),
      });
      expect(await refused(folder, '--seeds', '0', 'plain.csv')).toMatchObject({ code: 64 });
      expect(await refused(folder, '--budget', 'none', 'plain.csv')).toMatchObject({ code: 64 });
      expect(await refused(folder, '--json', 'text.csv', 'text.csv')).toMatchObject({ code: 73 });
    }));
});
