/** Several sources as one: names, positions old and new, and what is told of them together. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.js';
import type { Config } from '../config.js';
import { parseConfig } from '../config-load.js';
import { Counters } from '../counters.js';
import { unmeasured } from '../reply.js';
import { silentLog } from '../test-support.js';
import { buildFeeds } from './feeds.js';

const HEAD = 'agent_id: gw-1\ndata_dir: /var/lib/x\n';

const feedsOf = (config: Config, position?: unknown) =>
  buildFeeds(
    config.sources,
    position,
    {
      windowSeconds: 30,
      trained: false,
      brokerRoundTrip: async () => unmeasured('no_broker'),
      clock: systemClock,
      random: () => 0,
      log: silentLog,
      counters: new Counters(),
      agentId: 'gw-1',
    },
    () => 0,
  );

describe('buildFeeds', () => {
  const two = parseConfig(
    `${HEAD}sources: [{type: tail, paths: [/a]}, {type: tail, name: b, paths: [/b]}, {type: generate, devices: 2, backfill_minutes: 1}]\n`,
  );

  it('keeps each position under its own name, whatever the order in the list', () => {
    const feeds = feedsOf(two, { sources: { b: { tail: { '/b': 1 } }, gone: { x: 1 } } });
    expect(feeds.list.map(({ position }) => position)).toEqual([undefined, { tail: { '/b': 1 } }, undefined]);
    feeds.list[0]!.position = { tail: {} };
    expect(feeds.position()).toEqual({ sources: { tail: { tail: {} }, b: { tail: { '/b': 1 } } } });
  });

  it('understands the bare position of a single tail', () => {
    const old = { tail: { '/a': {} } };
    expect(feedsOf(two, old).list.map(({ position }) => position)).toEqual([old, undefined, undefined]);
  });

  it('passes over what is no position', () => {
    for (const wrong of [null, 7, 'x', { sources: null }, { sources: [] }, { sources: { toString: 1 } }]) {
      expect(feedsOf(two, wrong).list[1]!.position).toBeUndefined();
    }
  });

  it('tells one source as itself, several by name, and back-fills as long as one does', () => {
    const one = feedsOf(parseConfig(`${HEAD}source: {type: tail, paths: [/a]}\n`));
    expect([one.type, one.detail, one.phase]).toEqual(['tail', '/a', 'live']);
    const all = feedsOf(two);
    expect(all.type).toBe('tail+generate');
    expect(all.detail).toBe('tail: /a; b: /b; generate: 2 simulated devices');
    expect(all.phase).toBe('backfilling');
  });
});

describe('sources in the configuration', () => {
  it.each([
    ['both forms', 'source: {type: host}\nsources: [{type: host}]', /^source: give either source or sources/],
    ['no source', '', /^source: is missing/],
    [
      'two of one name',
      'sources: [{type: host}, {type: tail, name: host, paths: [/a]}]',
      /^sources\.1\.name: another source is called "host": give this one a name$/,
    ],
    ['an unknown key', 'sources: [{type: host, speed: 1}]', /^sources\.0\.speed: unknown key/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseConfig(HEAD + text)).toThrow(message);
  });
});
