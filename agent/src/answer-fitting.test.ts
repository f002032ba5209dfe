/** Sends raw lines to a real broker that closes the connection when a message is larger than its limit. */
import { type LinesEvent, linesEventSchema, topics } from '@lineheron/models';
import { expect, it } from 'vitest';
import { answerFitting } from './answer-fitting.js';
import { systemClock } from './clock.js';
import { Counters } from './counters.js';
import { Link } from './publish/link.js';
import { TestBroker } from './test-broker.js';
import { silentLog, until } from './test-support.js';

const ALERT = 'gw-1/0123456789abcdef/1/0';

/** As much as may be, of a clip without end. */
async function answer(maxBytes: number): Promise<LinesEvent> {
  const line = { at: new Date(0).toISOString(), source: 'tail', text: 'x'.repeat(900) };
  const count = Math.floor(maxBytes / (JSON.stringify(line).length + 1));
  return {
    ...{ v: 1, type: 'lines', request_id: 'r1', alert: ALERT, state: 'sent', message: `${count} lines` },
    ...{ from: line.at, to: line.at, complete: true, truncated: true, redactions: 0 },
    lines: Array.from({ length: count }, () => line),
  };
}

it.each([
  [100_000, 1],
  [10_000_000, 500],
])(
  'an answer to a broker that takes %i bytes arrives, with fewer lines where it must',
  async (most, atLeast) => {
    const broker = await TestBroker.start('gw-1', undefined, undefined, most);
    const topic = topics.event('gw-1');
    const link = new Link({
      ...{ url: broker.url, agent: 'gw-1', subscriptions: [topics.ack('gw-1')], clock: systemClock },
      ...{ random: () => 0.5, log: silentLog, counters: new Counters() },
      onConnect: () => {},
      onSubscribed: () => {},
      onMessage: () => {},
    });
    link.start();
    await until('a connection', () => link.settled);
    const asked: number[] = [];
    await answerFitting({
      answer: (maxBytes) => {
        asked.push(maxBytes);
        return answer(maxBytes);
      },
      deliver: (event) => link.deliver(topic, JSON.stringify(event)),
      refusedBytes: () => link.sizes.refusedBytes,
      connected: () => link.settled,
      clock: systemClock,
      signal: new AbortController().signal,
      log: silentLog,
    });
    const came = broker.texts.filter((text) => text.startsWith(topic));
    expect(came).toHaveLength(1);
    const event = linesEventSchema.parse(JSON.parse(came[0]!.slice(topic.length + 1)));
    expect(event.lines.length).toBeGreaterThanOrEqual(atLeast);
    expect(asked).toEqual(asked.map((_, at) => Math.floor(512 * 1024 * 0.5 ** at)));
    await link.stop(500);
    await broker.stop();
  },
  60_000,
);
