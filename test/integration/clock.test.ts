/** The whole of lineheron with a clock that somebody sets, of the agent or of the collector, to any time. */
import { createSocket } from 'node:dgram';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { freePorts } from '../support/ports.js';
import type { Part } from '../support/process.js';
import { Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const PRELOAD = new URL('../support/clock-shift.mjs', import.meta.url);
const HOUR_MS = 3_600_000;
const TO_1970_MS = -Math.floor((Date.now() - 86_400_000) / 1000) * 1000;
const TO_2040_MS = Date.UTC(2040, 5, 1) - Date.now();
const SENT_EVERY_MS = 200;

const SETTINGS = { forward: HOUR_MS, back: -HOUR_MS, 'to-1970': TO_1970_MS, 'to-2040': TO_2040_MS } as const;
const DEVICES = ['modem', 'line-1', 'web', 'me', 'router'];
/** Of an agent's clock that was set back, sixty records or a minute are late before its lines are judged again. */
const ONE_BY_ONE_MS = 120_000;

const withStack = async (work: (stack: Stack) => Promise<void>) => {
  const stack = await Stack.create();
  await work(stack).finally(() => stack.close());
};

/** A clock of its own for the parts of the stack that are made from now on. */
async function ownClock(stack: Stack, name: string, byMs = 0): Promise<(byMs: number) => Promise<void>> {
  const path = join(stack.folder, `${name}.shift`);
  const set = (ms: number) => writeFile(path, String(ms));
  await set(byMs);
  stack.nodeArgs = ['--import', `${PRELOAD.href}?file=${pathToFileURL(path).pathname}`];
  return set;
}

/** Lines with the true time, as of modems whose clocks are right, into a file and as messages without a year. */
function feed(logPath: string, udpPort: number): () => number {
  const socket = createSocket('udp4');
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    const now = new Date();
    const record = { timestamp: now.toISOString(), device_id: 'modem', latency_ms: 20 + (sent % 5) };
    void appendFile(logPath, `${JSON.stringify(record)}\n`);
    const [, day, month, , time] = /^\w+, (\d+) (\w+) (\d+) (\S+)/.exec(now.toUTCString())!;
    const message = `<13>${month} ${String(Number(day)).padStart(2)} ${time} router kernel: eth0: link up`;
    socket.send(message, udpPort, '127.0.0.1');
  }, SENT_EVERY_MS);
  return () => {
    clearInterval(timer);
    socket.close();
    return sent;
  };
}

function everySource(stack: Stack, path: string, udpPort: number): object[] {
  const address = `127.0.0.1:${stack.httpPort}`;
  return [
    { type: 'tail', paths: [path], from: 'start' },
    { type: 'generate', devices: ['line-1'], interval_seconds: 0.2 },
    {
      type: 'probe',
      interval_seconds: 1,
      timeout_seconds: 0.5,
      samples: 1,
      targets: [{ name: 'web', type: 'tcp', address }],
    },
    { type: 'host', device_id: 'me', interval_seconds: 1 },
    { type: 'syslog', udp_port: udpPort, host: '127.0.0.1', format: { type: 'syslog', timezone: 'UTC' } },
  ];
}

/** What it warned of. */
const warnings = ({ output }: Part) =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { level: number; msg: string })
    .filter(({ level }) => level >= 40)
    .map(({ msg }) => msg);
const jumpsTold = (part: Part) => warnings(part).filter((text) => /clock of this machine was set/.test(text));

/** The collector stores new windows of each of these. */
async function allGoOn(stack: Stack, agent: string, devices: readonly string[]): Promise<void> {
  const countOf = async () => {
    const windows = await stack.storedWindows(agent);
    return devices.map((name) => windows.filter(({ device }) => device === name).length);
  };
  const before = await countOf();
  let waiting: readonly string[] = devices;
  const go = async () => {
    const after = await countOf();
    waiting = devices.filter((_, at) => after[at]! < before[at]! + 2);
    return waiting.length === 0;
  };
  await waitFor(`every source of ${agent} to go on`, go, ONE_BY_ONE_MS).catch((error: Error) => {
    throw new Error(`${error.message}: not ${waiting.join(', ')}`);
  });
}

