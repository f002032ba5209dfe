/** Whether the configured sources can be read, and whether a sample of their lines is understood. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import type { Config } from '../config.js';
import { type FormatConfig, machineZone } from '../config-format.js';
import { type SourceConfig, sourceName } from '../config-source.js';
import { messageOf } from '../log.js';
import { type Proposals, propose } from '../proposal/propose.js';
import { remedyFor } from '../proposal/remedy.js';
import { shareText } from '../proposal/words.js';
import { mainRefusal, refusalReason, refusalWords, valueCode } from '../refusal-reasons.js';
import { deviceOfNameless } from '../source/feeds.js';
import { isPattern } from '../source/glob.js';
import { bad, type Finding, good, note } from './finding.js';
import { type Sample, takeSample } from './sample.js';

/** A named file; one that is not there yet is waited for by the agent. */
async function checkPath(path: string): Promise<Finding | null> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory())
      return bad(`${path} is a folder`, `name the files in it, such as ${path.replace(/\/$/, '')}/*.log`);
    if (!stats.isFile()) return bad(`${path} is no regular file`, 'tail reads regular files only');
    await access(path, constants.R_OK);
    return stats.size === 0 ? note(`${path} is empty: the agent waits for its first line`) : null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return note(`${path} is not there (yet): the agent waits for it`);
    const advice =
      'let this user read it, for example by the group adm, or by an ACL: setfacl -m u:lineheron:r';
    return bad(`${path} cannot be read: ${messageOf(error)}`, advice);
  }
}

const formatOf = (source: SourceConfig): FormatConfig => ('format' in source && source.format) || 'canonical';

/** What the engine made of the sample, and which format would make more of it. */
function judged(config: Config, source: SourceConfig, { engine, lines, said, waitedMs }: Sample): Finding[] {
  const name = `source ${sourceName(source)}`;
  if (!lines) {
    if (said[0] !== undefined) return [bad(`${name}: ${said[0]}`, 'mend what it says')];
    return [note(`${name}: no line within ${waitedMs / 1000} s to try`)];
  }
  const counts = engine.counters();
  const refused = counts.tooLong > 0 ? { ...counts.refused, too_long: counts.tooLong } : counts.refused;
  const understood = counts.lines - Object.values(refused).reduce((sum, count) => sum + count, 0);
  const found = proposals(config, lines.bytes);
  const code = mainRefusal(refused);
  const share = `${understood} of ${counts.lines} lines of a sample are understood`;
  if (code !== null && understood <= counts.lines / 2) {
    const what = understood === 0 ? `none of ${counts.lines} lines is understood` : `only ${share}`;
    return [bad(`${name}: ${what}: ${refusalWords(refused)}`, remedyFor(code, found, formatOf(source)).here)];
  }
  if (counts.ahead > understood / 2) {
    const what = `${name}: ${counts.ahead} of ${understood} lines are more than 5 minutes ahead of this clock`;
    return [bad(what, 'set the clock of this machine, or of the sender')];
  }
  return [
    good(`${name}: ${share}`),
    ...(code === null ? [] : [note(`${name}: ${refusalWords(refused)}`)]),
    ...leftOut(name, counts.refusedValues),
    ...betterFormat(name, formatOf(source), found),
    ...nameless(config, source, found),
  ];
}

/** Values that could not be read, in lines that count. */
function leftOut(name: string, values: Readonly<Record<string, number>>): Finding[] {
  const code = mainRefusal(values);
  if (code === null) return [];
  const lines = Object.values(values).reduce((sum, count) => sum + count, 0);
  const { reason, remedy } = refusalReason(valueCode(code));
  return [note(`${name}: of ${lines} lines ${reason}`, remedy)];
}

function proposals(config: Config, bytes: Uint8Array): Proposals {
  return propose(bytes, { nowMs: Date.now(), zone: machineZone(), channels: config.channels });
}

/** `events` takes any text; a format that also reads its times and hosts is the right one. */
function betterFormat(name: string, format: FormatConfig, { best }: Proposals): Finding[] {
  const isBetter = best && format === 'events' && best.format !== 'events' && best.timed > best.records / 2;
  return isBetter
    ? [
        note(
          `${name}: by "events" its lines have no times of their own`,
          `${shareText(best)}, with their times`,
        ),
      ]
    : [];
}

/** Whose lines they are that name nobody. */
function nameless(config: Config, source: SourceConfig, { attempts }: Proposals): Finding[] {
  const device = source.type === 'syslog' ? undefined : deviceOfNameless(source, config.agent_id);
  const format = formatOf(source);
  const own = attempts.find((one) => one.format === (typeof format === 'string' ? format : format.type));
  const isFixed = typeof format === 'object' && 'device_id' in format && format.device_id !== undefined;
  if (device === undefined || isFixed || !own || own.named > 0) return [];
  return [
    note(
      `source ${sourceName(source)}: its lines name no device: they are taken as those of ${device}`,
      'another name: device_id in the format',
    ),
  ];
}

/** Never rejects. */
export async function checkSource(config: Config, source: SourceConfig): Promise<Finding[]> {
  const name = sourceName(source);
  const found: Finding[] = [];
  if (source.type === 'tail') {
    for (const path of source.paths.filter((one) => !isPattern(one))) {
      const finding = await checkPath(path);
      if (finding) found.push(finding);
    }
    if (found.length === source.paths.length) return found;
  }
  if (source.type === 'stdin') return [note('source stdin is not read here')];
  try {
    found.push(...judged(config, source, await takeSample(config, source)));
  } catch (error) {
    found.push(bad(`source ${name}: ${messageOf(error)}`, 'mend what it says'));
  }
  return found;
}
