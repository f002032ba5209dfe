/** A configuration that cannot be used. The message is for people: one line a fault, each beginning with its key. */
export class ConfigError extends Error {}