/** Its whole day; resolves to how many lines it was given, its counters and what it said. */
async function dayOf(stack: Stack, id: string, byMs: number) {
  const [udpPort] = (await freePorts(1)) as [number];
  const path = join(stack.folder, `${id}.log`);
  await writeFile(path, '');
  const setClock = await ownClock(stack, id);
  const agent = await stack.agent(id, { sources: everySource(stack, path, udpPort) });
  const stopFeeding = feed(path, udpPort);
  try {
    await allGoOn(stack, id, DEVICES);
    for (const [times, ms] of [byMs, 0].entries()) {
      await setClock(ms);
      await waitFor('the jump to be told', () => jumpsTold(agent).length === times + 1);
      await allGoOn(stack, id, DEVICES);
    }
  } finally {
    stopFeeding();
  }
  const code = await agent.stop();
  const { agents } = await stack.status();
  return { code, output: agent.output, counters: agents.find((each) => each.id === id)?.counters ?? {} };
}

describe.concurrent('a clock that is set', () => {
  it(
    'of an agent, to any time and right again, ends no source, is told each time, and every line is counted',
    () =>
      withStack(async (stack) => {
        await stack.collector();
        const begun: ReturnType<typeof dayOf>[] = [];
        for (const [id, byMs] of Object.entries(SETTINGS)) begun.push(dayOf(stack, id, byMs));
        for (const { code, output, counters } of await Promise.all(begun)) {
          expect(code).toBe(0);
          expect(output).not.toMatch(/a source failed|a fault of the program/);
          expect(counters.clock_jumps).toBe(2);
          // Late ones are told by what they are; none is lost beside them.
          expect(counters.records! + counters.records_late!).toBe(counters.lines);
          expect(counters.records_late_clock_set_back).toBe(counters.records_late);
          if (counters.records_late! > 0) expect(output).toMatch(/clock of the device was set back/);
        }
      }),
    300_000,
  );

  it(
    'of an agent before it starts does not keep it from anything',
    () =>
      withStack(async (stack) => {
        await stack.collector();
        for (const [id, byMs] of Object.entries(SETTINGS)) {
          const [udpPort] = (await freePorts(1)) as [number];
          const path = join(stack.folder, `${id}.log`);
          await writeFile(path, '');
          await ownClock(stack, id, byMs);
          const agent = await stack.agent(id, { sources: everySource(stack, path, udpPort) });
          const stopFeeding = feed(path, udpPort);
          await allGoOn(stack, id, DEVICES).finally(stopFeeding);
          expect(await agent.stop()).toBe(0);
        }
      }),
    300_000,
  );

  it(
    'of the collector makes nobody silent and nothing old, and is told each time',
    () =>
      withStack(async (stack) => {
        const setClock = await ownClock(stack, 'collector');
        const collector = await stack.collector();
        stack.nodeArgs = [];
        await stack.agent('gw-1', { source: { type: 'generate', devices: 2, interval_seconds: 0.2 } });
        await allGoOn(stack, 'gw-1', ['line-01', 'line-02']);
        const { id } = (await stack.storedWindows('gw-1'))[0]!;
        for (const [times, byMs] of [...Object.values(SETTINGS), 0].entries()) {
          await setClock(byMs);
          await waitFor('the jump to be told', () => jumpsTold(collector).length === times + 1);
          for (let round = 0; round < 3; round += 1) await allGoOn(stack, 'gw-1', ['line-01', 'line-02']);
          const { body } = await stack.call<{ alerts: unknown[] }>('GET', '/api/v1/alerts');
          expect(body.alerts).toEqual([]);
          const [view] = (await stack.status()).agents;
          expect(view).toMatchObject({ online: true });
          for (const { state, last_seen } of view!.devices) {
            expect(state).not.toBe('stale');
            expect(Math.abs(Date.parse(last_seen) - Date.now() - byMs)).toBeLessThan(60_000);
          }
          expect((await stack.storedWindows('gw-1')).map((window) => window.id)).toContain(id);
        }
        expect(collector.running).toBe(true);
      }),
    300_000,
  );
});
