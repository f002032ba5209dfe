/**
 * Random kill -9 of agent, collector and, where it is a process of its own, broker, each at moments of its own, while
 * a file is being written, rotated and read. What must hold at the end: every line is stored exactly once. Used by
 * the smoke test with few kills and by `npm run faults` with many.
 */
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordLines } from '../support/lines.js';
import type { Part } from '../support/process.js';
import { seededRandom } from '../support/random.js';
import { report } from '../support/report.js';
import type { Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

export interface KillPlan {
  kills: number;
  /** Lines a kill and device. */
  secondsPerKill: number;
  seed: number;
  /** `embedded` in the collector, which takes it along when it is killed, or a process of its own. */
  broker: 'embedded' | 'external';
}

export interface KillOutcome {
  kills: number;
  /** Of them, by part. */
  killed: Record<string, number>;
  written: number;
  stored: number;
  distinct: number;
  lost: string[];
}

const AGENT = 'gw-tail';
const DEVICES = ['modem-1', 'modem-2', 'modem-3', 'modem-4'];
/** Longer and shorter than what the agent gathers before it writes. */
const LIFE_MS = { min: 100, max: 1_500 };
const STEPS_PER_ROTATION = 8;
const KEPT_ROTATED = 40;

/** Runs the plan on an empty stack and says what came of every line. */
export async function killWhileTailing(stack: Stack, plan: KillPlan): Promise<KillOutcome> {
  const path = join(stack.folder, 'line.log');
  await writeFile(path, '');
  const broker = plan.broker === 'external' ? [await stack.broker()] : [];
  const mqtt = broker.length > 0 ? { mqtt: { embedded: false, url: stack.mqttUrl } } : {};
  const collector = await stack.collector(mqtt);
  const agent = await stack.agent(AGENT, { source: { type: 'tail', paths: [path], from: 'start' } });
  const victims = { agent, collector, ...(broker[0] ? { broker: broker[0] } : {}) };
  const killing = new Killing(plan);
  const writing = writeLines(path, plan, killing);
  const attacks = Object.entries(victims).map(([name, part], at) => killing.of(name, part, plan.seed + at));
  await Promise.all(attacks);
  const expected = await writing;
  const rows = await storedOnceSettled(stack, expected.size);
  const stored = new Set(rows);
  return {
    kills: killing.done,
    killed: killing.by,
    written: expected.size,
    stored: rows.length,
    distinct: stored.size,
    lost: [...expected].filter((key) => !stored.has(key)).slice(0, 10),
  };
}

const PROGRESS_EVERY = 25;

class Killing {
  done = 0;
  readonly by: Record<string, number> = {};
  private begun = 0;

  constructor(private readonly plan: KillPlan) {}

  get isOver(): boolean {
    return this.done >= this.plan.kills;
  }

  /** Kills one part again and again; others are killed at the same time. */
  async of(name: string, victim: Part, seed: number): Promise<void> {
    const random = seededRandom(seed);
    while (this.begun < this.plan.kills) {
      this.begun += 1;
      await new Promise((resolve) =>
        setTimeout(resolve, LIFE_MS.min + (LIFE_MS.max - LIFE_MS.min) * random()),
      );
      await victim.kill();
      this.done += 1;
      this.by[name] = (this.by[name] ?? 0) + 1;
      if (this.done % PROGRESS_EVERY === 0) {
        report('kill progress', { broker: this.plan.broker, done: this.done, of: this.plan.kills });
      }
      await this.restart(victim);
    }
  }

  /** A collector whose broker is being killed may give up and is then started again, as its service manager would. */
  private async restart(victim: Part): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await victim.start();
        return;
      } catch (error) {
        if (attempt === 5) throw error;
        await victim.kill();
      }
    }
  }
}

/** Writes a few lines for every kill, at its pace. Returns the keys of all lines. */
async function writeLines(path: string, plan: KillPlan, killing: Killing): Promise<Set<string>> {
  const random = seededRandom(plan.seed);
  const seconds = plan.kills * plan.secondsPerKill;
  const startMs = Date.now() - seconds * 1000 - 60_000;
  const keys = new Set<string>();
  for (let step = 0; step < plan.kills; step++) {
    await waitFor('the next kill', () => killing.done >= step || killing.isOver, 60_000);
    const from = startMs + step * plan.secondsPerKill * 1000;
    const lines = recordLines(
      { devices: DEVICES, startMs: from, seed: plan.seed + step },
      plan.secondsPerKill,
    );
    for (const line of lines) keys.add(keyOf(JSON.parse(line)));
    await appendInPieces(path, lines, random);
    if (step % STEPS_PER_ROTATION === STEPS_PER_ROTATION - 1) await rotate(path);
  }
  return keys;
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
async function rotate(path: string): Promise<void> {
  for (let number = KEPT_ROTATED; number > 0; number--) {
    await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(() => {});
  }
  await rename(path, `${path}.1`);
  await writeFile(path, '');
}

/** Device windows by record, once all have come, or after the deadline whatever has. */
async function storedOnceSettled(stack: Stack, count: number): Promise<string[]> {
  let rows: string[] = [];
  const isSettled = async () => {
    const { totals } = (await stack.call<{ totals: { windows: number } }>('GET', '/metrics')).body;
    // Cheap to ask, but windows of the whole gateway are among them.
    if (totals.windows < count) return false;
    rows = await deviceRows(stack);
    return rows.length >= count;
  };
  await waitFor('everything to be stored', isSettled, 180_000).catch(() => {});
  return rows.length >= count ? rows : deviceRows(stack);
}

async function deviceRows(stack: Stack): Promise<string[]> {
  return (await stack.storedWindows(AGENT))
    .filter(({ scope }) => scope === 'device')
    .map(({ device, end }) => `${device} ${end}`);
}
