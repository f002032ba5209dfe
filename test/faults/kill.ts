/**
 * Random kill -9 of agent and collector while a file is being written, rotated and read. What must hold at the end:
 * every record of the file is stored exactly once. Used by the smoke test with few kills and by hand with many.
 */
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordLines } from '../support/lines.js';
import { seededRandom } from '../support/random.js';
import type { Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

export interface KillPlan {
  kills: number;
  seconds: number;
  seed: number;
}

export interface KillOutcome {
  written: number;
  stored: number;
  distinct: number;
  lost: string[];
}

const AGENT = 'gw-tail';
const DEVICES = ['modem-1', 'modem-2', 'modem-3'];

/** Runs the plan on an empty stack and says what came of every record. */
export async function killWhileTailing(stack: Stack, plan: KillPlan): Promise<KillOutcome> {
  const random = seededRandom(plan.seed);
  const path = join(stack.folder, 'line.log');
  const startMs = Date.now() - plan.seconds * 1000 - 60_000;
  const lines = recordLines({ devices: DEVICES, startMs, seed: plan.seed }, plan.seconds);
  await writeFile(path, '');
  const collector = await stack.collector();
  const agent = await stack.agent(AGENT, { source: { type: 'tail', paths: [path], from: 'start' } });
  const chunk = Math.ceil(lines.length / (plan.kills * 2));
  let rotations = 0;
  for (let written = 0, step = 0; written < lines.length; written += chunk, step++) {
    await appendInPieces(path, lines.slice(written, written + chunk), random);
    if (step % 5 === 4) await rotate(path, rotations++);
    if (step % 2 === 0) continue;
    const victim = random() < 0.5 ? agent : collector;
    await new Promise((resolve) => setTimeout(resolve, 400 * random()));
    await victim.kill();
    await victim.start();
  }
  const expected = new Set(lines.map((line) => keyOf(JSON.parse(line))));
  const rows = await storedOnceSettled(stack, expected.size);
  const stored = new Set(rows);
  return {
    written: expected.size,
    stored: rows.length,
    distinct: stored.size,
    lost: [...expected].filter((key) => !stored.has(key)).slice(0, 10),
  };
}

const keyOf = (record: { device_id: string; timestamp: string }) => `${record.device_id} ${record.timestamp}`;

/** Splits the text anywhere, so that the agent meets half lines. */
async function appendInPieces(path: string, lines: string[], random: () => number): Promise<void> {
  const text = lines.join('');
  const cut = Math.floor(text.length * random());
  await appendFile(path, text.slice(0, cut));
  await appendFile(path, text.slice(cut));
}

/** Rotation by rename and create, as logrotate does by default: .1 becomes .2, and so on. */
async function rotate(path: string, kept: number): Promise<void> {
  for (let number = kept; number > 0; number--) await rename(`${path}.${number}`, `${path}.${number + 1}`);
  await rename(path, `${path}.1`);
  await writeFile(path, '');
}

/** Device windows by record, once all have come, or after the deadline whatever has. */
async function storedOnceSettled(stack: Stack, count: number): Promise<string[]> {
  const read = async () =>
    (await stack.storedWindows(AGENT))
      .filter(({ scope }) => scope === 'device')
      .map(({ device, end }) => `${device} ${end}`);
  let rows: string[] = [];
  await waitFor(
    'all records to be stored',
    async () => {
      rows = await read();
      return new Set(rows).size >= count;
    },
    60_000,
  ).catch(() => {});
  await waitFor(
    'the spool to be empty',
    async () => {
      const status = await stack.status();
      return status.agents.every(({ spool }) => spool.batches === 0);
    },
    40_000,
  ).catch(() => {});
  return read();
}
