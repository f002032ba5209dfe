/**
 * Raw lines for who asked for them, in a message that the broker takes: where it ends the connection instead, the
 * answer goes again with half as much, and says that it holds fewer lines.
 */
import type { LinesEvent } from '@lineheron/models';
import type { Clock } from './clock.js';
import { MAX_ANSWER_BYTES } from './flight-recorder/answer.js';
import type { Log } from './log.js';

/** Of the size that is refused: the message holds more than its lines. */
const SHARE = 0.8;
/** Down to some 16 kB; a broker that takes less has another trouble. */
const TRIES = 6;
/** The collector does not wait for an answer much longer. */
const RECONNECT_MS = 10_000;
const POLL_MS = 50;

export interface FittingOptions {
  answer: (maxBytes: number) => Promise<LinesEvent>;
  /** Whether the broker took it. */
  deliver: (event: LinesEvent) => Promise<boolean>;
  /** The broker is known to refuse messages of this size. */
  refusedBytes: () => number;
  connected: () => boolean;
  clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  signal: AbortSignal;
  log: Pick<Log, 'info'>;
}

export async function answerFitting(options: FittingOptions): Promise<void> {
  const { answer, deliver, refusedBytes, signal, log } = options;
  let maxBytes = MAX_ANSWER_BYTES;
  for (let tries = 0; tries < TRIES && !signal.aborted; tries += 1) {
    maxBytes = Math.floor(Math.min(maxBytes, SHARE * refusedBytes()));
    const event = await answer(maxBytes);
    const { request_id, alert, state, message } = event;
    log.info({ request_id, alert, state, message }, 'raw lines were asked for');
    if ((await deliver(event)) || !(await connectedSoon(options))) return;
    maxBytes /= 2;
  }
}

async function connectedSoon({ connected, clock, signal }: FittingOptions): Promise<boolean> {
  const untilMs = clock.monotonicMs() + RECONNECT_MS;
  while (!connected() && clock.monotonicMs() < untilMs && !signal.aborted) await clock.sleep(POLL_MS, signal);
  return connected();
}
