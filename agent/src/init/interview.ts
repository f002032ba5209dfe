/** Asks for every setting in turn and tries each answer at once, until it is right or the person keeps it anyway. */
import { type Finding, findingText } from '../doctor/finding.js';
import type { Proposals } from '../proposal/propose.js';
import { type Answers, SOURCES, type SourceChoice, wrong } from './answers.js';
import type { Asker } from './asker.js';
import { askFormat } from './format-question.js';

/** Tries an answer for real. */
export interface Trials {
  broker(answers: Answers): Promise<Finding[]>;
  disk(answers: Answers): Promise<Finding[]>;
  source(answers: Answers): Promise<Finding[]>;
  /** What every format makes of the lines that are there; null for a source without lines to look at. */
  formats(answers: Answers): Promise<Proposals | null>;
}

const LABELS: Readonly<Record<SourceChoice, string>> = {
  tail: 'log files (tail)',
  syslog: 'messages that other devices send here (syslog)',
  probe: 'round trips to targets that I name (probe)',
  host: 'this machine’s own line, measured (host)',
  stdin: 'what another program prints: journalctl -f | lineheron-agent run (stdin)',
  generate: 'simulated lines, to try it out (generate)',
};

const orNull = (text: string) => (text === '' ? null : text);
const words = (line: string) => line.split(/[\s,]+/).filter((word) => word !== '');

/** Asks, tries, and asks again while something is bad and the person wants to mend it. */
async function until(
  asker: Asker,
  what: string,
  ask: () => Promise<void>,
  attempt: () => Promise<Finding[]>,
): Promise<void> {
  for (;;) {
    await ask();
    const found = await asker.busy(what, attempt());
    asker.say(found.map(findingText).join('').trimEnd());
    if (!found.some(({ level }) => level === 'bad')) return;
    if (!(await asker.confirm('Answer again?', true))) return;
  }
}

/** All answers, beginning with `given`. Throws Cancelled. */
export async function interview(asker: Asker, given: Answers, trials: Trials): Promise<Answers> {
  const answers = { ...given };
  const text = async (question: string, key: 'agentId' | 'mqttUrl' | 'dataDir' | 'listen') => {
    answers[key] = await asker.text(question, answers[key], (answer) => wrong(answers, { [key]: answer }));
  };
  const list = async (question: string, key: 'paths' | 'targets') => {
    const check = (line: string) => wrong(answers, { [key]: words(line) });
    answers[key] = words(await asker.text(question, answers[key].join(' '), check));
  };
  const askBroker = async () => {
    await text('The broker (mqtt://host:1883, mqtts://host:8883)', 'mqttUrl');
    const optional = () => undefined;
    answers.username = orNull(
      await asker.text('User name there (empty: none)', answers.username ?? '', optional),
    );
    if (answers.username === null) return;
    answers.password = orNull(await asker.secret('Password (kept in a file of its own)'));
    answers.passwordFile = null;
  };
  const askSource = async () => {
    const options = SOURCES.map((value) => ({ value, label: LABELS[value] }));
    answers.source = await asker.choose('What to read', options, answers.source);
    answers.format = given.format;
    if (answers.source === 'tail') await list('Which files (patterns allowed, blanks between)', 'paths');
    if (answers.source === 'syslog') {
      await text('Listen where, UDP and TCP (0.0.0.0:5514: every interface)', 'listen');
    }
    if (answers.source === 'probe') {
      await list('Which targets (modem=icmp:192.0.2.1 web=https://example.org/ gw=192.0.2.1:443)', 'targets');
    }
    if (answers.source !== 'tail') return;
    const found = given.format ? null : await asker.busy('Reading the first lines', trials.formats(answers));
    if (found) answers.format = await askFormat(asker, answers, found);
    const isWhole = await asker.confirm(
      'Begin with the lines that are there already?',
      answers.from === 'start',
    );
    answers.from = isWhole ? 'start' : 'end';
  };
  await text('Name of this gateway, unique in the fleet', 'agentId');
  await until(asker, 'Asking the broker', askBroker, () => trials.broker(answers));
  await until(asker, 'Trying the source', askSource, () => trials.source(answers));
  await until(
    asker,
    'Trying the folder',
    () => text('Folder for spool, models and history', 'dataDir'),
    () => trials.disk(answers),
  );
  return answers;
}
