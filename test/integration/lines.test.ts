/** The flight recorder from a real alert on a gateway to the REST answer, and every border on the way. */
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Alert, LinesView, Problem } from '@lineheron/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordLines } from '../support/lines.js';
import type { Part } from '../support/process.js';
import { Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const DEVICES = ['m1', 'm2'];
const QUIET_SECONDS = 600;
const START_MS = Date.now() - 900_000;

let stack: Stack;
let sharing: Part;

const ask = (alert: string) => stack.call<LinesView & Problem>('POST', '/api/v1/raw-lines', { alert });

async function alertOf(agent: string): Promise<string> {
  return waitFor(
    `an alert of ${agent}`,
    async () => {
      const { body } = await stack.call<{ alerts: Alert[] }>('GET', `/api/v1/alerts?agent=${agent}`);
      return body.alerts.find(({ device }) => device === 'm2')?.id;
    },
    30_000,
  );
}

/** Ten quiet minutes to learn from, and half a minute in which m2 loses half of its packets. */
const quiet = recordLines({ devices: DEVICES, startMs: START_MS, seed: 5 }, QUIET_SECONDS);
const bad = recordLines({ devices: DEVICES, startMs: START_MS + QUIET_SECONDS * 1000, seed: 6 }, 30).map(
  (line) =>
    line.includes('"m2"')
      ? line.replace(/("packet_loss_pct":)[\d.]+/, '$150').replace(/("latency_ms":)[\d.]+/, '$1900')
      : line,
);

async function tailing(agent: string, flight_recorder: object): Promise<Part> {
  const path = join(stack.folder, `${agent}.log`);
  await writeFile(path, quiet.join(''));
  return stack.agent(agent, {
    source: { type: 'tail', paths: [path], from: 'start' },
    contamination: 0.01,
    flight_recorder,
  });
}

beforeAll(async () => {
  stack = await Stack.create();
  await stack.collector();
  const redact = [{ pattern: 'm[0-9]', replacement: '<device>' }];
  sharing = await tailing('gw-open', { share: true, redact });
  const gateways = [sharing, await tailing('gw-shut', {})];
  await stack.agentsOnline(2);
  await waitFor('the quiet minutes to be stored', async () => {
    const { totals } = (await stack.call<{ totals: { records: number } }>('GET', '/metrics')).body;
    return totals.records >= 2 * quiet.length;
  });
  await stack.trainOnHistory();
  await stack.call('POST', '/start');
  await waitFor('the gateways to detect', () =>
    gateways.every(({ output }) => output.includes('"detecting":true')),
  );
  for (const agent of ['gw-open', 'gw-shut'])
    await appendFile(join(stack.folder, `${agent}.log`), bad.join(''));
}, 120_000);

afterAll(() => stack.close());

describe('POST /api/v1/raw-lines', () => {
  it('gives the lines around an alert, redacted by the gateway', async () => {
    const alert = await alertOf('gw-open');
    const { status, body } = await ask(alert);
    expect({ status, detail: body.detail }).toEqual({ status: 200, detail: undefined });
    expect(body).toMatchObject({ alert, agent: 'gw-open' });
    expect(body.lines.length).toBeGreaterThan(0);
    expect(body.redactions).toBeGreaterThanOrEqual(body.lines.length);
    for (const { text } of body.lines) expect(text).toMatch(/"device_id":"<device>"/);
  }, 90_000);

  it('is refused, with the reason, by a gateway that does not share', async () => {
    const { status, body } = await ask(await alertOf('gw-shut'));
    expect(status).toBe(403);
    expect(body).toMatchObject({ code: 'not_shared' });
    expect(body.detail).toMatch(/flight_recorder\.share is off/);
  }, 90_000);

  it('finds nothing of an alert that the gateway does not know, and takes no id that is none', async () => {
    expect((await ask('gw-open/0123456789abcdef/1/0')).status).toBe(404);
    expect((await ask('gw-open')).status).toBe(400);
  });

  it('says so when the gateway is not there', async () => {
    expect((await ask('gw-never/0123456789abcdef/1/0')).body).toMatchObject({ code: 'agent_offline' });
    const alert = await alertOf('gw-open');
    await sharing.stop();
    await waitFor('it to be offline', async () => {
      const { agents } = await stack.status();
      return agents.some(({ id, online }) => id === 'gw-open' && !online);
    });
    expect((await ask(alert)).status).toBe(409);
  });
});
