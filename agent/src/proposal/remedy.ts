/** What to do when most lines of a source are refused, by their reason and by what other formats make of them. Pure. */
import type { FormatConfig } from '../config-format.js';
import { refusalReason } from '../refusal-reasons.js';
import type { Proposals } from './propose.js';
import { describeYourself, formatText, shareText } from './words.js';

export interface Remedy {
  /** For people at this machine. */
  here: string;
  /** The same without any text of the lines, which may not leave. */
  anywhere: string;
}

const LOOK = 'run "lineheron-agent doctor" on the gateway: it proposes a format for these lines';

const same = (a: FormatConfig, b: FormatConfig) => formatText(a) === formatText(b);

/** `code` is the most common refusal by the format in use. */
export function remedyFor(code: string, found: Proposals, current: FormatConfig): Remedy {
  const { remedy, otherFormat } = refusalReason(code);
  const { best } = found;
  if (best && !same(best.format, current) && code !== 'missing_device') {
    const here = `${shareText(best)}: set "format: ${formatText(best.format)}"`;
    return { here, anywhere: typeof best.format === 'string' ? here : LOOK };
  }
  if (!otherFormat) return { here: remedy, anywhere: remedy };
  return { here: describeYourself(found), anywhere: LOOK };
}
