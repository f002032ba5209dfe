/**
 * Looks up one name again and again. A name server that is silent or away says nothing about the target, so the
 * addresses known last are used then; where none were ever known, the target cannot be measured. At most one look-up
 * runs at a time, however long it hangs: the system has few threads for them.
 */
import { type LookupAddress, promises } from 'node:dns';
import { isIP } from 'node:net';
import { type Reply, unmeasured } from '../reply.js';

export type SystemLookup = (host: string) => Promise<LookupAddress[]>;

/** The part of the time-out that is waited for a name server when an older answer is at hand. */
const SHARE_WITH_FALLBACK = 0.25;
/** Answers that the name exists nowhere, as opposed to no answer. */
const UNKNOWN = new Set(['ENOTFOUND', 'ENODATA', 'EAI_NONAME', 'EAI_NODATA', 'EAI_FAIL']);

const systemLookup: SystemLookup = (host) => promises.lookup(host, { all: true });

export interface Addresses {
  list: LookupAddress[];
  /** Not looked up just now, but known from earlier. */
  old: boolean;
}

export class NameLookup {
  private last: LookupAddress[] | null = null;
  private why = 'no_name_server';
  private pending: Promise<LookupAddress[] | null> | null = null;

  /** `host` is a name or an address. */
  constructor(
    private readonly host: string,
    private readonly lookup: SystemLookup = systemLookup,
  ) {
    const family = isIP(host);
    if (family !== 0) this.last = [{ address: host, family }];
  }

  /** Never rejects. */
  async addresses(timeoutMs: number): Promise<Addresses | Reply> {
    if (isIP(this.host) !== 0) return { list: this.last!, old: false };
    const waitMs = this.last ? timeoutMs * SHARE_WITH_FALLBACK : timeoutMs;
    const found = await within(this.ask(), waitMs);
    if (found) return { list: found, old: false };
    return this.last ? { list: this.last, old: true } : unmeasured(this.why);
  }

  private ask(): Promise<LookupAddress[] | null> {
    this.pending ??= this.askOnce().finally(() => {
      this.pending = null;
    });
    return this.pending;
  }

  private async askOnce(): Promise<LookupAddress[] | null> {
    this.why = 'no_name_server';
    try {
      const found = await this.lookup(this.host);
      if (found.length === 0) return null;
      this.last = found;
      return found;
    } catch (error) {
      if (UNKNOWN.has((error as NodeJS.ErrnoException).code ?? '')) this.why = 'unknown_host';
      return null;
    }
  }
}

/** What is awaited, or null after `ms`. */
async function within<T>(awaited: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  return Promise.race([awaited, late]).finally(() => clearTimeout(timer));
}
