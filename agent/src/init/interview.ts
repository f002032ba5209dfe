/** Asks for every setting in turn and tries each answer at once, until it is right or the person keeps it anyway. */
import { type Finding, findingText } from '../doctor/finding.js';
import { type Answers, SOURCES, type SourceChoice, wrong } from './answers.js';
import type { Asker } from './asker.js';

/** Tries an answer for real. */
export interface Trials {
  broker(answers: Answers): Promise<Finding[]>;
  disk(answers: Answers): Promise<Finding[]>;
  source(answers: Answers): Promise<Finding[]>;
}

const LABELS: Readonly<Record<SourceChoice, string>> = {
  tail: 'log files (tail)',
  host: 'this machine’s own line, measured (host)',
  generate: 'simulated lines, to try it out (generate)',
};

const orNull = (text: string) => (text === '' ? null : text);

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
  const text = async (question: string, key: 'agentId' | 'mqttUrl' | 'dataDir') => {
    answers[key] = await asker.text(question, answers[key], (answer) => wrong(answers, { [key]: answer }));
  };
  await text('Name of this gateway, unique in the fleet', 'agentId');
  await until(
    asker,
    'Asking the broker',
    async () => {
      await text('The broker (mqtt://host:1883, mqtts://host:8883)', 'mqttUrl');
      const optional = () => undefined;
      answers.username = orNull(
        await asker.text('User name there (empty: none)', answers.username ?? '', optional),
      );
      if (answers.username === null) return;
      answers.password = orNull(await asker.secret('Password (kept in a file of its own)'));
      answers.passwordFile = null;
    },
    () => trials.broker(answers),
  );
  await until(
    asker,
    'Trying the source',
    async () => {
      const options = SOURCES.map((value) => ({ value, label: LABELS[value] }));
      answers.source = await asker.choose('What to read', options, answers.source);
      if (answers.source !== 'tail') return;
      const paths = (line: string) => line.split(/[\s,]+/).filter((path) => path !== '');
      const check = (line: string) => wrong(answers, { paths: paths(line) });
      answers.paths = paths(
        await asker.text('Which files (patterns allowed, blanks between)', answers.paths.join(' '), check),
      );
    },
    () => trials.source(answers),
  );
  await until(
    asker,
    'Trying the folder',
    () => text('Folder for spool, models and history', 'dataDir'),
    () => trials.disk(answers),
  );
  return answers;
}
