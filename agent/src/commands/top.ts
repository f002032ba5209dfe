/** `top`: devices by score, drawn again every second. */
import type { ScoredWindow } from '@lineheron/models';
import { EXIT, type ExitCode } from '../exit-code.js';
import { watchKeys } from '../watch/keys.js';
import { ending, feedOf, numberOf, wanted, watchArgs } from '../watch/options.js';
import { type Row, table } from '../watch/show.js';
import type { Command, Given, Surroundings } from './command.js';

/** The one heard of longest ago makes room. */
const MAX_DEVICES = 10_000;
const HOME_AND_CLEAR = '\u001b[H\u001b[J';

class Devices {
  private readonly rows = new Map<string, Row>();

  see(window: ScoredWindow): void {
    const before = this.rows.get(window.device);
    const peak = window.score === null ? (before?.peak ?? null) : Math.max(before?.peak ?? 0, window.score);
    const suspects = (before?.suspects ?? 0) + (window.suspect ? 1 : 0);
    this.rows.delete(window.device);
    this.rows.set(window.device, { window, peak, suspects });
    if (this.rows.size <= MAX_DEVICES) return;
    const [oldest] = this.rows.keys();
    if (oldest !== undefined) this.rows.delete(oldest);
  }

  text(height: number): string {
    return table(this.rows.values(), height);
  }
}

async function perform(given: Given, around: Surroundings): Promise<ExitCode> {
  const isWanted = wanted(given);
  const everyMs = (numberOf(given, 'interval', 0.1, 3600) ?? 1) * 1000;
  const rows = numberOf(given, 'rows', 1, MAX_DEVICES);
  const feed = await feedOf(given, around);
  const abort = ending(given);
  const devices = new Devices();
  let note = '';
  const keys = watchKeys(
    around.stdin,
    () => {},
    () => abort.abort(),
  );
  const draw = () => {
    if (keys.paused) return;
    const room = rows ?? (around.isTerminal ? (process.stdout.rows ?? 24) - 4 : MAX_DEVICES);
    const text = devices.text(room);
    around.out(around.isTerminal ? `${HOME_AND_CLEAR}${text}\n${note}\n` : `${text}\n\n`);
  };
  const timer = setInterval(draw, everyMs);
  try {
    await feed(
      {
        line: () => {},
        window: (window) => isWanted(window) && devices.see(window),
        note: (text) => {
          note = text;
          if (!around.isTerminal) around.note(`lineheron-agent: ${text}\n`);
        },
      },
      abort.signal,
    );
    draw();
  } finally {
    clearInterval(timer);
    keys.stop();
  }
  return EXIT.ok;
}

export const top: Command = {
  name: 'top',
  description: 'Show the devices by score, drawn again every second',
  args: {
    ...watchArgs,
    interval: { type: 'string', valueHint: 'seconds', description: 'Between two drawings; 1' },
    rows: {
      type: 'string',
      valueHint: 'number',
      description: 'Most devices shown; as many as the terminal has room for',
    },
  },
  help: `Score is of the newest window, peak the highest since top began, susp. the number of suspect windows. Reads the same as
tap does: the sources themselves, or with --mqtt what the running agent publishes. Without a terminal it prints a table an
interval. On a terminal Space pauses and q ends.`,
  perform,
};
