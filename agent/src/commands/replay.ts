/** `replay FILE…`: what would have alerted in these lines, by the agent's own engine and pipeline on event time. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ActiveModel, DEFAULT_BUDGET } from '@lineheron/models';
import type { Engine } from '@lineheron/native';
import type { Config } from '../config.js';
import { encodingOf, type FormatConfig, formatSchema, yamlOrText } from '../config-format.js';
import { EXIT, type ExitCode, ExitError } from '../exit-code.js';
import { messageOf } from '../log.js';
import { NAMED_FORMATS } from '../proposal/candidates.js';
import type { Proposals } from '../proposal/propose.js';
import { refusalWords } from '../refusal-reasons.js';
import { type InputFile, withInputs } from '../replay/input.js';
import { addLineFormat, guessLineFormat, lineRemedy, tryFormats } from '../replay/line-format.js';
import { replayPage } from '../replay/page.js';
import { type Replayed, replay as runReplay, type VariantPlan } from '../replay/replay.js';
import { replayText } from '../replay/text.js';
import { DEFAULT_HOP_SECONDS } from '../score/scoring.js';
import { deviceOfFormat } from '../source/feeds.js';
import { UsageError } from '../usage-error.js';
import { type Command, configArgs, type Given, type Surroundings } from './command.js';
import { readConfig } from './config-file.js';

const MAX_VARIANTS = 2;
/** The device of lines that name none, where no configuration names the gateway. */
const NAMELESS = 'this-gateway';
/** The configuration allows as much; less than one in three thousand years is nothing to ask for. */
const MIN_BUDGET = 1e-6;
const MAX_BUDGET = 10_000;
/** None is no share: the threshold would be beyond all that was seen. */
const MIN_CONTAMINATION = 1e-6;

function numberOf(given: Given, name: string, low: number, high: number): number | null {
  const text = given.text(name);
  return text === undefined ? null : checkedNumber(text, name, low, high);
}

function checkedNumber(text: string, name: string, low: number, high: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= low && value <= high) return value;
  throw new UsageError(`replay: --${name} must be a number from ${low} to ${high}, not "${text}"`);
}

/** Whose suspicion a replay can hear; the autoencoder is the collector's. */
const HEARD = ['ensemble', 'isolation_forest', 'adaptive_baseline'] as const satisfies ActiveModel[];

function detectorNamed(text: string): ActiveModel {
  const found = HEARD.find((name) => name === text);
  if (found) return found;
  throw new UsageError(`replay: --detector must be one of ${HEARD.join(', ')}, not "${text}"`);
}

/** What is compared: one or two of everything that can be given twice. */
function plansOf(given: Given, config: Config | null): VariantPlan[] {
  const models = given.texts('model');
  const thresholds = given.texts('threshold').map((text) => checkedNumber(text, 'threshold', 0, 1));
  const detectors = given.texts('detector').map(detectorNamed);
  const budgets = given.texts('budget').map((text) => checkedNumber(text, 'budget', MIN_BUDGET, MAX_BUDGET));
  const count = Math.max(1, ...[models, thresholds, detectors, budgets].map(({ length }) => length));
  if (count > MAX_VARIANTS) {
    throw new UsageError('replay: at most two of --model, --threshold, --detector and --budget');
  }
  return Array.from({ length: count }, (_, index) => {
    const model = models[index] ?? models[0] ?? null;
    const threshold = thresholds[index] ?? thresholds[0] ?? null;
    const detector = detectors[index] ?? detectors[0];
    const budget = budgets[index] ?? budgets[0];
    const name = [
      model ?? 'trained on the first part',
      ...(detector === undefined ? [] : [detector]),
      ...(threshold === null ? [] : [`threshold ${threshold}`]),
      ...(budget === undefined ? [] : [`budget ${budget}`]),
    ].join(', ');
    const detection = {
      detecting: true,
      activeModel: detector ?? 'ensemble',
      budget: budget ?? config?.budget_per_device_per_day ?? DEFAULT_BUDGET,
      threshold,
    };
    return { name, model, detection };
  });
}

function asOf(given: Given): number | null {
  const text = given.text('as-of');
  if (text === undefined) return null;
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new UsageError(`replay: --as-of must be a time such as 2026-01-31T12:00:00Z, not "${text}"`);
  return ms;
}

