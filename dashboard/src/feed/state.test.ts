import { feedFrameSchema, type LinesFrame, type UpdateFrame, type WindowView } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { agent, alert, at, line, metrics, model, record, snapshot, T0, window } from '../testing/views.js';
import {
  EMPTY_STATE,
  type FeedState,
  lineNowMs,
  MAX_ALERTS,
  MAX_RECORDS,
  takeAlerts,
  takeFound,
  takeFrame,
  takeHistory,
} from './state.js';
import { appendToLine, appendWindows, KEPT_MS, MAX_WINDOWS_PER_LINE } from './windows.js';

const NOW = T0 + 10_000;
const update = (n: number, fields: Partial<UpdateFrame> = {}): UpdateFrame => ({
  type: 'update',
  n,
  now_ms: NOW,
  ...fields,
});

const lines = (fields: Partial<LinesFrame>): LinesFrame => ({ type: 'lines', now_ms: NOW, ...fields });

/** A snapshot and what follows it at once: which lines are watched. */
function start(fields: Parameters<typeof snapshot>[0] = {}, windows: WindowView[] = []): FeedState {
  const state = takeFrame(EMPTY_STATE, snapshot(fields), NOW)!;
  return takeFrame(state, lines({ watching: ['gw-1/line-1', 'gw-1/other'], windows }), NOW)!;
}

describe('the test frames', () => {
  it('are frames by the feed’s own schema', () => {
    const frame = snapshot({
      agents: [agent('gw-1')],
      lines: [line(0, 'gw-1/line-1')],
      models: [model()],
      records: [record(0)],
      alerts: [alert(0)],
    });
    expect(feedFrameSchema.parse(frame)).toEqual(frame);
  });
});

describe('a snapshot', () => {
  it('replaces everything that was known but the windows of lines that are still watched', () => {
    const other = window(0, { device: 'other' });
    const before = start({ alerts: [alert(0)], records: [record(0)] }, [window(0), other]);
    const anew = takeFrame(before, snapshot({ n: 99 }), NOW)!;
    const after = takeFrame(anew, lines({ watching: ['gw-1/other'] }), NOW)!;
    expect(after.n).toBe(99);
    expect([...after.windows.values()]).toEqual([[other]]);
    expect(after.alerts).toEqual([]);
    expect(after.records).toEqual([]);
  });

  it('is taken in whatever its number', () => {
    expect(takeFrame(start({ n: 50 }), snapshot({ n: 3 }), NOW)?.n).toBe(3);
  });

  it('never gives two records the same key, also across snapshots', () => {
    const first = start({ records: [record(0), record(0)] });
    const second = takeFrame(first, snapshot({ records: [record(0)] }), NOW)!;
    const keys = [...first.records, ...second.records].map(({ key }) => key);
    expect(new Set(keys).size).toBe(3);
  });
});

