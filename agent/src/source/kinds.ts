/** Every kind of source there is, one line each. */
import { generate } from './generate.js';
import { host } from './host.js';
import { probe } from './probe.js';
import { stdin } from './stdin.js';
import { syslog } from './syslog.js';
import { tail } from './tail.js';

export const SOURCE_KINDS = { tail, stdin, syslog, probe, host, generate } as const;
