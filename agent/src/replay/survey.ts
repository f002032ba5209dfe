/**
 * What files show before they are replayed: which way their times go, whether their lines have any, in which order
 * their dates are, and which file comes first. A file that is newest first, or in no order, is read in the order of
 * its times, as far as it fits in memory.
 */
import type { Engine, Survey } from '@lineheron/native';
import { EXIT, ExitError } from '../exit-code.js';
import { inOrder } from '../line-order.js';
import { blocks, type InputFile } from './input.js';

/** Of a file that is put in order. */
const MAX_ORDERED_BYTES = 256 * 1024 * 1024;
/** A smaller share of records that say when they happened is none worth judging. */
const MIN_TIMED_SHARE = 0.1;

export type ReadingOrder = 'as_written' | 'turned_round' | 'sorted' | 'too_large_to_turn';

/** A file with what a survey found. */
export interface SurveyedFile {
  file: InputFile;
  /** When its lines had been received, epoch ms. */
  receivedMs: number;
  found: Pick<Survey, 'records' | 'timed' | 'dateOrder'>;
  /** Oldest and newest time; null when no line has one. */
  oldestMs: number | null;
  newestMs: number | null;
  order: ReadingOrder;
  blocks: () => AsyncIterable<Buffer>;
}

export interface SurveyOptions {
  engine: Engine;
  /** The engine's number of the lines' format. */
  format: number;
  device?: string | undefined;
  asOfMs: number | null;
}

async function looked(file: InputFile, { engine, format, device }: SurveyOptions, arrivalMs: number) {
  let found: Survey | null = null;
  let bytes = 0;
  for await (const block of blocks(file)) {
    found = engine.survey(block, arrivalMs, found === null, format, device);
    bytes += block.length;
  }
  return { found, bytes };
}

async function surveyed(file: InputFile, options: SurveyOptions): Promise<SurveyedFile> {
  const { engine, format, asOfMs } = options;
  const arrivalMs = asOfMs ?? file.writtenMs;
  let { found, bytes } = await looked(file, options, arrivalMs);
  if (found?.dateOrder && found.direction !== 'forward') {
    // Until it was shown, dates in another order seemed to go to and fro.
    engine.expect(arrivalMs, found.dateOrder, null, format);
    ({ found, bytes } = await looked(file, options, arrivalMs));
  }
  const { records = 0, timed = 0, direction = 'forward', dateOrder = null } = found ?? {};
  const newestMs = found?.newestMs ?? null;
  // A canonical line says its time whole: the file cannot have been written before.
  const receivedMs = asOfMs ?? Math.max(arrivalMs, format === 0 ? (newestMs ?? 0) : 0);
  const base = { file, receivedMs, found: { records, timed, dateOrder }, newestMs };
  const asWritten = { ...base, oldestMs: found?.firstMs ?? null, blocks: () => blocks(file) };
  if (direction === 'forward') return { ...asWritten, order: 'as_written' };
  if (bytes > MAX_ORDERED_BYTES) return { ...asWritten, order: 'too_large_to_turn' };
  const order = direction === 'newest_first' ? 'turned_round' : 'sorted';
  const { lines, oldestMs } = await orderedLines(file, options, arrivalMs, order);
  return { ...base, oldestMs, order, blocks: () => lines };
}

async function orderedLines(
  file: InputFile,
  { engine, format, device }: SurveyOptions,
  arrivalMs: number,
  order: ReadingOrder,
) {
  const all: Buffer[] = [];
  const times: number[] = [];
  for await (const block of blocks(file)) {
    for (const time of engine.survey(block, arrivalMs, all.length === 0, format, device).lineTimes)
      times.push(time);
    all.push(block);
  }
  const known = times.filter((time) => time >= 0);
  const oldestMs = known.reduce<number | null>((oldest, time) => Math.min(oldest ?? time, time), null);
  const text = inOrder(Buffer.concat(all), times, order === 'turned_round');
  async function* once() {
    yield text;
  }
  return { lines: { [Symbol.asyncIterator]: once }, oldestMs };
}

/** Newest first, too, may be the files: `messages messages.1`. */
function goBack(files: readonly SurveyedFile[]): boolean {
  return files.some(({ newestMs }, index) => {
    const before = files[index - 1]?.oldestMs ?? null;
    return newestMs !== null && before !== null && newestMs < before;
  });
}

export interface Surveyed {
  files: SurveyedFile[];
  /** They were named newest first. */
  filesReordered: boolean;
}

/** Looks at all files. Throws ExitError when their lines do not say when they happened. */
export async function survey(files: readonly InputFile[], options: SurveyOptions): Promise<Surveyed> {
  const all: SurveyedFile[] = [];
  for (const file of files) all.push(await surveyed(file, options));
  const sum = (key: 'records' | 'timed') => all.reduce((total, { found }) => total + found[key], 0);
  const [records, timed] = [sum('records'), sum('timed')];
  if (records > 0 && timed < MIN_TIMED_SHARE * records) throw withoutTimes(records, timed);
  const filesReordered = goBack(all) && all.every(({ oldestMs }) => oldestMs !== null);
  if (filesReordered) all.sort((a, b) => a.oldestMs! - b.oldestMs!);
  return { files: all, filesReordered };
}

function withoutTimes(records: number, timed: number): ExitError {
  const how = timed === 0 ? 'none' : `only ${timed}`;
  return new ExitError(
    EXIT.data,
    `${how} of ${records} records says when it happened: all would fall into one moment, so nothing is judged\n` +
      '  → write the time with each line (ping -D, or: command | ts), or a date line every minute; or name the ' +
      'field that holds it in --line-format',
  );
}