describe('an update', () => {
  it('before any snapshot is refused', () => {
    expect(takeFrame(EMPTY_STATE, update(1), NOW)).toBeNull();
  });

  it.each([7, 9, 6])('numbered %i after frame 7 is refused: a snapshot is needed', (n) => {
    expect(takeFrame(start({ n: 7 }), update(n), NOW)).toBeNull();
  });

  it('keeps by reference what it does not speak of', () => {
    const before = start({ records: [record(0)], alerts: [alert(0)] }, [window(0)]);
    const after = takeFrame(before, update(8), NOW)!;
    expect(after).toEqual({ ...before, n: 8 });
    expect(after.windows).toBe(before.windows);
    expect(after.records).toBe(before.records);
    expect(after.alerts).toBe(before.alerts);
  });

  it('leaves the state before it untouched', () => {
    const before = start({ records: [record(0)] }, [window(0)]);
    const copy = structuredClone(before);
    takeFrame(before, update(8, { records: [record(1)], alerts: [alert(1)] }), NOW);
    takeFrame(before, lines({ windows: [window(1)], records: [record(1)] }), NOW);
    expect(before).toEqual(copy);
  });

  it('changes the list of the line that spoke and no other', () => {
    const before = start({}, [window(0), window(0, { device: 'other' })]);
    const after = takeFrame(before, lines({ windows: [window(1)] }), NOW)!;
    expect(after.windows.get('gw-1/line-1')).toHaveLength(2);
    expect(after.windows.get('gw-1/other')).toBe(before.windows.get('gw-1/other'));
  });

  it('changes the fields of status and metrics, the models and the agents that it names, and no others', () => {
    const before = start({
      models: [model(), model({ name: 'ensemble' })],
      agents: [agent('gw-1'), agent('gw-2')],
    });
    const after = takeFrame(
      before,
      update(8, {
        status: { detecting: false },
        metrics: { anomaly_rate: 1 },
        models: [model({ name: 'ensemble', active: true })],
        agents: [agent('gw-10'), agent('gw-2', false)],
        gone: { agents: ['gw-1'], lines: [] },
      }),
      NOW,
    )!;
    expect(after.status).toEqual({ ...before.status, detecting: false });
    expect(after.metrics).toEqual({ ...metrics(), anomaly_rate: 1 });
    expect(after.models.map(({ active }) => active)).toEqual([false, true]);
    expect(after.models[0]).toBe(before.models[0]);
    expect(after.agents.map(({ id, online }) => `${id} ${online}`)).toEqual(['gw-2 false', 'gw-10 true']);
  });

  it('tells the last values of lines, whose sparklines grow by a point in ten seconds', () => {
    let state = start({ lines: [line(0, 'gw-1/line-1')], sparks: [[30, null, 20]] });
    expect(state.values.get(0)?.spark.map(({ value }) => value)).toEqual([30, null, 20]);
    for (const [n, second, latency] of [
      [8, 15, 25],
      [9, 19, 22],
      [10, 20, 23],
      [11, 80, 24],
    ] as const) {
      state = takeFrame(state, update(n, { now_ms: T0 + second * 1000, values: [[0, latency, 1.5]] }), NOW)!;
    }
    expect(state.values.get(0)).toMatchObject({ latencyMs: 24, lossPct: 1.5 });
    expect(state.values.get(0)?.spark.map(({ value }) => value)).toEqual([30, null, 25, 23, null, 24]);
    const gone = takeFrame(state, update(12, { gone: { agents: [], lines: [0] } }), NOW)!;
    expect([gone.lines, gone.values.size]).toEqual([[], 0]);
  });

  it('keeps windows of watched lines alone', () => {
    const before = start({}, [window(0)]);
    const after = takeFrame(
      before,
      lines({ watching: ['gw-1/line-2'], windows: [window(1), window(1, { device: 'line-2' })] }),
      NOW,
    )!;
    expect([...after.windows.keys()]).toEqual(['gw-1/line-2']);
  });

  it('shows records newest first and holds no more than the bound', () => {
    let state = takeFrame(start(), lines({ watching: [] }), NOW)!;
    for (let n = 8; n < 8 + 10; n += 1) {
      const records = Array.from({ length: 100 }, (_, i) => record(n * 100 + i));
      state = takeFrame(state, update(n, { records }), NOW)!;
    }
    expect(state.records).toHaveLength(MAX_RECORDS);
    expect(state.records[0]?.record.timestamp).toBe(at(17 * 100 + 99));
    expect(state.records.at(-1)?.record.timestamp).toBe(at(14 * 100));
  });

  it('replaces an alert by its id and keeps open ones first, then the newest', () => {
    const before = start({ alerts: [alert(20), alert(10)] });
    const closed = alert(20, { status: 'closed', closed_at: at(40) });
    const after = takeFrame(before, update(8, { alerts: [closed, alert(15)] }), NOW)!;
    expect(after.alerts.map(({ opened_at, status }) => [opened_at, status])).toEqual([
      [at(15), 'open'],
      [at(10), 'open'],
      [at(20), 'closed'],
    ]);
  });

  it('never drops an open alert for a closed one when there are too many', () => {
    const closed = Array.from({ length: MAX_ALERTS + 50 }, (_, i) => alert(100 + i, { status: 'closed' }));
    const state = takeFrame(start({ alerts: [alert(0)] }), update(8, { alerts: closed }), NOW)!;
    expect(state.alerts).toHaveLength(MAX_ALERTS);
    expect(state.alerts[0]?.opened_at).toBe(at(0));
  });
});

