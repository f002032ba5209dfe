/** What every command is: its arguments, its help, and what it does. One command a file. */
import type { Readable } from 'node:stream';
import type { Argument, CommandSpec, Given } from '@lineheron/models/command-line';
import type { ExitCode } from '../exit-code.js';

export type { Argument, Given };

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

export interface Command extends CommandSpec {
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
