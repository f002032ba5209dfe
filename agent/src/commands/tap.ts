/** `tap`: lines and scored windows as they come. */
import { EXIT, type ExitCode } from '../exit-code.js';
import { watchKeys } from '../watch/keys.js';
import { ending, feedOf, numberOf, wanted, watchArgs } from '../watch/options.js';
import { harmless, windowLine } from '../watch/show.js';
import type { Command, Given, Surroundings } from './command.js';

/** Kept while paused; older ones go, counted. */
const MAX_HELD = 1_000;

/** Writes, or holds back while paused. */
export class Screen {
  private held: string[] = [];
  private dropped = 0;
  paused = false;

  constructor(private readonly out: (text: string) => void) {}

  show(text: string): void {
    if (!this.paused) {
      this.out(`${text}\n`);
      return;
    }
    this.held.push(text);
    if (this.held.length <= MAX_HELD) return;
    this.held.shift();
    this.dropped += 1;
  }

  pause(paused: boolean): void {
    this.paused = paused;
    if (paused) {
      this.out('-- paused; Space goes on, q ends --\n');
      return;
    }
    if (this.dropped > 0) this.out(`-- ${this.dropped} lines of the pause are left out --\n`);
    for (const text of this.held) this.out(`${text}\n`);
    this.held = [];
    this.dropped = 0;
  }
}

async function perform(given: Given, around: Surroundings): Promise<ExitCode> {
  const isWanted = wanted(given);
  const most = numberOf(given, 'count', 1, Number.MAX_SAFE_INTEGER) ?? Number.POSITIVE_INFINITY;
  const feed = await feedOf(given, around);
  const abort = ending(given);
  const screen = new Screen((text) => around.out(text));
  const keys = watchKeys(
    around.stdin,
    (paused) => screen.pause(paused),
    () => abort.abort(),
  );
  const json = given.flag('json');
  const lines = !given.flag('no-lines') && given.texts('device').length === 0 && !given.text('min-score');
  let shown = 0;
  try {
    await feed(
      {
        line: (text) => {
          if (lines && shown < most) screen.show(json ? JSON.stringify({ line: text }) : harmless(text));
        },
        window: (window) => {
          if (shown >= most || !isWanted(window)) return;
          screen.show(json ? JSON.stringify({ window }) : windowLine(window));
          shown += 1;
          if (shown >= most) abort.abort();
        },
        note: (text) => around.note(`lineheron-agent: ${text}\n`),
      },
      abort.signal,
    );
  } finally {
    keys.stop();
  }
  return EXIT.ok;
}

export const tap: Command = {
  name: 'tap',
  description: 'Show lines, windows and scores as they come',
  args: {
    ...watchArgs,
    'no-lines': { type: 'boolean', description: 'Windows only; also when filtered by device or score' },
    json: { type: 'boolean', description: 'One JSON object a line' },
    count: { type: 'string', valueHint: 'number', description: 'End after so many windows' },
  },
  help: `Reads the configured sources itself, from now on, and scores with the forests in the data folder: it publishes and keeps
nothing, and needs neither a running agent nor a broker. A listener's port is taken while the agent runs: use --mqtt, which
shows what the agent publishes (windows, and records as publish_records allows). On a terminal Space pauses and q ends.`,
  perform,
};
