/** How often events come is a channel of its own: real lines through the real engine and the pipeline. */
import { alertSentence, anomalySchema, type ScoredWindow } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { testScoring } from '../test-scoring.js';

const START_MS = Date.UTC(2026, 8, 1);
const DAY_S = 86_400;

interface Line {
  second: number;
  fields?: object;
}

function heard(kept: Uint8Array | null = null) {
  const told: ScoredWindow[] = [];
  const { engine, pipeline } = testScoring({
    engine: { publishRecords: 'none' },
    detection: { detecting: true },
    nowMs: () => START_MS + 400 * DAY_S * 1000,
    onScored: ({ wire }) => told.push(wire),
  });
  if (kept) engine.loadBaselines(kept);
  /** Silences are another matter. */
  const anomalies = () =>
    pipeline
      .take()
      .anomalies.map((anomaly) => anomalySchema.parse(anomaly))
      .filter(({ state, why }) => state !== 'stale' && why !== 'resumed');
  const push = (lines: readonly Line[]) => {
    const text = lines.map(({ second, fields }) =>
      JSON.stringify({ timestamp: START_MS + Math.round(second * 1000), device_id: 'modem', ...fields }),
    );
    pipeline.push({ bytes: Buffer.from(`${text.join('\n')}\n`), emit: true, position: null });
    return anomalies();
  };
  return { engine, pipeline, push, told, anomalies };
}

const error = (second: number, error_code: string | number): Line => ({ second, fields: { error_code } });

/** Three events a day, at hours that no two days share. */
function threeADay(days: number, code: string | number): Line[] {
  return Array.from({ length: 3 * days }, (_, at) =>
    error((at / 3) * DAY_S + ((at * 7919) % 25_000), code),
  ).sort((a, b) => a.second - b.second);
}

const every = (seconds: number, fromS: number, count: number, code: string | number) =>
  Array.from({ length: count }, (_, at) => error(fromS + at * seconds, code));

describe('events that come too often', () => {
  it('forty in seven minutes on a page of errors alone are one alert, which names each kind and says how often before', () => {
    const { push, told } = heard();
    expect(push(threeADay(80, 'T3-timeout'))).toEqual([]);
    const from = 80.75 * DAY_S;
    const storm = [
      ...every(10.5, from, 40, 'T3-timeout'),
      ...every(40, from + 60, 9, 'T4-timeout'),
      ...every(70, from + 5, 6, 'sync-lost'),
    ].sort((a, b) => a.second - b.second);
    const anomalies = push(storm);
    expect(anomalies).toMatchObject([{ phase: 'opened', detectors: ['adaptive_baseline'] }]);
    expect(anomalies[0]!.summary).toMatch(
      /^modem: T3-timeout, 3 times in 21 s \(3 a day before\)\. Alerts above 2 in 60 s\.$/,
    );
    const { reasons, normal_if } = told.findLast(({ normal_if }) => normal_if)!;
    expect(alertSentence('modem', reasons, normal_if)).toMatch(
      /^modem: T3-timeout, \d\d times in \d min \(3 a day before\); T4-timeout, \d times in \d+ m?i?n?s? ?\(none in the last 26 days\)/,
    );
    // A day later all is as before.
    expect(push([error(from + DAY_S, 'T3-timeout'), error(from + 1.4 * DAY_S, 'T3-timeout')])).toMatchObject([
      { phase: 'closed', why: 'quiet', summary: 'modem is as before.' },
    ]);
  });

  it('in one batch of old lines are found the same, and where the engine was restarted from what it kept', () => {
    const storm = every(10, 40.75 * DAY_S, 12, 503);
    const whole = heard().push([...threeADay(40, 503), ...storm]);
    const first = heard();
    first.push(threeADay(40, 503));
    const second = heard(first.engine.saveBaselines()).push(storm);
    expect(whole).toHaveLength(1);
    expect(second.map(({ at, summary }) => [at, summary])).toEqual(
      whole.map(({ at, summary }) => [at, summary]),
    );
    expect(second[0]!.summary).toContain('modem: error 503, 3 times in 20 s (3 a day before)');
  });

  it('on a line that reports all the time are one alert, which ends when the rate is as before', () => {
    const { push } = heard();
    const calm = (second: number): Line => ({ second, fields: { latency_ms: 20 + (second % 7) } });
    const lines: Line[] = [];
    for (let second = 0; second < 3 * DAY_S; second += 20) lines.push(calm(second));
    expect(push(lines)).toEqual([]);
    // One in eight minutes: nothing by record, and much by hour.
    const storm: Line[] = [];
    for (let second = 3 * DAY_S; second < 3 * DAY_S + 4 * 3600; second += 20)
      storm.push(
        (second / 20) % 24 === 0
          ? { second, fields: { latency_ms: 23, error_code: 'link-flap' } }
          : calm(second),
      );
    const opened = push(storm);
    expect(opened).toMatchObject([
      { phase: 'opened', reasons: [{ event: { name: 'link-flap', per_day: 0 } }] },
    ]);
    const after: Line[] = [];
    for (let second = 3 * DAY_S + 4 * 3600; second < 3 * DAY_S + 6 * 3600; second += 20)
      after.push(calm(second));
    expect(push(after)).toMatchObject([{ phase: 'closed', why: 'quiet' }]);
  });

  it.each([
    ['restarts', 'Cable Modem Reboot due to power reset', 0],
    ['says good news', 'TLV-11 - unrecognized OID; registration successful', 0],
    ['has trouble', 'No Ranging Response received - T3 time-out', 1],
  ])('are found by what a line means: a device that %s', (_name, message, alerts) => {
    const { pipeline, engine, anomalies } = heard();
    const format = engine.addFormat(JSON.stringify({ type: 'docsis', device_id: 'modem' }));
    const page = (day: number, lines: number) => {
      const text = Array.from({ length: lines }, (_, at) => {
        const time = new Date(START_MS + day * DAY_S * 1000 + at * 10_000).toISOString();
        return `${time.slice(5, 7)}/${time.slice(8, 10)}/2026 ${time.slice(11, 19)}\t82000200\t3\t${message};CM-MAC=02:00:00:00:00:01;\n`;
      });
      pipeline.push({ bytes: Buffer.from(text.join('')), emit: true, position: null, format });
    };
    for (let day = 0; day < 30; day++) page(day, 1);
    page(30.3, 20);
    expect(anomalies()).toHaveLength(alerts);
  });
});
