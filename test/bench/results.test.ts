import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
// @ts-expect-error: a plain script without types
import { entryOf } from './results.mjs';

const NONE = { peer: null, peer_value: null, ratio: null };

describe('the file of --json', () => {
  it('has six keys a figure, and times in µs', () => {
    expect(entryOf({ name: 'live_p99', value: 1.29, unit: 's', most: 2 })).toEqual({
      ...{ name: 'live_p99', value: 1.29e6, unit: 'µs' },
      ...NONE,
    });
    const compared = { name: 'ours', value: 2, unit: 'ms', peer: 'theirs', peer_value: 6, ratio: 3 };
    expect(entryOf(compared)).toEqual({ ...compared, value: 2000, unit: 'µs', peer_value: 6000 });
    const named = { name: 'ack_p99_ms', value: 12, unit: 'ms', ...NONE };
    expect(entryOf(named)).toEqual(named);
    const rate = { name: 'drain_rate', value: 601, unit: 'windows/s', ...NONE };
    expect(entryOf({ ...rate, least: 200 })).toEqual(rate);
  });

  it.each(['agent', 'demo', 'drain', 'footprint'])(
    'is written by %s.mjs in that way, in plain units',
    (name) => {
      const text = readFileSync(join(import.meta.dirname, `${name}.mjs`), 'utf8');
      expect(text).toMatch(/writeResults\(options\.json, \w+\)/);
      for (const [, unit] of text.matchAll(/unit: ['`](.*?)['`]/g))
        expect(unit).toMatch(/^(s|ms|µs|MB|%|×|windows|lines|windows\/s|lines\/s)$/);
    },
  );
});