function settingsOf(given: Given, config: Config | null) {
  const windowSeconds = numberOf(given, 'window-size-seconds', 1, 3600) ?? config?.window_size_seconds ?? 30;
  return {
    engine: {
      ...{ windowSeconds, channels: config?.channels ?? [] },
      ...{ publishRecords: 'none' as const, hopSeconds: DEFAULT_HOP_SECONDS },
    },
    maintenance: config?.maintenance ?? [],
    agent: config?.agent_id ?? 'replay',
    seed: numberOf(given, 'seed', 0, Number.MAX_SAFE_INTEGER) ?? config?.seed ?? 1,
    contamination: numberOf(given, 'contamination', MIN_CONTAMINATION, 0.5) ?? config?.contamination ?? 0.1,
    trainFraction: numberOf(given, 'train-fraction', 0, 1) ?? 0.2,
    asOfMs: asOf(given),
  };
}

/** `--line-format`, else what the only source of the configuration says; undefined when nobody says anything. */
function saidFormat(given: Given, config: Config | null): FormatConfig | undefined {
  const text = given.text('line-format');
  if (text === undefined) {
    const [source, ...others] = config?.sources ?? [];
    return source && others.length === 0 && 'format' in source ? source.format : undefined;
  }
  const parsed = formatSchema.safeParse(yamlOrText(text));
  if (!parsed.success) throw new UsageError(`replay: --line-format "${text}" is no format: see --help`);
  return parsed.data;
}

async function write(path: string, text: string, files: readonly InputFile[]): Promise<void> {
  if (files.some((file) => resolve(file.path) === resolve(path))) {
    throw new ExitError(EXIT.cannotCreate, `${path}: is an input, not written over`);
  }
  await writeFile(path, text).catch((error) => {
    throw new ExitError(EXIT.cannotCreate, `${path}: ${messageOf(error)}`);
  });
}

async function report(
  { result, variants }: Replayed,
  files: readonly InputFile[],
  given: Given,
  around: Surroundings,
) {
  const json = () => `${JSON.stringify(result, null, 2)}\n`;
  const [jsonPath, pagePath] = [given.text('json'), given.text('html')];
  if (jsonPath !== undefined) await write(jsonPath, json(), files);
  if (pagePath !== undefined) await write(pagePath, replayPage(result, variants), files);
  around.out(given.text('format') === 'json' ? json() : replayText(result));
}

/** Lines that were left out in numbers are no small print. */
async function noteRefused(
  { result: { input } }: Replayed,
  remedy: (refused: Record<string, number>) => Promise<string>,
  { note }: Surroundings,
): Promise<void> {
  const refused = { ...input.refused, ...(input.too_long > 0 ? { too_long: input.too_long } : {}) };
  const count = Object.values(refused).reduce((sum, one) => sum + one, 0);
  if (2 * count <= input.lines) return;
  note(`only ${input.lines - count} of ${input.lines} lines are understood: ${refusalWords(refused)}
  → ${await remedy(refused)}
`);
}

function noteNameless({ variants }: Replayed, device: string | undefined, { note }: Surroundings): void {
  if (device === undefined || !variants[0]?.knows(device)) return;
  note(`lines that name no device are taken as those of "${device}"; device_id in the format names it\n`);
}

async function perform(given: Given, around: Surroundings): Promise<ExitCode> {
  const path = given.text('config');
  const config = path === undefined ? null : await readConfig(path, given, around);
  const plans = plansOf(given, config);
  const settings = settingsOf(given, config);
  const said = saidFormat(given, config);
  const agentId = config?.agent_id ?? NAMELESS;
  const startMs = performance.now();
  const work = async (files: readonly InputFile[]): Promise<ExitCode> => {
    let tried: Promise<Proposals> | undefined;
    const found = () => (tried ??= tryFormats(files, settings.engine.channels));
    const format = said ?? guessLineFormat(await found(), around.note);
    const device = deviceOfFormat(format, agentId);
    const remedy = async (refused: Record<string, number>) => lineRemedy(refused, await found(), format);
    const addFormat = (engine: Engine) => addLineFormat(engine, format);
    const replayed = await runReplay({ ...settings, files, plans, addFormat, device, remedy });
    await noteRefused(replayed, remedy, around);
    noteNameless(replayed, device, around);
    await report(replayed, files, given, around);
    const seconds = (performance.now() - startMs) / 1000;
    const { lines } = replayed.result.input;
    around.note(
      `${seconds.toFixed(2)} s, ${Math.round(lines / seconds).toLocaleString('en-US')} lines a second\n`,
    );
    const alerted = replayed.result.variants.some(({ alerts }) => alerts.length > 0);
    return given.flag('fail-on-alert') && alerted ? EXIT.findings : EXIT.ok;
  };
  return withInputs(given._, around.stdin, work, encodingOf(said));
}

