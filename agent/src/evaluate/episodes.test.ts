/** Event figures against cases counted by hand. */
import { describe, expect, it } from 'vitest';
import { delaysMs, eventRecall, falseEpisodes, type Timeline } from './episodes.js';
import { figuresOf } from './figures.js';

const MINUTE_MS = 60_000;

/** One row a minute; `|` begins a sequence, 1 is a label. */
function timelineOf(text: string): Timeline {
  const signs = [...text.replaceAll('|', '')];
  const first = new Uint8Array(signs.length);
  for (let at = 0, row = 0; at < text.length; at += 1) {
    if (text[at] === '|') first[row] = 1;
    else row += 1;
  }
  first[0] = 1;
  return {
    labels: Uint8Array.from(signs, Number),
    timesMs: Float64Array.from(signs, (_, row) => row * MINUTE_MS),
    first,
  };
}

const alarmsOf = (text: string) => [...text].map((sign) => sign === '!');

describe('false episodes', () => {
  it('are runs of alarms that touch no label', () => {
    const timeline = timelineOf('0000110000');
    expect(falseEpisodes(timeline, alarmsOf('!!.!!..!!.'))).toBe(2);
    expect(falseEpisodes(timeline, alarmsOf('...!!!!...'))).toBe(0);
    expect(falseEpisodes(timeline, alarmsOf('..........'))).toBe(0);
  });

  it('end where a device ends', () => {
    expect(falseEpisodes(timelineOf('0000|0000'), alarmsOf('..!!!!..'))).toBe(2);
    expect(falseEpisodes(timelineOf('00000000'), alarmsOf('..!!!!..'))).toBe(1);
    expect(falseEpisodes(timelineOf('0011|0000'), alarmsOf('..!!!...'))).toBe(1);
  });

  it('count once for each full hour, also when they touch a label', () => {
    const long = '0'.repeat(150);
    expect(falseEpisodes(timelineOf(long), alarmsOf('!'.repeat(150)))).toBe(2);
    expect(falseEpisodes(timelineOf(`1${long}`), alarmsOf('!'.repeat(151)))).toBe(2);
    expect(falseEpisodes(timelineOf(`1${long}`), alarmsOf(`${'!'.repeat(51)}${'.'.repeat(100)}`))).toBe(0);
  });
});

describe('event recall at a budget', () => {
  // A day of minutes with events in rows 100–109 and 200–209.
  const labels = Array.from({ length: 1440 }, (_, row) =>
    Math.floor(row / 10) % 10 === 0 && row >= 100 && row < 300 ? 1 : 0,
  );
  const timeline = timelineOf(labels.join(''));
  const scores = new Float64Array(1440);
  scores[105] = 9;
  scores[700] = 8;
  scores[204] = 7;
  scores[900] = 6;

  it('lowers the threshold until the false episodes exceed it', () => {
    // One day: one false episode is allowed (row 700), so both events are found; a seventh of one allows none.
    expect(eventRecall(timeline, scores, 1)).toBe(1);
    expect(eventRecall(timeline, scores, 1 / 7)).toBe(0.5);
  });

  it('gives nothing to equal scores, and is unknown without events or for less than an hour', () => {
    expect(eventRecall(timeline, new Float64Array(1440), 1)).toBe(0);
    expect(eventRecall(timelineOf('0'.repeat(1440)), scores, 1)).toBeNaN();
    expect(eventRecall(timelineOf('0001000'), new Float64Array(7), 1)).toBeNaN();
  });

  it('takes false alarms at most six rows apart for one, and counts them right after an event too', () => {
    const near = new Float64Array(1440);
    near[105] = 5;
    near[204] = 2;
    for (const [row, score] of [
      [700, 9],
      [706, 8],
      [712, 7],
    ] as const)
      near[row] = score;
    expect(eventRecall(timeline, near, 1)).toBe(1);
    near[719] = 4;
    expect(eventRecall(timeline, near, 1)).toBe(0.5);
    near[719] = 0;
    near[210] = 3;
    expect(eventRecall(timeline, near, 1)).toBe(0.5);
  });

  it('counts as an evaluation from nothing would, whatever the scores', () => {
    let state = 5;
    const noise = Float64Array.from({ length: 1440 }, () => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return state % 40;
    });
    const groups = (alarms: readonly boolean[]) => {
      const rows = alarms.flatMap((alarm, row) => (alarm && labels[row] === 0 ? [row] : []));
      const begins = rows.flatMap((row, at) => (at === 0 || row - rows[at - 1]! > 6 ? [at] : []));
      const lengths = begins.map(
        (at, group) => rows[(begins[group + 1] ?? rows.length) - 1]! - rows[at]! + 1,
      );
      return lengths.reduce((sum, length) => sum + Math.max(1, Math.floor(length / 60)), 0);
    };
    for (const budget of [3, 20, 60]) {
      let expected = 0;
      for (let threshold = 39; threshold >= 0; threshold -= 1) {
        const alarms = Array.from(noise, (score) => score >= threshold);
        if (groups(alarms) > budget) break;
        expected = delaysMs(timeline, alarms).length / 2;
      }
      expect(eventRecall(timeline, noise, budget)).toBe(expected);
    }
  });
});

describe('figures of a detector', () => {
  it('hold delays from the start of each found event, and false episodes a day', () => {
    const timeline = timelineOf('000111000111000');
    const alarms = alarmsOf('.!...!...!.....');
    expect(delaysMs(timeline, alarms)).toEqual([0, 2 * MINUTE_MS]);
    const scores = Float64Array.from(alarms, Number);
    const figures = figuresOf({ method: 'x', scores, alarms }, timeline, true);
    expect(figures).toMatchObject({ delay_p50_s: 120, delay_p90_s: 120, precision_at_threshold: 2 / 3 });
    expect(figures.false_episodes_day).toBeCloseTo(1440 / 15);
    expect(figuresOf({ method: 'x', scores, alarms }, timeline, false).false_episodes_day).toBeNaN();
  });
});
