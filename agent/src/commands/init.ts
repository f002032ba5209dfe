/** `init`: asks what must be known, tries each answer at once, and writes the configuration. Never writes over a file. */
import { randomBytes } from 'node:crypto';
import { access, link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { AGENT_ID_PATTERN } from '@lineheron/models';
import { parseConfig } from '../config-load.js';
import { withSecrets } from '../config-secrets.js';
import { checkBroker } from '../doctor/broker.js';
import { type Finding, findingText } from '../doctor/finding.js';
import { checkDisk } from '../doctor/machine.js';
import { checkSource } from '../doctor/sources.js';
import { EXIT, type ExitCode, ExitError } from '../exit-code.js';
import { type Answers, configText, PASSWORD_FILE, SOURCES, type SourceChoice } from '../init/answers.js';
import { Cancelled, terminalAsker } from '../init/asker.js';
import { interview, type Trials } from '../init/interview.js';
import { messageOf } from '../log.js';
import { UsageError } from '../usage-error.js';
import type { Command, Given, Surroundings } from './command.js';

const DEFAULT_OUTPUT = 'lineheron-agent.yaml';

/** An agent's name from this machine's. */
function ownName(): string {
  const name = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, '-')
    .slice(0, 64);
  return AGENT_ID_PATTERN.test(name) ? name : 'gw-1';
}

function givenAnswers(given: Given): Answers {
  const paths = [...given.texts('path')];
  const source = (given.text('source') ?? (paths.length > 0 ? 'tail' : 'host')) as SourceChoice;
  return {
    agentId: given.text('agent-id') ?? ownName(),
    dataDir: given.text('data-dir') ?? '/var/lib/lineheron-agent',
    mqttUrl: given.text('mqtt-url') ?? 'mqtt://127.0.0.1:1883',
    username: given.text('username') ?? null,
    password: null,
    passwordFile: given.text('password-file') ?? null,
    caFile: given.text('ca-file') ?? null,
    source,
    paths,
  };
}

/** The configuration as the agent would have it, for trying it. Relative names start where the file will be. */
async function tried(answers: Answers, output: string) {
  const { password } = answers;
  const config = parseConfig(configText({ ...answers, password: null }));
  const complete = await withSecrets(config, output, {});
  return password === null ? complete : { ...complete, mqtt: { ...complete.mqtt, password } };
}

function trialsFor(output: string): Trials {
  return {
    broker: async (answers) => checkBroker(await tried(answers, output), Date.now()),
    disk: async (answers) => checkDisk(await tried(answers, output)),
    source: async (answers) => {
      const config = await tried(answers, output);
      return checkSource(config, config.sources[0]!);
    },
  };
}

/** Whole or not at all; `force` alone replaces what is there. */
async function place(path: string, text: string, force: boolean): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
    await writeFile(aside, text, { mode: 0o600, flag: 'wx' });
    if (force) await rename(aside, path);
    else await link(aside, path);
  } catch (error) {
    const there = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const why = there ? 'is there already; --force writes over it' : messageOf(error);
    throw new ExitError(EXIT.cannotCreate, `${path}: ${why}`);
  } finally {
    await rm(aside, { force: true }).catch(() => {});
  }
}

async function refuseIfThere(path: string, force: boolean): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (there && !force)
    throw new ExitError(EXIT.cannotCreate, `${path}: is there already; --force writes over it`);
}

async function withoutAsking(
  answers: Answers,
  given: Given,
  trials: Trials,
  around: Surroundings,
): Promise<boolean> {
  if (answers.source === 'tail' && answers.paths.length === 0)
    throw new UsageError('init: --source tail needs --path');
  if (given.flag('skip-checks')) return true;
  const found: Finding[] = [];
  for (const attempt of [trials.broker, trials.source, trials.disk]) found.push(...(await attempt(answers)));
  for (const finding of found) around.note(findingText(finding));
  return !found.some(({ level }) => level === 'bad');
}

async function perform(given: Given, around: Surroundings): Promise<ExitCode> {
  const output = given.text('output') ?? DEFAULT_OUTPUT;
  const force = given.flag('force');
  await refuseIfThere(output, force);
  const trials = trialsFor(output);
  let answers = givenAnswers(given);
  configText(
    answers.source === 'tail' && answers.paths.length === 0 ? { ...answers, source: 'host' } : answers,
  );
  let right = true;
  if (!given.flag('yes') && around.isTerminal && around.stdin.isTTY) {
    answers = await interview(await terminalAsker(), answers, trials).catch((error) => {
      throw error instanceof Cancelled ? new ExitError(EXIT.failed, 'nothing was written') : error;
    });
  } else right = await withoutAsking(answers, given, trials, around);
  const text = configText(answers);
  if (answers.password !== null)
    await place(join(dirname(output), PASSWORD_FILE), `${answers.password}\n`, force);
  await place(output, text, force);
  around.out(`${output} is written; next: lineheron-agent run --config ${output}\n`);
  return right ? EXIT.ok : EXIT.findings;
}

export const init: Command = {
  name: 'init',
  description: 'Ask what must be known, try each answer, and write a configuration',
  args: {
    output: { type: 'string', valueHint: 'file', description: `What to write; ${DEFAULT_OUTPUT}` },
    yes: { type: 'boolean', description: 'Ask nothing: take the options and what is usual' },
    force: { type: 'boolean', description: 'Write over a file that is there' },
    'skip-checks': { type: 'boolean', description: 'With --yes: do not try broker, source and folder' },
    'agent-id': {
      type: 'string',
      valueHint: 'name',
      description: 'Name of this gateway; else this machine’s',
    },
    'data-dir': {
      type: 'string',
      valueHint: 'folder',
      description: 'For spool and models; /var/lib/lineheron-agent',
    },
    'mqtt-url': { type: 'string', valueHint: 'url', description: 'The broker; mqtt://127.0.0.1:1883' },
    username: { type: 'string', valueHint: 'name', description: 'At the broker; none' },
    'password-file': { type: 'string', valueHint: 'file', description: 'Holds the password; none' },
    'ca-file': { type: 'string', valueHint: 'file', description: 'PEM: who signed the broker’s certificate' },
    source: { type: 'enum', options: [...SOURCES], description: 'What to read; tail with --path, else host' },
    path: {
      type: 'string',
      valueHint: 'file',
      multiple: true,
      description: 'A log file to follow; may be given again',
    },
  },
  help: `Asks on a terminal; in a script, or with --yes, it takes the options and asks nothing. The file is for its owner alone;
a password that is typed goes into ${PASSWORD_FILE} beside it. Without --force nothing is written over. With --yes it ends
with 2 when the file is written but something is still to be mended.

EXAMPLE

  lineheron-agent init --yes --agent-id gw-7 --mqtt-url mqtts://broker.example.org --path /var/log/line.log`,
  perform,
};
