/** `npm start` as a stranger runs it, on ports and in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StatusView } from '@lineheron/models';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePorts } from '../support/ports.js';
import { waitFor } from '../support/wait.js';

const LAUNCHER = fileURLToPath(new URL('../../collector/demo/start.mjs', import.meta.url));

let folder: string;
let httpPort: number;
let mqttPort: number;
let launcher: ChildProcess | null = null;
let output = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-start-'));
  [httpPort, mqttPort] = (await freePorts(2)) as [number, number];
});

afterEach(async () => {
  if (launcher?.exitCode === null && launcher.signalCode === null) {
    const closed = once(launcher, 'close');
    launcher.kill('SIGTERM');
    await closed;
  }
  await rm(folder, { recursive: true, force: true });
});

function start(...args: string[]): ChildProcess {
  output = '';
  const environment = {
    LINEHERON_HTTP_PORT: String(httpPort),
    LINEHERON_MQTT_PORT: String(mqttPort),
    LINEHERON_STATE_DIR: join(folder, 'state'),
  };
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  launcher = child;
  return child;
}

const status = async () => (await (await fetch(`http://127.0.0.1:${httpPort}/status`)).json()) as StatusView;

/** Pids of every process whose command line names this test's folder. */
async function partsLeft(): Promise<string[]> {
  const { readdirSync, readFileSync } = await import('node:fs');
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false;
    }
  });
}

async function interrupt(child: ChildProcess): Promise<number> {
  const startedAt = performance.now();
  const closed = once(child, 'close');
  child.kill('SIGINT');
  await closed;
  return performance.now() - startedAt;
}

describe('npm start', () => {
  it('trains on back-filled time, detects, and one interrupt within 5 s leaves no process', async () => {
    const child = start();
    await waitFor('detection to run', () => output.includes('detection'), 90_000);
    const running = await status();
    expect(running.detecting).toBe(true);
    expect(running.trained).toEqual({
      isolation_forest: true,
      adaptive_baseline: true,
      autoencoder: true,
      ensemble: true,
    });
    expect(running.agents.map(({ id, online }) => [id, online]).sort()).toEqual([
      ['gw-harbour', true],
      ['gw-hillside', true],
      ['gw-market', true],
      ['this-host', true],
    ]);
    expect((await partsLeft()).length).toBe(5);
    expect(await interrupt(child)).toBeLessThan(5_000);
    if (process.platform === 'linux') expect(await partsLeft()).toEqual([]);

    const again = start();
    const startedAt = performance.now();
    await waitFor('the second start to be ready', () => status(), 10_000);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await waitFor('its detection', async () => (await status()).detecting);
    await interrupt(again);
  }, 150_000);

  it('with --classic leaves training and starting to the buttons', async () => {
    const child = start('--classic');
    await waitFor(
      'all agents',
      async () => (await status()).agents.filter(({ online }) => online).length === 4,
    );
    const { detecting, trained } = await status();
    expect({ detecting, trained: trained.isolation_forest }).toEqual({ detecting: false, trained: false });
    await interrupt(child);
  }, 60_000);

  it('names the setting when a port is taken, and leaves no process', async () => {
    const squatter = createServer().listen(httpPort, '127.0.0.1');
    await once(squatter, 'listening');
    const child = start();
    const [code] = await once(child, 'close');
    squatter.close();
    expect(code).toBe(1);
    expect(output).toContain(String(httpPort));
    expect(output).toMatch(/LINEHERON_HTTP_PORT|http\.port/);
    expect(await partsLeft()).toEqual([]);
  }, 60_000);
});