export const replay: Command = {
  name: 'replay',
  description: 'Tell what would have alerted in log files',
  args: {
    files: {
      type: 'positional',
      valueHint: 'file…',
      description: 'Log files in order, plain or gzip; - is standard input',
    },
    model: {
      type: 'string',
      valueHint: 'path',
      multiple: true,
      description: 'A manifest, a folder of models or an agent’s data folder; twice: compare both',
    },
    threshold: {
      type: 'string',
      valueHint: '0–1',
      multiple: true,
      description: 'Of the forest, in place of its own; twice: compare both',
    },
    detector: {
      type: 'string',
      valueHint: 'name',
      multiple: true,
      description: `Who is heard: ${HEARD.join(', ')}; twice: compare both`,
    },
    budget: {
      type: 'string',
      valueHint: 'number',
      multiple: true,
      description: `False alerts allowed a device and day; ${DEFAULT_BUDGET}; twice: compare both`,
    },
    'train-fraction': {
      type: 'string',
      valueHint: '0–1',
      description: 'Without --model: the first part of the bytes to learn from; 0.2',
    },
    contamination: {
      type: 'string',
      valueHint: '0–0.5',
      description: 'Share of the training windows taken as anomalous; 0.1',
    },
    seed: { type: 'string', valueHint: 'number', description: 'Of the trained forest; 1' },
    'window-size-seconds': { type: 'string', valueHint: '1–3600', description: 'Length of the window; 30' },
    'as-of': {
      type: 'string',
      valueHint: 'time',
      description: 'When the lines had been received; else when each file was written',
    },
    'line-format': {
      type: 'string',
      valueHint: 'format',
      description: 'How the lines are written, as in a source’s format; found out where there is no doubt',
    },
    format: { type: 'enum', options: ['text', 'json'], description: 'Of what is printed; text' },
    json: { type: 'string', valueHint: 'file', description: 'Also write the result as JSON' },
    html: {
      type: 'string',
      valueHint: 'file',
      description: 'Also write a page with charts that needs nothing else',
    },
    'fail-on-alert': { type: 'boolean', description: 'End with exit code 2 when there is an alert' },
    config: {
      ...configArgs.config,
      description:
        'Take window length, channels, seed, contamination, budget and planned work from a configuration',
    },
    set: configArgs.set,
  },
  words: { min: 1, max: 10_000 },
  help: `The lines go through the same engine and pipeline as in the running agent, on their own times, as fast as the machine
goes; nothing is sent and nothing is kept. The same files and options give the same output, byte for byte. All detectors of
the agent judge; the ensemble is heard, as there. The adaptive baseline learns from the lines themselves and judges each
device once it knows it. Without --model a forest is trained on the first part of the lines and judges from there on. A
device that reported regularly and fell silent is told by the agent's rule, on the lines' own times.

A format is a name (${NAMED_FORMATS.join(', ')}) or the object that a source of
the configuration would have. Without --line-format every format is tried on the first lines: canonical is taken where it
understands them, else the one that understands nearly all of them, and standard error says which. Where that is in doubt
the replay ends with exit code 65 and lists what to choose from. Lines that name no device are those of the configuration's
agent_id, else of "${NAMELESS}".

Files are read in the order of their times: one that is newest first is turned round, and one in no order is sorted, up to
256 MiB each; what was done is told. Where fewer than one record in ten says when it happened nothing is judged, and the
exit code is 65. A date line alone (the program date) gives its time to the sixty lines behind it.

EXAMPLES

  lineheron-agent replay /var/log/syslog --line-format syslog
  lineheron-agent replay a.csv --line-format '{type: csv, …}'
  lineheron-agent replay line.log.2.gz line.log.1 line.log
  lineheron-agent replay line.log --model /var/lib/lineheron-agent --html report.html
  lineheron-agent replay line.log --threshold 0.6 --threshold 0.7
  lineheron-agent replay line.log --detector isolation_forest --detector ensemble
  zcat *.gz | lineheron-agent replay - --format json`,
  perform,
};
