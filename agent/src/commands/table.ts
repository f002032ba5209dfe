/** The commands by name. Each is loaded only when it is asked for: the daemon carries no prompts and no charts. */
import type { Command } from './command.js';

export interface Entry {
  description: string;
  load: () => Promise<Command>;
}

export const COMMANDS: Readonly<Record<string, Entry>> = {
  run: {
    description: 'Run the agent until it is told to end',
    load: async () => (await import('./run.js')).run,
  },
  init: {
    description: 'Ask what must be known, try each answer, and write a configuration',
    load: async () => (await import('./init.js')).init,
  },
  replay: {
    description: 'Tell what would have alerted in log files',
    load: async () => (await import('./replay.js')).replay,
  },
  evaluate: {
    description: 'Tell how well each detector finds what is labelled in files',
    load: async () => (await import('./evaluate.js')).evaluate,
  },
  doctor: {
    description: 'Check configuration, broker, clock, disk and sources, and say what to do',
    load: async () => (await import('./doctor.js')).doctor,
  },
  tap: {
    description: 'Show lines, windows and scores as they come',
    load: async () => (await import('./tap.js')).tap,
  },
  top: {
    description: 'Show the devices by score, drawn again every second',
    load: async () => (await import('./top.js')).top,
  },
  config: {
    description: 'Check the configuration, or print its JSON Schema',
    load: async () => (await import('./config.js')).config,
  },
};
