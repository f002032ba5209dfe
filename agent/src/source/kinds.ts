/** Every kind of source there is, one line each. */
import { generate } from './generate.js';
import { host } from './host.js';
import { tail } from './tail.js';

export const SOURCE_KINDS = { tail, host, generate } as const;
