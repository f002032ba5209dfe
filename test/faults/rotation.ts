/**
 * The real logrotate against a tail: a writer that goes on, a rotation after every burst, and a tail that is ended and
 * started again, also while several rotations happen. What must hold: with rename modes every line comes once and in
 * order; with copytruncate every line that is left in any file comes once, and what is in none is the rotation's own.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, type FileHandle, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { TailReader } from '../../agent/src/source/tail-test-support.js';
import { seededRandom } from '../support/random.js';
import { waitFor } from '../support/wait.js';

export interface RotationPlan {
  folder: string;
  logrotate: string;
  /** Lines of a logrotate configuration. */
  mode: readonly string[];
  cycles: number;
  seed: number;
}

export interface RotationOutcome {
  written: number;
  /** Lines that are in no file any more and were not read before they went; and in how many places. */
  gap: number;
  /** Of these lines, line feeds included, and of the pieces of lines. */
  gapBytes: number;
  gaps: number;
  lost: string[];
  doubled: string[];
  /** Pieces of lines: copying and truncating cuts anywhere. */
  torn: number;
  inOrder: boolean;
  counters: Record<string, number>;
}

const run = promisify(execFile);
const nowS = () => Math.floor(Date.now() / 1000);
/** time(2), by which logrotate names files, is some milliseconds behind. */
const BEHIND_MS = 100;

/** Runs the plan in an empty folder and says what came of every line. */
export async function rotateWhileTailing(plan: RotationPlan): Promise<RotationOutcome> {
  const random = seededRandom(plan.seed);
  const writer = await Writer.open(join(plan.folder, 'line.log'));
  const totals: Record<string, number> = {};
  const told: string[] = [];
  const path = writer.path;
  let reader: TailReader | null = new TailReader([path]);
  let saved: unknown;
  const end = async () => {
    if (!reader) return;
    await reader.stop();
    for (const line of reader.emitted) told.push(line);
    for (const [name, count] of Object.entries(reader.counters.snapshot())) {
      totals[name] = (totals[name] ?? 0) + count;
    }
    saved = reader.saved ?? saved;
    reader = null;
  };
  const config = await configure(plan, writer);
  const dated = plan.mode.includes('dateext');
  let second = 0;
  // What was rotated away before a file was ever seen is nobody's.
  await writer.burst(5);
  await waitFor('the first lines', () => reader?.emitted.length === 5);
  for (let cycle = 0; cycle < plan.cycles; cycle++) {
    await writer.burst(20 + Math.floor(60 * random()));
    // Two rotations in one second would give one name.
    if (dated) await waitFor('another second', () => Date.now() > (second + 1) * 1000 + BEHIND_MS);
    const rotating = run(plan.logrotate, ['-f', '-s', join(plan.folder, 'state'), config]);
    await writer.until(rotating, random);
    second = nowS();
    if (random() < 0.3) await end();
    if (random() < 0.6) reader ??= new TailReader([path], { saved });
  }
  reader ??= new TailReader([path], { saved });
  await writer.burst(1);
  const last = reader;
  const lastLine = writer.lines.at(-1)!;
  await waitFor('the last line', () => last.emitted.includes(lastLine), 30_000).catch((error) => {
    throw new Error(
      `${error.message}: ${JSON.stringify({ counters: last.counters.snapshot(), saved: last.saved })}`,
    );
  });
  await end();
  await writer.close();
  return judge(plan, writer, told, totals);
}

/** Appends numbered lines, as a service does: to the file it has open, until it is told that it was rotated. */
class Writer {
  readonly lines: string[] = [];

  private constructor(
    readonly path: string,
    private handle: FileHandle,
  ) {}

  static async open(path: string): Promise<Writer> {
    return new Writer(path, await open(path, 'a'));
  }

  get signalPath(): string {
    return `${this.path}_was_rotated`;
  }

  async burst(count: number): Promise<void> {
    const fresh = Array.from({ length: count }, (_, index) => {
      const number = this.lines.length + index;
      return `${number * 1000} line ${number} ${'.'.repeat(number % 97)}`;
    });
    this.lines.push(...fresh);
    const text = fresh.map((line) => `${line}\n`).join('');
    // In two pieces, so that half lines are met.
    const cut = Math.floor(text.length / 3);
    await this.handle.write(text.slice(0, cut));
    await this.handle.write(text.slice(cut));
  }

  /** Goes on writing until the rotation is over, and opens its file anew when told. */
  async until(rotation: Promise<unknown>, random: () => number): Promise<void> {
    let over = false;
    const done = rotation.then(
      () => {
        over = true;
      },
      (error) => {
        over = true;
        return error;
      },
    );
    while (!over) {
      await this.burst(1 + Math.floor(3 * random()));
      if (existsSync(this.signalPath)) {
        await this.handle.close();
        this.handle = await open(this.path, 'a');
        await rm(this.signalPath);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    const fault = await done;
    if (fault) throw fault;
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** The service is told by a file, and logrotate waits until it has done so, as a good postrotate script does. */
async function configure(plan: RotationPlan, { path, signalPath }: Writer): Promise<string> {
  const config = join(plan.folder, 'logrotate.conf');
  const copies = plan.mode.includes('copytruncate');
  const script = [
    'postrotate',
    `touch '${signalPath}'`,
    `for i in $(seq 1000); do [ -e '${signalPath}' ] || break; sleep 0.01; done`,
    'endscript',
  ];
  const keys = [`rotate ${plan.cycles + 5}`, ...plan.mode, ...(copies ? [] : ['create', ...script])];
  await writeFile(config, `"${path}" {\n${keys.map((key) => `  ${key}`).join('\n')}\n}\n`, { mode: 0o600 });
  await appendFile(join(plan.folder, 'state'), '');
  return config;
}

async function judge(
  plan: RotationPlan,
  writer: Writer,
  told: readonly string[],
  counters: Record<string, number>,
): Promise<RotationOutcome> {
  const seen = new Set(told);
  const left = await linesIn(plan.folder);
  const numberOf = new Map(writer.lines.map((line, index) => [line, index]));
  const whole = told.filter((line) => numberOf.has(line));
  const pieces = told.filter((line) => !numberOf.has(line));
  const numbers = whole.map((line) => numberOf.get(line)!);
  const inGap = writer.lines.map((line) => !seen.has(line) && !left.has(line));
  return {
    written: writer.lines.length,
    gap: inGap.filter(Boolean).length,
    gapBytes: bytesOf(writer.lines.filter((_, index) => inGap[index])) + bytesOf(pieces),
    gaps: inGap.filter((missing, index) => missing && !inGap[index - 1]).length,
    lost: writer.lines.filter((line) => !seen.has(line) && left.has(line)).slice(0, 10),
    doubled: whole.filter((line, index) => whole.indexOf(line) !== index).slice(0, 10),
    torn: pieces.length,
    inOrder: numbers.every((number, index) => index === 0 || number > numbers[index - 1]!),
    counters,
  };
}

const bytesOf = (lines: readonly string[]) => lines.reduce((sum, line) => sum + line.length + 1, 0);

/** Every line in any of the files. */
async function linesIn(folder: string): Promise<Set<string>> {
  const all = new Set<string>();
  for (const name of (await readdir(folder)).filter((one) => one.startsWith('line.log'))) {
    const bytes = await readFile(join(folder, name));
    const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    for (const line of text.split('\n').slice(0, -1)) all.add(line);
  }
  return all;
}
