import { describe, expect, it } from 'vitest';
import { makeView } from '../testing/stored.js';
import { LiveState } from './live-state.js';

describe('LiveState', () => {
  it('takes a group of any size and shows its newest windows', () => {
    const live = new LiveState();
    const view = makeView();
    const windows = Array.from({ length: 300_000 }, (_, n) => ({ ...view, records: n + 1 }));
    live.add({ windows, records: [], alerts: [] });
    const shown = live.snapshot(Date.parse(view.received_at)).windows;
    expect(shown).toHaveLength(4000);
    expect(shown.at(-1)?.records).toBe(300_000);
  });
});
