/** `evaluate FILE…`: what every detector finds in labelled files, beside chance and permanent alarm. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DEFAULT_BUDGET } from '@lineheron/models';
import type { Config } from '../config.js';
import { parseCsv, textOf } from '../evaluate/csv.js';
import { type Job, type Mode, evaluate as runEvaluate } from '../evaluate/evaluate.js';
import { DEFAULT_GATEWAY, type GatewaySettings } from '../evaluate/gateway.js';
import { evaluationText } from '../evaluate/text.js';
import { EXIT, type ExitCode, ExitError } from '../exit-code.js';
import { UsageError } from '../usage-error.js';
import { type Command, configArgs, type Given, type Surroundings } from './command.js';
import { readConfig } from './config-file.js';

function numberOf(given: Given, name: string, low: number, high: number, otherwise: number): number {
  const text = given.text(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() !== '' && value >= low && value <= high) return value;
  throw new UsageError(`evaluate: --${name} must be a number from ${low} to ${high}, not "${text}"`);
}

/** What the configuration says of how its agent judges. */
function gatewayOf(config: Config): GatewaySettings {
  const { window_size_seconds, channels, contamination, maintenance } = config;
  return {
    ...{ windowSeconds: window_size_seconds, contamination, maintenance },
    channels: channels.map((channel) => ({ ...channel })),
  };
}

function settingsOf(given: Given, config: Config | null) {
  const seeds = numberOf(given, 'seeds', 1, 100, 1);
  if (!Number.isInteger(seeds)) throw new UsageError('evaluate: --seeds must be a whole number');
  const text = given.text('budget')?.replace(/\/day$/, '');
  const budget = text === undefined ? (config?.budget_per_device_per_day ?? DEFAULT_BUDGET) : Number(text);
  if (text !== undefined && !(budget >= 0.001 && budget <= 1000))
    throw new UsageError(
      `evaluate: --budget must be from 0.001 to 1000 a day, such as 0.2/day, not "${given.text('budget')}"`,
    );
  const trainFraction = numberOf(given, 'train-fraction', 0, 0.95, 0.2);
  return { seeds, trainFraction, budget, gateway: config ? gatewayOf(config) : DEFAULT_GATEWAY };
}

/** One file as it is to be judged; without `--mode` the file itself tells. */
async function jobOf(name: string, given: Given): Promise<Job> {
  const [asked, train] = [given.text('mode') as Mode | undefined, given.text('train')];
  const text = await textOf(name);
  const isLines = text.trimStart().startsWith('{') || /\.(jsonl|ndjson)$/i.test(name);
  if (asked === 'records' || (asked === undefined && isLines)) {
    const training = train === undefined ? null : Buffer.from(await textOf(train));
    return { name, mode: 'records', bytes: Buffer.from(text), training };
  }
  const data = parseCsv(name, text, true);
  const training = train === undefined ? null : parseCsv(train, await textOf(train), false);
  const mode = asked ?? (data.timesMs === null && training === null ? 'table' : 'series');
  if (mode === 'table' && training)
    throw new UsageError('evaluate: a table is fitted whole, without --train');
  if (mode === 'table' && Number(given.text('train-fraction') ?? 0) > 0)
    throw new UsageError(
      `evaluate: ${name} is a table, fitted whole: leave --train-fraction out, or give --mode series for rows in time`,
    );
  return { name, mode, data, training };
}

async function perform(given: Given, around: Surroundings): Promise<ExitCode> {
  const configPath = given.text('config');
  const config = configPath === undefined ? null : await readConfig(configPath, given, around);
  const settings = settingsOf(given, config);
  const path = given.text('json');
  const train = given.text('train');
  for (const input of train === undefined ? given._ : [...given._, train]) {
    if (path !== undefined && resolve(path) === resolve(input))
      throw new ExitError(EXIT.cannotCreate, `${path}: is an input, not written over`);
  }
  const jobs: Job[] = [];
  for (const name of given._) jobs.push(await jobOf(name, given));
  const result = await runEvaluate(jobs, settings);
  if (path !== undefined) {
    await writeFile(path, `${JSON.stringify(result, null, 2)}\n`).catch((error) => {
      throw new ExitError(EXIT.cannotCreate, `${path}: ${error.message}`);
    });
  }
  around.out(evaluationText(result));
  return EXIT.ok;
}

export const evaluate: Command = {
  name: 'evaluate',
  description: 'Tell how well each detector finds what is labelled in files',
  args: {
    files: {
      type: 'positional',
      valueHint: 'file…',
      description: 'CSV with a column label (0 or 1), or canonical JSON lines with is_anomaly',
    },
    mode: {
      type: 'enum',
      options: ['records', 'series', 'table'],
      description: 'JSON lines, rows in time, or independent rows; else the file tells',
    },
    train: {
      type: 'string',
      valueHint: 'file',
      description: 'Normal rows, or JSON lines from before, to learn from',
    },
    'train-fraction': {
      type: 'string',
      valueHint: '0–0.95',
      description: 'Without --train: the first part, taken as normal and not judged; 0.2',
    },
    seeds: {
      type: 'string',
      valueHint: '1–100',
      description: 'How often, with other seeds; mean ± deviation; 1',
    },
    budget: {
      type: 'string',
      valueHint: 'N/day',
      description: 'False alert episodes a device and day that are accepted; 0.2',
    },
    json: { type: 'string', valueHint: 'file', description: 'Also write the result as JSON, by file' },
    config: {
      ...configArgs.config,
      description:
        'Take budget, and for records window length, channels, contamination and planned work, from it',
    },
    set: configArgs.set,
  },
  words: { min: 1, max: 10_000 },
  help: `Labels are read to count what was found, never by a fit, a threshold or a choice; the defaults are the same for every
file. With several files the figures are means over them. A CSV has columns of numbers, optionally timestamp (Unix
seconds or milliseconds, or ISO 8601, without an offset in UTC); without times, or with 0, 1, 2, …, its rows are taken as
independent: all are fitted and all are judged.

An event is a run of labelled rows. Events at one false episode a day or week: the threshold comes down until the runs
of alarms that touch no label exceed that. A run outside of labels counts again for each full hour that it lasts.

Records go through the engine and pipeline of the running agent: windows of an alert or of planned work are not learnt, and
what alarms is an episode as there. Declared channels need --config.

EXAMPLES

  lineheron-agent evaluate series.csv
  lineheron-agent evaluate --config agent.yaml labelled.jsonl
  lineheron-agent evaluate --train normal.csv --seeds 5 series.csv
  lineheron-agent evaluate --mode table --json result.json *.csv`,
  perform,
};
