/** What every command is: its arguments for citty, its help, and what it does. One command a file. */
import type { Readable } from 'node:stream';
import type { ArgDef } from 'citty';
import type { ExitCode } from '../exit-code.js';

/** An option or positional; `multiple` ones may be given again. */
export type Argument = ArgDef & { multiple?: boolean };

/** What was given: text, true for a switch, a list for `multiple`. Positionals are under `_`. */
export interface Given {
  readonly _: readonly string[];
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  flag(name: string): boolean;
}

/** The edge of the process, so that tests choose it. */
export interface Surroundings {
  version: string;
  environment: NodeJS.ProcessEnv;
  stdin: Readable & { isTTY?: boolean };
  out(text: string): void;
  /** Notes for people, on standard error. */
  note(text: string): void;
  isTerminal: boolean;
}

export interface Command {
  name: string;
  description: string;
  args: Readonly<Record<string, Argument>>;
  /** Further help below the options: behaviour, limits, examples. */
  help?: string;
  /** The fewest and the most words beside the options; none when absent. */
  words?: { min: number; max: number };
  /** Resolves to the exit code; throws ExitError, ConfigError or UsageError. */
  perform(given: Given, around: Surroundings): Promise<ExitCode>;
}

/** The options of every command that reads the configuration. */
export const configArgs = {
  config: {
    type: 'string',
    valueHint: 'file',
    description:
      'Configuration file (YAML); else $LINEHERON_CONFIG, ./lineheron-agent.yaml or /etc/lineheron/agent.yaml',
  },
  set: {
    type: 'string',
    valueHint: 'key=value',
    description:
      'Sets one key over file and environment, such as mqtt.url=mqtt://host:1883; may be given again',
    multiple: true,
  },
} as const satisfies Record<string, Argument>;