describe('a large fleet, of which the list shows a part', () => {
  const LISTED = [line(0, 'gw-1/line-1'), line(1, 'gw-1/line-2')];

  it('has the watched lines beside the list, also when the list lets them go', () => {
    const row = line(7, 'gw-9/far');
    let state = takeFrame(start({ lines: LISTED }), lines({ watching: ['gw-9/far'], lines: [row] }), NOW)!;
    expect(state.watchedLines.map(({ key }) => key)).toEqual(['gw-9/far']);
    state = takeFrame(state, update(8, { lines: [row] }), NOW)!;
    expect([state.lines.length, state.watchedLines.length]).toEqual([3, 0]);
    state = takeFrame(state, update(9, { gone: { agents: [], lines: [0, 7] } }), NOW)!;
    expect(state.lines.map(({ key }) => key)).toEqual(['gw-1/line-2']);
    expect(state.watchedLines.map(({ key }) => key)).toEqual(['gw-9/far']);
    state = takeFrame(state, lines({ watching: ['gw-1/line-2'] }), NOW)!;
    expect(state.watchedLines).toEqual([]);
  });

  it('shows what Find found elsewhere with its last values, and nothing twice', () => {
    const view = {
      device: 'far',
      scope: 'device' as const,
      state: 'scored' as const,
      watched: true,
      last_seen: at(3),
      end: at(2),
      alert: null,
      agent: 'gw-9',
      latency_ms: 21.5,
      packet_loss_pct: null,
    };
    const state = takeFound(
      start({ lines: LISTED }),
      [
        { ...view, number: 7 },
        { ...view, number: 1 },
      ],
      NOW / 1000,
    );
    expect(state.found).toMatchObject([{ key: 'gw-9/far', lastSeenMs: T0 + 3000, eventOffsetMs: -1000 }]);
    expect(state.values.get(7)).toMatchObject({ latencyMs: 21.5, lossPct: null });
  });

  it('shows each record once, though those of watched lines come completely and in the sample of all', () => {
    const own = record(1, { device: 'line-1' });
    let state = takeFrame(start(), lines({ records: [own] }), NOW)!;
    state = takeFrame(state, update(8, { records: [own, record(1, { device: 'line-9' })] }), NOW)!;
    expect(state.records.map(({ record: { device } }) => device)).toEqual(['line-9', 'line-1']);
  });
});

describe('what was fetched', () => {
  it('joins what came meanwhile, each window once', () => {
    const live = takeFrame(start(), lines({ windows: [window(4), window(5)] }), NOW)!;
    const state = takeHistory(live, [window(4), window(2), window(1)]);
    expect(state.windows.get('gw-1/line-1')?.map(({ end }) => end)).toEqual([1, 2, 4, 5].map(at));
  });

  it('is left out where the line is no longer watched', () => {
    expect(takeHistory(start(), [window(1, { device: 'line-9' })]).windows.size).toBe(0);
  });

  it('never replaces an alert that the feed has told', () => {
    const live = start({ alerts: [alert(0, { status: 'closed' })] });
    const state = takeAlerts(live, [alert(0), alert(5)]);
    expect(state.alerts.map(({ status }) => status)).toEqual(['open', 'closed']);
  });
});

describe('the windows of a line', () => {
  it('stay in order of time when one comes late', () => {
    const list = appendToLine([window(0), window(2)], [window(1)]);
    expect(list.map(({ end }) => end)).toEqual([at(0), at(1), at(2)]);
  });

  it('hold each window once: what comes again replaces its former self', () => {
    const list = appendToLine([window(0), window(1)], [window(1, { anomalous: true })]);
    expect(list.map(({ anomalous }) => anomalous)).toEqual([false, true]);
  });

  it('reach back five minutes of event time', () => {
    const list = appendToLine([window(0), window(1)], [window(KEPT_MS / 1000 + 1)]);
    expect(list.map(({ end }) => end)).toEqual([at(1), at(KEPT_MS / 1000 + 1)]);
  });

  it('are bounded in number however dense they come', () => {
    const dense = Array.from({ length: MAX_WINDOWS_PER_LINE + 300 }, (_, i) =>
      window(i / 10, { id: `gw-1/b0a1c2d3e4f50617/${i + 1}/0` }),
    );
    const list = appendToLine([], dense);
    expect(list).toHaveLength(MAX_WINDOWS_PER_LINE);
    expect(list.at(-1)).toBe(dense.at(-1));
  });

  it('of two agents with one device name are two lines', () => {
    const map = appendWindows(
      new Map(),
      [window(0), window(0, { agent: 'gw-2' })],
      new Set(['gw-1/line-1', 'gw-2/line-1']),
    );
    expect([...map.keys()]).toEqual(['gw-1/line-1', 'gw-2/line-1']);
  });
});

describe('a line’s now', () => {
  it('goes on with the collector’s clock after its newest window', () => {
    expect(lineNowMs([window(9.8)], NOW + 4_000)).toBe(T0 + 9_800 + 4_000);
  });

  it('is its own event time, also where its device’s clock is an hour ahead or behind', () => {
    const [ahead, behind] = [window(3600, { received_at: at(0) }), window(-3600, { received_at: at(0) })];
    expect(lineNowMs([ahead], T0 + 60_000)).toBe(T0 + 3_660_000);
    expect(lineNowMs([behind], T0 + 60_000)).toBe(T0 - 3_540_000);
  });

  it('is unknown without a window', () => {
    expect(lineNowMs([], NOW)).toBeNull();
  });
});
