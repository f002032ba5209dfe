/**
 * How the lines of a replay are written: as `--line-format` or the configuration says; else canonical where that
 * understands them, else the one shipped format that without doubt does, said aloud. Where there is doubt nobody
 * guesses: a verdict on lines that were half understood is worse than none.
 */
import type { Engine } from '@lineheron/native';
import { type FormatConfig, formatDefinition, machineZone } from '../config-format.js';
import { EXIT, ExitError } from '../exit-code.js';
import { messageOf } from '../log.js';
import { type Proposals, propose } from '../proposal/propose.js';
import { remedyFor } from '../proposal/remedy.js';
import type { Attempt, Surroundings } from '../proposal/try-format.js';
import { describeYourself, detailText, formatText, shareText, shellWord } from '../proposal/words.js';
import { mainRefusal, refusalReason, refusalWords } from '../refusal-reasons.js';
import { UsageError } from '../usage-error.js';
import { blocks, type InputFile } from './input.js';

const MAX_SHOWN = 3;

/** The engine's number of a format. Throws UsageError when the engine does not take it. */
export function addLineFormat(engine: Engine, format: FormatConfig): number {
  if (format === 'canonical') return 0;
  try {
    return engine.addFormat(formatDefinition(format, machineZone()));
  } catch (error) {
    throw new UsageError(`replay: --line-format: ${messageOf(error)}`);
  }
}

/** The front of the first file that is not empty, tried by every format. */
export async function tryFormats(
  files: readonly InputFile[],
  channels: Surroundings['channels'],
): Promise<Proposals> {
  for (const file of files) {
    for await (const block of blocks(file)) return propose(block, around(file.writtenMs, channels));
  }
  return propose(new Uint8Array(), around(0, channels));
}

const around = (nowMs: number, channels: Surroundings['channels']): Surroundings => ({
  nowMs,
  zone: machineZone(),
  ...(channels ? { channels } : {}),
});

const option = ({ format }: Attempt) => `--line-format ${shellWord(formatText(format))}`;

/** The format of lines about which nothing was said. `note` is for people. Throws ExitError where there is doubt. */
export function guessLineFormat(found: Proposals, note: (text: string) => void): FormatConfig {
  const canonical = found.attempts.find(({ format }) => format === 'canonical');
  const isOurs = canonical && 2 * canonical.understood >= canonical.lines;
  if (found.lines === 0 || isOurs) return 'canonical';
  if (found.best && found.sure) {
    note(
      `the lines are no canonical JSON; ${shareText(found.best)} (${detailText(found.best)}): read as ${option(found.best)}\n`,
    );
    return found.best.format;
  }
  throw new ExitError(EXIT.data, noFormat(found));
}

function noFormat(found: Proposals): string {
  const shown = found.attempts.slice(0, MAX_SHOWN);
  if (shown.length === 0) return `no format understands these lines: ${describeYourself(found)}`;
  const tries = shown.map((one) => `  ${shareText(one)}: ${option(one)}${refusedPart(one)}`);
  return ['no format understands nearly all of these lines; say which to take:', ...tries].join('\n');
}

const refusedPart = ({ refused }: Attempt) => {
  const words = refusalWords(refused);
  return words === '' ? '' : ` (${words})`;
};

/** What to do about lines that are refused: another format, or a key of this one. */
export function lineRemedy(
  refused: Readonly<Record<string, number>>,
  found: Proposals,
  format: FormatConfig,
): string {
  const code = mainRefusal(refused);
  if (code === null) return describeYourself(found);
  const { best } = found;
  if (best && formatText(best.format) !== formatText(format) && code !== 'missing_device')
    return `${shareText(best)}: ${option(best)}`;
  return refusalReason(code).otherFormat ? remedyFor(code, found, format).here : refusalReason(code).remedy;
}
