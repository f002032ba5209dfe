/** Arguments that cannot be followed. */
export { UsageError } from '@lineheron/models/command-line';
