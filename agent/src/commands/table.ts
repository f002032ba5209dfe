/** The commands by name. Each is loaded only when it is asked for: the daemon carries no prompts and no charts. */
import type { Command } from './command.js';

export interface Entry {
  description: string;
  load: () => Promise<Command>;
}

const entry = (description: string, load: () => Promise<Command>): Entry => ({ description, load });

export const COMMANDS: Readonly<Record<string, Entry>> = {
  run: entry('Run the agent until it is told to end', async () => (await import('./run.js')).run),
  init: entry(
    'Ask what must be known, try each answer, and write a configuration',
    async () => (await import('./init.js')).init,
  ),
  replay: entry(
    'Tell what would have alerted in log files',
    async () => (await import('./replay.js')).replay,
  ),
  evaluate: entry(
    'Tell how well each detector finds what is labelled in files',
    async () => (await import('./evaluate.js')).evaluate,
  ),
  doctor: entry(
    'Check configuration, broker, clock, disk and sources, and say what to do',
    async () => (await import('./doctor.js')).doctor,
  ),
  tap: entry('Show lines, windows and scores as they come', async () => (await import('./tap.js')).tap),
  top: entry(
    'Show the devices by score, drawn again every second',
    async () => (await import('./top.js')).top,
  ),
  config: entry(
    'Check the configuration, or print its JSON Schema',
    async () => (await import('./config.js')).config,
  ),
};
