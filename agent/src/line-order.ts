/**
 * Puts lines in the order of their times: pages of modems and routers show the newest first, and some no order at all.
 * A line without a time stays behind the line that it follows; one of a clock that was not set goes with the older
 * line beside it, as it does in a log that is read as it grew.
 */

const LINE_FEED = 10;

interface Group {
  /** Null: of a clock that was not set. */
  timeMs: number | null;
  lines: Buffer[];
}

/**
 * `times` is of each line: epoch ms, NaN for one without, -1 for a clock that was not set. Lines before the first one
 * with a time, such as a header, stay in front.
 */
export function inOrder(bytes: Buffer, times: ArrayLike<number>, newestFirst: boolean): Buffer {
  const head: Buffer[] = [];
  const groups: Group[] = [];
  let start = 0;
  for (let index = 0; start < bytes.length; index++) {
    const end = bytes.indexOf(LINE_FEED, start) + 1 || bytes.length;
    const line = bytes.subarray(start, end);
    const time = times[index] ?? Number.NaN;
    const last = groups.at(-1);
    if (!Number.isNaN(time)) groups.push({ timeMs: time < 0 ? null : time, lines: [line] });
    else (last?.lines ?? head).push(line);
    start = end;
  }
  if (newestFirst) groups.reverse();
  let before = Number.NEGATIVE_INFINITY;
  const placed = groups.map(({ timeMs, lines }) => {
    before = timeMs ?? before;
    return { at: before, lines };
  });
  placed.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return Buffer.concat([...head, ...placed.flatMap(({ lines }) => lines)].map(ended));
}

/** The last line of a file may have no end of its own. */
function ended(line: Buffer): Buffer {
  return line[line.length - 1] === LINE_FEED ? line : Buffer.concat([line, Buffer.of(LINE_FEED)]);
}
