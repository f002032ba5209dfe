/** `init`: asks what must be known, tries each answer at once, and writes the configuration. Never writes over a file. */
import { randomBytes } from 'node:crypto';
import { access, link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { machineZone } from '../config-format.js';
import { parseConfig } from '../config-load.js';
import { withSecrets } from '../config-secrets.js';
import { checkBroker } from '../doctor/broker.js';
import { type Finding, findingText } from '../doctor/finding.js';
import { checkDisk } from '../doctor/machine.js';
import { takeSample } from '../doctor/sample.js';
import { checkSource } from '../doctor/sources.js';
import { EXIT, type ExitCode, ExitError } from '../exit-code.js';
import { type Answers, configText, PASSWORD_FILE } from '../init/answers.js';
import { Cancelled, terminalAsker } from '../init/asker.js';
import { attemptText, usualFormat } from '../init/format-question.js';
import { answerArgs, checkComplete, givenAnswers } from '../init/given.js';
import { interview, type Trials } from '../init/interview.js';
import { messageOf } from '../log.js';
import { type Proposals, propose } from '../proposal/propose.js';
import { describeYourself, shellWord } from '../proposal/words.js';
import type { Command, Given, Surroundings } from './command.js';
import { LOCAL_CONFIG } from './config-file.js';

/** The configuration as the agent would have it, for trying it. Relative names start where the file will be. */
async function tried(answers: Answers, output: string) {
  const { password } = answers;
  const config = parseConfig(configText({ ...answers, password: null }));
  const complete = await withSecrets(config, output, {});
  return password === null ? complete : { ...complete, mqtt: { ...complete.mqtt, password } };
}

/** The first lines of the files, tried by every format; null when there are none to look at yet. */
async function triedFormats(answers: Answers, output: string): Promise<Proposals | null> {
  const config = await tried({ ...answers, format: null }, output);
  const { lines } = await takeSample(config, config.sources[0]!);
  return lines && propose(lines.bytes, { nowMs: Date.now(), zone: machineZone(), channels: config.channels });
}

function trialsFor(output: string): Trials {
  return {
    broker: async (answers) => checkBroker(await tried(answers, output), Date.now()),
    disk: async (answers) => checkDisk(await tried(answers, output)),
    source: async (answers) => {
      const config = await tried(answers, output);
      return checkSource(config, config.sources[0]!);
    },
    // What is wrong with the files is told when the source is tried.
    formats: (answers) => triedFormats(answers, output).catch(() => null),
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

/** Of a tail whose format was not said: the best by its first lines. What is taken is said. */
async function withFormat(
  answers: Answers,
  given: Given,
  trials: Trials,
  { note }: Surroundings,
): Promise<Answers> {
  if (answers.source !== 'tail' || answers.format !== null) return answers;
  const found = await trials.formats(answers);
  if (!found) return answers;
  const said = found.best
    ? attemptText(found.best)
    : `no format understands these lines\n    → ${describeYourself(found)}`;
  note(`· ${said}\n`);
  return { ...answers, format: usualFormat(found, given.text('device-id') ?? answers.agentId) };
}

/** Tries everything and tells of it; whether nothing is left to mend. */
async function tryAll(answers: Answers, trials: Trials, around: Surroundings): Promise<boolean> {
  const found: Finding[] = [];
  for (const attempt of [trials.broker, trials.source, trials.disk]) found.push(...(await attempt(answers)));
  for (const finding of found) around.note(findingText(finding));
  return !found.some(({ level }) => level === 'bad');
}

async function perform(given: Given, around: Surroundings): Promise<ExitCode> {
  const output = given.text('output') ?? LOCAL_CONFIG;
  const force = given.flag('force');
  await refuseIfThere(output, force);
  const trials = trialsFor(output);
  const asks = !given.flag('yes') && around.isTerminal && around.stdin.isTTY === true;
  let answers = givenAnswers(given);
  if (!asks) checkComplete(answers);
  // What is asked for later may still be missing.
  configText(asks ? { ...answers, source: 'host' } : answers);
  let right = true;
  if (asks) {
    answers = await interview(await terminalAsker(), answers, trials).catch((error) => {
      throw error instanceof Cancelled ? new ExitError(EXIT.failed, 'nothing was written') : error;
    });
  } else if (!given.flag('skip-checks')) {
    answers = await withFormat(answers, given, trials, around);
    right = await tryAll(answers, trials, around);
  }
  const text = configText(answers);
  if (answers.password !== null)
    await place(join(dirname(output), PASSWORD_FILE), `${answers.password}\n`, force);
  await place(output, text, force);
  around.out(nextSteps(output, answers));
  return right ? EXIT.ok : EXIT.findings;
}

/** The very commands that come next, as they have to be typed here. */
function nextSteps(output: string, { source }: Answers): string {
  const named = output === LOCAL_CONFIG ? '' : ` --config ${shellWord(output)}`;
  const feed = source === 'stdin' ? 'journalctl -f | ' : '';
  return `${output} is written. Next:

  lineheron-agent doctor${named}
      looks whether everything works
  ${feed}lineheron-agent run${named}
      watches and reports; Ctrl-C ends it

What it finds is shown by the collector: http://127.0.0.1:8001/app/ when "lineheron-collector run" runs on this machine.
`;
}

export const init: Command = {
  name: 'init',
  description: 'Ask what must be known, try each answer, and write a configuration',
  args: {
    output: { type: 'string', valueHint: 'file', description: `What to write; ${LOCAL_CONFIG}` },
    yes: { type: 'boolean', description: 'Ask nothing: take the options and what is usual' },
    force: { type: 'boolean', description: 'Write over a file that is there' },
    'skip-checks': {
      type: 'boolean',
      description: 'With --yes: try neither broker, source, format nor folder',
    },
    ...answerArgs,
  },
  help: `Asks on a terminal; in a script, or with --yes, it takes the options and asks nothing. The format of log files is found
out by their first lines: every shipped format is tried, and what the best understands is shown. The file is for its owner
alone; a password that is typed goes into ${PASSWORD_FILE} beside it. Without --force nothing is written over. With --yes it
ends with 2 when the file is written but something is still to be mended.

EXAMPLES

  lineheron-agent init
  lineheron-agent init --yes --agent-id gw-7 --mqtt-url mqtts://broker.example.org --path /var/log/line.log
  lineheron-agent init --yes --listen 0.0.0.0:5514
  lineheron-agent init --yes --target modem=icmp:192.0.2.1 --target web=https://example.org/`,
  perform,
};
