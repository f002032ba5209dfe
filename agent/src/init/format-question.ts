/** How lines are written: what each format makes of a sample, which to take, and whose lines they are. */
import type { FormatConfig } from '../config-format.js';
import type { Proposals } from '../proposal/propose.js';
import type { Attempt } from '../proposal/try-format.js';
import { describeYourself, detailText, exampleText, formatText, shareText } from '../proposal/words.js';
import { mainRefusal, refusalReason, refusalWords } from '../refusal-reasons.js';
import { type Answers, withDevice, wrong } from './answers.js';
import type { Asker } from './asker.js';

const MAX_SHOWN = 4;
const MAX_LINE = 120;

/** A few lines on what one format understands. */
export function attemptText(attempt: Attempt): string {
  const { example, refused, refusedLine } = attempt;
  const code = mainRefusal(refused);
  return [
    `${shareText(attempt)} (${detailText(attempt)})`,
    ...(example ? [`    such as: ${exampleText(example)}`] : []),
    ...(code ? [`    refused: ${refusalWords(refused)}`] : []),
    ...(code && refusedLine ? [`    such as: ${refusedLine.slice(0, MAX_LINE)}`] : []),
    ...(code ? [`    → ${refusalReason(code).remedy}`] : []),
  ].join('\n');
}

/** Whether the name of the gateway has to stand in for one in the lines. Canonical lines cannot be given one. */
const isNameless = ({ named, format }: Attempt) => named === 0 && format !== 'canonical';

/** What is taken without asking: the best format, with the gateway as the device of lines that name none. */
export function usualFormat({ best }: Proposals, agentId: string): FormatConfig | null {
  if (!best) return null;
  if (isNameless(best)) return withDevice(best.format, agentId);
  return best.format === 'canonical' ? null : best.format;
}

/** Asks. Null stands for the source's own format. */
export async function askFormat(
  asker: Asker,
  answers: Answers,
  found: Proposals,
): Promise<FormatConfig | null> {
  if (found.attempts.length === 0) {
    asker.say(
      found.lines === 0
        ? describeYourself(found)
        : `no format understands these lines: ${describeYourself(found)}`,
    );
    return null;
  }
  const shown = found.attempts.slice(0, MAX_SHOWN);
  asker.say(shown.map(attemptText).join('\n'));
  const options = shown.map((one, index) => ({
    value: String(index),
    label: `${shareText(one)}${one === found.best ? ' (proposed)' : ''}`,
  }));
  const other = { value: 'own', label: 'another one: the file is to be completed by hand' };
  const chosen = shown[Number(await asker.choose('How are the lines written?', [...options, other], '0'))];
  if (!chosen) return null;
  if (isNameless(chosen)) return nameless(asker, answers, chosen);
  return chosen.format === 'canonical' ? null : chosen.format;
}

async function nameless(asker: Asker, answers: Answers, { format }: Attempt): Promise<FormatConfig> {
  const check = (device: string) => wrong(answers, { format: withDevice(format, device) });
  const question = `These lines (${formatText(format)}) name no device: whose are they?`;
  return withDevice(format, await asker.text(question, answers.agentId, check));
}
