/** Says, once each time it begins, that something cannot be measured, why, and what to do about it; and when it can. */
import { CANNOT_MEASURE } from '@lineheron/models';
import type { Counters } from '../counters.js';
import type { Log } from '../log.js';
import type { Reply } from '../reply.js';

interface Cause {
  text: string;
  advice: string;
}

const CAUSES: Readonly<Record<string, Cause>> = {
  no_ping_program: {
    text: 'there is no program ping',
    advice: 'install it (iputils-ping), or probe by tcp',
  },
  not_permitted: {
    text: 'this machine does not permit it',
    advice:
      'give ping the capability net_raw or set net.ipv4.ping_group_range, look at the firewall here, or probe by tcp',
  },
  unknown_host: { text: 'the name is not known', advice: 'check how it is written' },
  no_name_server: {
    text: 'no name server answers',
    advice: 'check this machine’s name servers, or give an address: then the line is measured without them',
  },
  no_socket: {
    text: 'this machine has no socket or memory to spare',
    advice: 'raise the limit of open files (LimitNOFILE), or see who holds so many',
  },
  no_broker: {
    text: 'there is no connection to the broker here',
    advice: 'give the source a target (host:port) of its own',
  },
  not_connected: {
    text: 'there is no connection to the broker now',
    advice: 'give the source a target (host:port) of its own to measure the line all the same',
  },
};
/** Told by the connection itself. */
const QUIET = new Set(['not_connected']);

export class UnmeasuredNotice {
  private why: string | null = null;

  /** `what` cannot be measured: a target by its name. `counter` counts each time that it could not. */
  constructor(
    private readonly what: string,
    private readonly counter: string,
    private readonly log: Log,
    private readonly counters: Counters,
  ) {}

  /** For the source's own words; null while it can be measured. */
  get detail(): string | null {
    return this.why && this.sentence(this.why);
  }

  note(replies: readonly Reply[]): void {
    const reasons = replies.flatMap((reply) => (reply.kind === 'unmeasured' ? [reply.why] : []));
    if (reasons.length > 0) this.counters.add(this.counter, reasons.length);
    const why = reasons.find((one) => one !== 'paused') ?? null;
    if (why === this.why) return;
    if (why === null) this.log.info(`${this.what} can be measured again`);
    else if (QUIET.has(why)) this.log.info({ why }, this.sentence(why));
    else this.log.warn({ why }, `${this.sentence(why)}. Unknown is no loss: ${adviceFor(why)}`);
    this.why = why;
  }

  private sentence(why: string): string {
    return `${CANNOT_MEASURE} ${this.what}: ${CAUSES[why]?.text ?? why}`;
  }
}

function adviceFor(why: string): string {
  return CAUSES[why]?.advice ?? 'it is tried again';
}
