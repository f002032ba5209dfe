import { describe, expect, it } from 'vitest';
import { QualityTracker } from './quality-tracker.js';

/** One window a second on one line; each letter: `.` healthy, `a` anomalous; upper case or `!`: suspected. */
function judge(story: string, tracker = new QualityTracker(0)) {
  [...story].forEach((letter, second) => {
    tracker.add({
      line: 'gw-1/modem-1',
      endMs: second * 1000,
      truth: letter.toLowerCase() === 'a',
      windowMs: 5000,
      forest: letter === 'A' || letter === '!',
      baseline: null,
      autoencoder: null,
      anomalous: letter === 'A' || letter === '!',
    });
  });
  return tracker.view().isolation_forest;
}

const quiet = '.'.repeat(20);

describe('record level', () => {
  it('counts hits, misses and false suspicions, and leaves out one window length after an episode', () => {
    const { records } = judge(`..!..aaAA!!...${quiet}`);
    expect(records).toMatchObject({ true_positives: 2, false_negatives: 2, false_positives: 1, ignored: 5 });
    expect(records.precision).toBeCloseTo(2 / 3);
    expect(records.recall).toBeCloseTo(1 / 2);
    expect(records.f1).toBeCloseTo(4 / 7);
  });

  it('has no rates where there is nothing to judge', () => {
    expect(judge('').records).toMatchObject({ precision: null, recall: null, f1: null });
  });
});

describe('episode level', () => {
  it('finds an episode by a suspect up to ten seconds after its end, and measures the delay from its start', () => {
    const { episodes } = judge(`.....aaa....!${quiet}`);
    expect(episodes).toMatchObject({ true_episodes: 1, found: 1, delay_p50_s: 7, recall: 1 });
  });

  it('misses one whose first suspect comes later than that', () => {
    const { episodes } = judge(`.....aaa..........!${quiet}`);
    expect(episodes).toMatchObject({ true_episodes: 1, found: 0, recall: 0 });
  });

  it('counts an alert as false only when no suspect of it lies in an episode or its aftermath', () => {
    expect(judge(`..!!..${quiet}`).episodes).toMatchObject({ alerts: 1, false_alerts: 1 });
    expect(judge(`...aaA..!.${quiet}`).episodes).toMatchObject({ alerts: 1, false_alerts: 0 });
    expect(judge(`!..aaA..!.${quiet}`).episodes).toMatchObject({ alerts: 1, false_alerts: 0 });
  });

  it('takes suspects less than ten seconds apart for one alert', () => {
    expect(judge(`!........!${quiet}`).episodes.alerts).toBe(1);
    expect(judge(`!..........!${quiet}`).episodes.alerts).toBe(2);
  });

  it('counts each of two episodes, found or not', () => {
    const { episodes } = judge(`..aAa${quiet}aaa${quiet}`);
    expect(episodes).toMatchObject({ true_episodes: 2, found: 1 });
  });

  it('states false alerts per device and hour of judged time', () => {
    const { episodes } = judge(`!${'.'.repeat(360)}`);
    expect(episodes.false_alerts_per_device_hour).toBeCloseTo(10);
  });
});

describe('QualityTracker', () => {
  it('judges each model only by what it scored, and the ensemble by either', () => {
    const tracker = new QualityTracker(0);
    const window = { line: 'gw-1/m', windowMs: 5000, truth: true, anomalous: true };
    tracker.add({ ...window, endMs: 1000, forest: false, baseline: null, autoencoder: true });
    tracker.add({ ...window, endMs: 2000, forest: null, baseline: null, autoencoder: true });
    const { isolation_forest, autoencoder, ensemble } = tracker.view();
    expect(isolation_forest.records).toMatchObject({ true_positives: 0, false_negatives: 1 });
    expect(autoencoder.records.true_positives).toBe(2);
    expect(ensemble.records.true_positives).toBe(2);
  });

  it('judges the baseline where no window model is there, and the ensemble with it', () => {
    const tracker = new QualityTracker(0);
    const window = { line: 'gw-1/m', windowMs: 5000, truth: true, anomalous: true };
    tracker.add({ ...window, endMs: 1000, forest: null, baseline: true, autoencoder: null });
    const { isolation_forest, adaptive_baseline, ensemble } = tracker.view();
    expect(isolation_forest.records.true_positives).toBe(0);
    expect(adaptive_baseline.records.true_positives).toBe(1);
    expect(ensemble.records.true_positives).toBe(1);
    expect(tracker.anomalyRate).toBe(1);
  });

  it('counts for the ensemble only what the autoencoder finds rare enough to alarm alone', () => {
    const tracker = new QualityTracker(0);
    const window = { line: 'l', windowMs: 5000, truth: true, anomalous: false, forest: null, baseline: null };
    tracker.add({ ...window, endMs: 1000, autoencoder: true, rare: false });
    tracker.add({ ...window, endMs: 2000, autoencoder: true, rare: true });
    expect(tracker.view().autoencoder.records.true_positives).toBe(2);
    expect(tracker.view().ensemble.records.true_positives).toBe(1);
  });

  it('passes over windows that come again or late', () => {
    const tracker = new QualityTracker(0);
    const window = {
      line: 'l',
      windowMs: 5000,
      truth: true,
      anomalous: false,
      forest: true,
      baseline: null,
      autoencoder: null,
    };
    for (const endMs of [1000, 1000, 500]) tracker.add({ ...window, endMs });
    expect(tracker.view().isolation_forest.records.true_positives).toBe(1);
  });

  it('does not take an episode that was under way at a reset for one that begins then', () => {
    const tracker = new QualityTracker(0);
    const window = {
      line: 'l',
      windowMs: 5000,
      truth: true,
      anomalous: true,
      baseline: null,
      autoencoder: null,
    };
    tracker.add({ ...window, endMs: 1000, forest: null });
    tracker.reset(1500);
    tracker.add({ ...window, endMs: 2000, forest: true });
    const { records, episodes } = tracker.view().isolation_forest;
    expect(records.true_positives).toBe(1);
    expect(episodes).toMatchObject({ true_episodes: 0, found: 0 });
  });

  it('begins anew on reset', () => {
    const tracker = new QualityTracker(0);
    judge('..AA', tracker);
    tracker.reset(5000);
    expect(tracker.view().isolation_forest.records.true_positives).toBe(0);
    expect(tracker.anomalyRate).toBeNull();
    expect(tracker.since).toBe(new Date(5000).toISOString());
  });
});
