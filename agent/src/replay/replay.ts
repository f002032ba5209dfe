/**
 * Lines that were written long ago, through the agent's own engine and pipeline as fast as the machine goes: what
 * would have alerted. One or two models beside each other. Nothing but the inputs and settings decides the result.
 */
import type { Engine } from '@lineheron/native';
import { EXIT, ExitError } from '../exit-code.js';
import { refusalWords, valueCode } from '../refusal-reasons.js';
import type { Maintenance } from '../score/only-normal.js';
import { type DetectionSettings, type EngineSettings, newEngine } from '../score/scoring.js';
import { type InputFile, totalBytes } from './input.js';
import { loadLearned } from './learned.js';
import { compare, type ReplayInput, type ReplayResult } from './result.js';
import { type Surveyed, survey } from './survey.js';
import { Variant } from './variant.js';

export interface VariantPlan {
  name: string;
  /** Where its forests are; null: they are fitted on the first part of the lines. */
  model: string | null;
  detection: DetectionSettings;
}

export interface ReplayOptions {
  files: readonly InputFile[];
  /** One or two. */
  plans: readonly VariantPlan[];
  engine: EngineSettings;
  /** Gives an engine the lines' format and returns its number. */
  addFormat: (engine: Engine) => number;
  maintenance: readonly Maintenance[];
  agent: string;
  seed: number;
  contamination: number;
  /** Share of the bytes that is learnt from where no model is given, 0–1. */
  trainFraction: number;
  /** When the lines had been received, epoch ms; null: when each file was last written. */
  asOfMs: number | null;
  /** The device of lines that name none. */
  device?: string | undefined;
  /** What to do about lines that are refused for these reasons. */
  remedy?: (refused: Record<string, number>) => Promise<string>;
}

type Counts = Omit<ReplayInput, 'from' | 'to'>;

export interface Replayed {
  result: ReplayResult;
  variants: readonly Variant[];
}

/** Runs it. Throws ExitError when an input or model cannot be used. */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { files, plans, engine, addFormat, maintenance, agent, device } = options;
  const { seed, contamination, trainFraction } = options;
  let asOfMs = 0;
  const surveyed = await surveyOf(options);
  const variants: Variant[] = [];
  for (const plan of plans) {
    const { name, detection } = plan;
    const settings = { name, engine, addFormat, maintenance, agent, device, seed, contamination, detection };
    const variant = new Variant({ ...settings, asOfMs: () => asOfMs });
    if (plan.model !== null) variant.use(await loadLearned(plan.model, variant.engine), 'file');
    variants.push(variant);
  }
  const learners = variants.filter((_, index) => plans[index]!.model === null);
  const trainBytes = learners.length > 0 ? (await totalBytes(files)) * trainFraction : 0;
  let bytes = 0;
  let training = learners.length > 0;
  for (const file of surveyed.files) {
    asOfMs = file.receivedMs;
    for (const variant of variants) variant.begin(file.found.dateOrder ?? null, file.oldestMs);
    for await (const block of file.blocks()) {
      for (const part of training ? split(block, trainBytes - bytes) : [block]) {
        for (const variant of variants) variant.push(part);
        bytes += part.length;
        if (!training || bytes < trainBytes) continue;
        await trainAll(learners, options, () => inputOf(variants[0]!.engine, surveyed, bytes));
        training = false;
      }
    }
  }
  const input = inputOf(variants[0]!.engine, surveyed, bytes);
  if (training && input.records > 0) await trainAll(learners, options, () => input);
  if (input.records === 0) throw await noRecords(input, options, 'lines');
  const results = variants.map((variant) => variant.result());
  const { from, to } = variants[0]!;
  const result: ReplayResult = {
    v: 1,
    input: { ...input, from, to },
    window_size_seconds: engine.windowSeconds,
    variants: results,
    comparison: compare(results),
  };
  return { result, variants };
}

function surveyOf(options: ReplayOptions): Promise<Surveyed> {
  const engine = newEngine(options.engine);
  const format = options.addFormat(engine);
  const { files, asOfMs, device } = options;
  return survey(files, { engine, format, asOfMs, device });
}

/** Too few windows have a reason: mostly that no line could be read. */
async function trainAll(
  learners: readonly Variant[],
  options: ReplayOptions,
  input: () => Counts,
): Promise<void> {
  const counts = input();
  if (counts.records === 0) throw await noRecords(counts, options, 'first lines');
  for (const learner of learners) await learner.train();
}

/** In two behind the line in which the first part ends. */
function split(block: Buffer, at: number): Buffer[] {
  if (at >= block.length) return [block];
  const end = block.indexOf(10, Math.max(0, Math.ceil(at) - 1)) + 1;
  return end > 0 && end < block.length ? [block.subarray(0, end), block.subarray(end)] : [block];
}

function inputOf(engine: Engine, { files, filesReordered }: Surveyed, bytes: number): Counts {
  const counts = engine.counters();
  const { lines, records, tooLong, late, ahead, devices, evictedDevices } = counts;
  const values = Object.entries(counts.refusedValues).map(([code, count]) => [valueCode(code), count]);
  const refused: Record<string, number> = { ...counts.refused, ...Object.fromEntries(values) };
  return {
    files: files.map(({ file }) => file.name),
    files_reordered: filesReordered,
    orders: Object.fromEntries(
      files.flatMap(({ file, order }) => (order === 'as_written' ? [] : [[file.name, order]])),
    ),
    bytes,
    lines,
    records,
    devices: devices + evictedDevices,
    refused: Object.fromEntries(
      Object.entries(refused)
        .filter(([, count]) => count > 0)
        .sort(),
    ),
    too_long: tooLong,
    late,
    late_kinds: Object.fromEntries(Object.entries(counts.lateKinds).sort()),
    clock_resets: counts.clockResets,
    ahead,
  };
}

async function noRecords(
  { lines, refused, too_long }: Counts,
  { remedy }: ReplayOptions,
  which: string,
): Promise<ExitError> {
  if (lines === 0 && too_long === 0) return new ExitError(EXIT.data, 'the input is empty');
  const counts = { ...refused, ...(too_long > 0 ? { too_long } : {}) };
  const why = refusalWords(counts) || 'they are known to hold no record';
  const what = `none of ${lines} ${which} is a record: ${why}`;
  return new ExitError(EXIT.data, remedy ? `${what}\n  → ${await remedy(counts)}` : what);
}
