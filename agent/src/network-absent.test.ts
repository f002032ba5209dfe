/**
 * The whole program where there is no network at all, each source by itself: it says so, gathers, ends in time, and
 * loses nothing when the broker is there again. Needs the right to make a network namespace (skipped by name where
 * that is missing).
 */
import type { ChildProcess } from 'node:child_process';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { TestBroker } from './test-broker.js';
import { Isolated, NAMESPACE, OWN_MOUNTS, SILENT_LINE } from './test-namespace.js';
import { until as untilSo, withFolder } from './test-support.js';

const BROKER = '192.0.2.1';
const METRICS_PORT = 9400;
const LOOPBACK = ['ip link set lo up'];
const STOP_MS = 3_000;

let program: Isolated | null = null;
let relay: ChildProcess | null = null;
let broker: TestBroker | null = null;

afterEach(async () => {
  await program?.kill();
  relay?.kill('SIGKILL');
  await broker?.stop();
  [program, relay, broker] = [null, null, null];
});

const until = <T>(what: string, ask: () => T, deadlineMs?: number) =>
  untilSo(what, ask, deadlineMs).catch((error: Error) => {
    throw new Error(`${error.message}: ${program?.output}`);
  });

interface Given {
  url?: string;
  setup?: readonly string[];
  sources: readonly object[];
}

async function start(folder: string, { url, setup, sources }: Given, mounts = false): Promise<Isolated> {
  const path = join(folder, 'agent.yaml');
  const config = {
    agent_id: 'gw-1',
    data_dir: join(folder, 'data'),
    mqtt: { url: url ?? `mqtt://${BROKER}:1883` },
    metrics: { port: METRICS_PORT },
    publish_records: 'all',
    sources,
  };
  await writeFile(path, JSON.stringify(config));
  program = new Isolated(['run', '--config', path], setup ?? LOOPBACK, mounts);
  await until('the start', () => program!.output.includes('is running'));
  return program;
}

