/**
 * A replay beside an agent that met the same lines as they were written: lines of a second and of a minute, silences,
 * planned work, reboots and faults, minute after minute of simulated time. The whole list of alerts is the same.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ActiveModel, type AnomalyMessage, alertSentence } from '@lineheron/models';
import type { Engine } from '@lineheron/native';
import { expect, it } from 'vitest';
import { arrivalClock } from '../score/device-clock.js';
import { testScoring } from '../test-scoring.js';
import { withFolder } from '../test-support.js';
import { type InputFile, withInputs } from './input.js';
import { Lessons, useLearned } from './learned.js';
import { replay } from './replay.js';
import type { ReplayAlert } from './result.js';

const START_MS = Date.UTC(2026, 0, 1);
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const LESSONS_S = 2 * HOUR;
const SECONDS = 6 * HOUR;
const at = (second: number) => new Date(START_MS + second * 1000).toISOString();
const within = (second: number, from: number, to: number) => second >= from && second < to;
const MAINTENANCE = [{ from: at(30 * MINUTE), to: at(50 * MINUTE) }];
/** Often the silence of a device is looked for, ms. */
const SWEEP_MS = 500;

interface Line {
  second: number;
  text: string;
}

/** `fast` speaks every second, `mid` every 15, `slow` every minute; each has its troubles. */
function script(): Line[] {
  let state = 11;
  const random = () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  const lines: Line[] = [];
  const ping = (second: number, host: string, factor: number) => {
    const text = `${at(second)} ${host} probe[1]: ping ${(factor * (19 + 2 * random())).toFixed(2)} ms\n`;
    lines.push({ second, text });
  };
  for (let second = 1; second <= SECONDS; second++) {
    const planned = within(second, 30 * MINUTE, 50 * MINUTE) ? 4 : 1;
    if (!within(second, 3 * HOUR, 3 * HOUR + 100))
      ping(second, 'fast', within(second, 9000, 9040) ? 6 : planned);
    // It dies in a fault, and comes back half an hour later.
    const midDead = within(second, 4 * HOUR + 180, 4 * HOUR + 1980);
    if (second % 15 === 0 && !midDead)
      ping(second, 'mid', within(second, 4 * HOUR, 4 * HOUR + 180) ? 6 : planned);
    const slowDead = within(second, 5 * HOUR, 5 * HOUR + 1800);
    if (second % 60 === 0 && !slowDead) ping(second, 'slow', within(second, 10_000, 11_500) ? 6 : planned);
    if (second % HOUR === 900)
      lines.push({ second, text: `${at(second)} fast kernel: Linux version 6.1.0 (build@host)\n` });
  }
  return lines;
}

const withSyslog = (engine: Engine) => engine.addFormat(JSON.stringify({ type: 'syslog' }));
const ENGINE = { windowSeconds: 30, channels: [], publishRecords: 'none', hopSeconds: 1 } as const;
const detectionOf = (activeModel: ActiveModel, budget: number) => ({
  ...{ detecting: true, activeModel, budget, threshold: null },
});

/** What the agent publishes when each line comes at its own time. */
async function lived(lines: readonly Line[], activeModel: ActiveModel, budget: number) {
  const told: AnomalyMessage[] = [];
  let nowMs = START_MS;
  let learning = true;
  const lessons = new Lessons(1);
  const scoring = testScoring({
    engine: ENGINE,
    detection: detectionOf(activeModel, budget),
    maintenance: () => MAINTENANCE,
    clock: arrivalClock(
      () => nowMs - START_MS,
      () => true,
    ),
    nowMs: () => nowMs,
    onWindow: (scope, _endMs, features) => learning && lessons.add(scope, features),
    onAnomaly: (anomaly) => told.push(anomaly),
    // As the collector has it: a much stranger window speaks for the alert.
    onScored: ({ wire: { device, episode, reasons, normal_if } }) => {
      const alert = told.find((one) => one.phase === 'opened' && one.episode === episode);
      if (!alert || normal_if === undefined) return;
      Object.assign(alert, { reasons, normal_if, summary: alertSentence(device, reasons, normal_if) });
    },
  });
  const format = withSyslog(scoring.engine);
  for (const { second, text } of lines) {
    if (learning && second > LESSONS_S) {
      useLearned(scoring, await lessons.learn(scoring.engine, 0.01, 30), 'live');
      learning = false;
    }
    for (; nowMs < START_MS + second * 1000; nowMs += SWEEP_MS) scoring.pipeline.sweep();
    scoring.pipeline.push({ bytes: Buffer.from(text), emit: true, position: null, format });
    scoring.pipeline.take();
  }
  return told;
}

async function replayed(lines: readonly Line[], activeModel: ActiveModel, budget: number) {
  const text = lines.map((line) => line.text).join('');
  const first = lines.filter(({ second }) => second <= LESSONS_S).map((line) => line.text);
  const run = (files: readonly InputFile[]) =>
    replay({
      ...{ files, agent: 'gw', seed: 1, contamination: 0.01, engine: ENGINE, addFormat: withSyslog },
      plans: [{ name: 'a', model: null, detection: detectionOf(activeModel, budget) }],
      maintenance: MAINTENANCE,
      trainFraction: (first.join('').length - 1) / text.length,
      asOfMs: START_MS + SECONDS * 1000,
    });
  return withFolder(async (folder) => {
    const path = join(folder, 'a.log');
    await writeFile(path, text);
    const { result } = await withInputs([path], process.stdin, run);
    return result.variants[0]!;
  });
}

const ofReplay = ({ device, opened, closed, summary, reasons }: ReplayAlert) => ({
  ...{ device, opened, closed, summary, reasons },
});

function ofLive(told: readonly AnomalyMessage[]) {
  const closed = new Map(
    told.filter(({ phase }) => phase === 'closed').map(({ episode, at }) => [episode, at]),
  );
  return told
    .filter(({ phase }) => phase === 'opened')
    .map(({ device, at, episode, summary, reasons }) => ({
      ...{ device, opened: at, closed: closed.get(episode) ?? null, summary, reasons },
    }));
}

type Listed = ReturnType<typeof ofReplay>;
const inOrder = (alerts: Listed[]) =>
  alerts.sort((a, b) =>
    `${a.opened} ${a.device} ${a.summary}`.localeCompare(`${b.opened} ${b.device} ${b.summary}`),
  );

it.each([
  ['ensemble', 0.2],
  ['ensemble', 400],
  ['isolation_forest', 0.2],
  ['adaptive_baseline', 5],
] as const)(
  'lists the alerts that %s with a budget of %d would have published then: openings, ends, sentences, reasons',
  async (activeModel, budget) => {
    const lines = script();
    const variant = await replayed(lines, activeModel, budget);
    const live = inOrder(ofLive(await lived(lines, activeModel, budget)));
    expect(inOrder(variant.alerts.map(ofReplay))).toEqual(live);
    const about = (device: string, from: number, to: number) =>
      variant.alerts.filter(
        ({ device: whose, opened }) => whose === device && opened >= at(from) && opened < at(to),
      );
    const silences = variant.alerts.filter(({ kind }) => kind === 'silence');
    expect(silences.map(({ device, duration_seconds }) => [device, duration_seconds])).toEqual([
      ['fast', 101],
      ['mid', 1815],
      ['slow', 1860],
    ]);
    if (activeModel !== 'isolation_forest') {
      const [fault, ...more] = about('slow', 10_000, 11_500);
      expect(more).toEqual([]);
      expect(fault!.duration_seconds).toBeGreaterThanOrEqual(1_400);
      expect(about('fast', 9000, 9040)).toHaveLength(1);
    }
  },
  30_000,
);
