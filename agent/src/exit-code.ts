/** How the agent ends, and what each number means. */
import { EXIT, type ExitCode } from '@lineheron/models/command-line';

export { EXIT, type ExitCode };

/** What each number means, for --help and the README. */
export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.ok, 'ended as asked'],
  [EXIT.failed, 'failed; the message says why'],
  [EXIT.findings, 'doctor found something to mend; replay --fail-on-alert found an alert'],
  [EXIT.usage, 'wrong command line'],
  [EXIT.data, 'an input holds nothing that can be used, or its lines do not say when they happened'],
  [EXIT.noInput, 'an input file is missing or unreadable'],
  [EXIT.unavailable, 'the broker could not be reached'],
  [EXIT.cannotCreate, 'an output could not be written, or is there already'],
  [EXIT.busy, 'another agent holds the data folder; try again later'],
  [EXIT.noPermission, 'not allowed to do that'],
  [EXIT.config, 'wrong configuration'],
  [130, 'ended at once by a second signal'],
];

/** An end that has its own code. The message is for people. */
export class ExitError extends Error {
  constructor(
    readonly code: ExitCode,
    message: string,
  ) {
    super(message);
  }
}