/** A figure of its own metrics. */
function metric(name: string): number {
  const ask = `fetch('http://127.0.0.1:${METRICS_PORT}/metrics').then((a) => a.text()).then(console.log)`;
  const text = program!.inside(process.execPath, '-e', ask);
  return Number(new RegExp(`^lineheron_agent_${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

/** The broker is there and can be reached, from here on. */
async function networkReturns(folder: string): Promise<TestBroker> {
  const path = join(folder, 'broker.sock');
  broker = await TestBroker.start('gw-1');
  await broker.alsoAt(path);
  program!.inside('ip', 'addr', 'add', `${BROKER}/32`, 'dev', 'lo');
  relay = program!.relay(1883, path);
  return broker;
}

const PART = 200;
const firstMs = Date.now();
/** Times of all lines lie within a window's length, so that none is too late for it. */
const times = (part: number) =>
  Array.from({ length: PART }, (_, index) => new Date(firstMs + 10 * (part * PART + index)).toISOString());
const lines = (part: number) =>
  times(part)
    .map((timestamp) => `${JSON.stringify({ timestamp, device_id: 'd', latency_ms: 20 })}\n`)
    .join('');

/** How each source is fed; `generate` feeds itself. */
const FED = {
  tail: {
    source: (folder: string) => ({ type: 'tail', paths: [join(folder, 'modem.log')], from: 'start' }),
    feed: (folder: string, part: number) => appendFile(join(folder, 'modem.log'), lines(part)),
  },
  stdin: {
    source: () => ({ type: 'stdin' }),
    feed: async (_: string, part: number) => void program!.process.stdin!.write(lines(part)),
  },
};

describe.skipIf(!NAMESPACE)('without any network (skipped where no namespace can be made)', () => {
  it.each(Object.entries(FED))(
    '%s by itself says so, gathers, ends in time and loses no line when the broker returns',
    (_, { source, feed }) =>
      withFolder(async (folder) => {
        const given = { sources: [source(folder)] };
        await writeFile(join(folder, 'modem.log'), '');
        for (const part of [0, 1]) {
          await start(folder, given);
          await until('it to say so', () => /cannot reach the broker/.test(program!.output));
          expect(program!.output).toContain('no way leads there');
          await feed(folder, part);
          await until('its lines', () => metric('records_total') >= PART);
          expect(metric('connected')).toBe(0);
          expect(metric('spool_batches')).toBeGreaterThan(0);
          if (part === 1) break;
          const { code, tookMs } = await program!.stop();
          expect(code).toBe(0);
          expect(tookMs).toBeLessThan(STOP_MS);
        }
        const back = await networkReturns(folder);
        await until('all lines', () => back.records.length >= 2 * PART, 30_000);
        expect(back.records.sort()).toEqual([...times(0), ...times(1)].map((time) => `d ${time}`));
        await until('an empty spool', () => metric('spool_batches') === 0);
        expect(metric('connected')).toBe(1);
        expect((await program!.stop()).code).toBe(0);
      }),
    60_000,
  );

  it(
    'generate by itself does so, too, and every batch that it made comes once',
    () =>
      withFolder(async (folder) => {
        const sources = [{ type: 'generate', devices: 2, interval_seconds: 0.05 }];
        await start(folder, { sources });
        await until('it to say so', () =>
          /cannot reach the broker.*no way|no way.*cannot/s.test(program!.output),
        );
        await until('batches', () => metric('spool_batches') >= 2);
        const { code, tookMs } = await program!.stop();
        expect(code).toBe(0);
        expect(tookMs).toBeLessThan(STOP_MS);
        await start(folder, { sources });
        await until('more batches', () => metric('spool_batches') >= 4);
        const back = await networkReturns(folder);
        await until(
          'both lives',
          () => new Set([...back.batches.values()].map(({ boot }) => boot)).size === 2,
        );
        await until('an empty spool', () => metric('spool_batches') <= 1);
        expect((await program!.stop()).code).toBe(0);
        expect(new Set(back.records).size).toBe(back.records.length);
        const batches = [...back.batches.values()];
        for (const life of new Set(batches.map(({ boot }) => boot))) {
          const made = batches.filter(({ boot }) => boot === life).map(({ sequence }) => sequence);
          expect(made.sort((a, b) => a - b)).toEqual(made.map((_, index) => index + 1));
        }
      }),
    60_000,
  );
});

describe.skipIf(!OWN_MOUNTS)('with a name server that is silent (skipped where no mount can be made)', () => {
  it(
    'every source goes on, what needs a name is unknown, and the end is in time',
    () =>
      withFolder(async (folder) => {
        const names = join(folder, 'resolv.conf');
        await writeFile(names, 'nameserver 192.0.2.254\n');
        const log = join(folder, 'modem.log');
        await writeFile(log, '');
        const targets = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((name) => [
          { name: `tcp-${name}`, type: 'tcp', address: `${name}.example.org:80` },
          { name: `http-${name}`, type: 'http', url: `http://${name}.example.org/` },
        ]);
        const sources = [
          { type: 'probe', interval_seconds: 1, timeout_seconds: 0.3, samples: 1, targets },
          { type: 'host', device_id: 'me', interval_seconds: 0.5 },
          { type: 'tail', paths: [log], from: 'start' },
          { type: 'generate', devices: 1 },
        ];
        const setup = [...SILENT_LINE, `mount --bind '${names}' /etc/resolv.conf`];
        await start(folder, { url: 'mqtt://broker.example.org:1883', setup, sources }, true);
        await until('a warning that names every target', () => /cannot measure tcp-f/.test(program!.output));
        const before = metric('records_total');
        await appendFile(log, lines(0));
        await until('its lines', () => metric('records_total') >= before + PART);
        expect(metric('connected')).toBe(0);
        expect(metric('probe_failures_total')).toBe(0);
        expect(program!.output).not.toMatch(/a source failed|a fault of the program/);
        const { code, tookMs } = await program!.stop();
        expect(code).toBe(0);
        expect(tookMs).toBeLessThan(STOP_MS);
      }),
    60_000,
  );
});
