/** Arguments that cannot be followed. The message is for people. */
export class UsageError extends Error {}
