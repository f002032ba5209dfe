/** What is learnt of the size that a broker takes, from how connections end. */
import { describe, expect, it } from 'vitest';
import { SizeLimit } from './size-limit.js';

function build() {
  const told: number[] = [];
  const limit = new SizeLimit((bytes) => told.push(bytes));
  /** A connection on which these are sent, the first `taken` of them answered, and which then ends. */
  const connection = (sizes: number[], taken = 0, byBroker = true, tookMs = 10) => {
    const answers = sizes.map((bytes) => limit.sent(bytes, 0));
    for (const answered of answers.slice(0, taken)) answered();
    limit.ended(byBroker, tookMs);
  };
  return { limit, told, connection };
}

describe('the size that a broker refuses', () => {
  it('is that of the message on whose sending alone connections end three times', () => {
    const { limit, told, connection } = build();
    connection([6, 3_000, 131_900, 131_950, 500], 2);
    expect(limit.isCareful).toBe(true);
    for (let end = 0; end < 3; end++) connection([6, 3_000, 131_900], 2);
    expect(told).toEqual([131_900]);
    expect(limit.refusedBytes).toBe(131_900);
    expect(limit.isCareful).toBe(false);
  });

  it('is not learnt from what the broker has taken before', () => {
    const { limit, told, connection } = build();
    connection([131_900], 1);
    for (let end = 0; end < 9; end++) connection([131_900, 500]);
    expect(told).toEqual([]);
    expect(limit.isCareful).toBe(false);
  });

  it('is not learnt from small messages: whoever ends connections after these has another reason', () => {
    const { limit, told, connection } = build();
    for (let end = 0; end < 9; end++) connection([6, 1_290, 350, 350]);
    expect(told).toEqual([]);
    expect(limit.isCareful).toBe(false);
  });

  it('is not learnt from a line that was cut, nor from a message that was long on its way', () => {
    const { told, connection } = build();
    for (let end = 0; end < 9; end++) {
      connection([131_900], 0, false);
      connection([131_900], 0, true, 60_000);
      connection([]);
    }
    expect(told).toEqual([]);
  });

  it('is no longer suspected once a message of that size has passed', () => {
    const { limit, told, connection } = build();
    connection([50_000]);
    connection([50_000]);
    expect(limit.isCareful).toBe(true);
    connection([50_000], 1);
    expect(limit.isCareful).toBe(false);
    for (let end = 0; end < 9; end++) connection([50_000]);
    expect(told).toEqual([]);
  });

  it('goes down when a smaller message ends the connection too', () => {
    const { limit, told, connection } = build();
    for (let end = 0; end < 3; end++) connection([131_900]);
    for (let end = 0; end < 3; end++) connection([90_000]);
    expect(told).toEqual([131_900, 90_000]);
    expect(limit.refusedBytes).toBe(90_000);
  });
});
