import { describe, expect, it } from 'vitest';
import { makeTraining } from '../testing/stored.js';
import {
  cancelled,
  concluded,
  interrupted,
  MISSED_MS,
  type TrainingEvent,
  withAgentEvent,
  withMissed,
  withProgress,
} from './training-state.js';

const agent = (
  id: string,
  state: 'waiting' | 'done' | 'missed' | 'failed' = 'waiting',
  message: string | null = null,
) => ({
  id,
  state,
  rows: { device: 0, gateway: 0 },
  message,
});
const model = (state: 'done' | 'failed', message: string | null = null) => ({
  scope: 'device' as const,
  fingerprint: '0123456789abcdef',
  state,
  rows: 100,
  epochs_run: 5,
  threshold: 1,
  message,
});
const running = (changes = {}) =>
  makeTraining({
    state: 'collecting',
    finished_at: null,
    progress: 0,
    seconds_left: 60,
    agents: [agent('gw-1')],
    ...changes,
  });
const event = (phase: TrainingEvent['phase']): TrainingEvent => ({
  v: 1,
  type: 'training',
  request_id: 'training-1',
  phase,
  progress: 0.5,
  rows: { device: 7, gateway: 3 },
});

describe('withAgentEvent', () => {
  it('takes an agent’s word, but never reopens a part that has ended', () => {
    const fitting = withAgentEvent(running(), 'gw-1', event('fitting'));
    expect(fitting.agents[0]).toMatchObject({ state: 'fitting', rows: { device: 7, gateway: 3 } });
    const done = withAgentEvent(fitting, 'gw-1', event('done'));
    expect(withAgentEvent(done, 'gw-1', event('collecting')).agents[0]?.state).toBe('done');
  });
});

describe('withMissed', () => {
  it('misses an agent that has been silent for ten seconds past the end, not one that still speaks', () => {
    const training = running({ agents: [agent('gw-1'), agent('gw-2'), agent('gw-3', 'done')] });
    const heard = new Map([['gw-2', 5000]]);
    const at = (nowMs: number) => withMissed(training, 1000, heard, nowMs).agents.map(({ state }) => state);
    expect(at(1000 + MISSED_MS)).toEqual(['waiting', 'waiting', 'done']);
    expect(at(1001 + MISSED_MS)).toEqual(['missed', 'waiting', 'done']);
    expect(at(5001 + MISSED_MS)).toEqual(['missed', 'missed', 'done']);
  });
});

describe('withProgress', () => {
  it('follows the clock while collecting, then the parts that have ended, and never goes back', () => {
    const training = running();
    const half = withProgress(training, 60_000, 1, 30_000);
    expect(half.progress).toBeCloseTo(0.35);
    expect(half.seconds_left).toBe(30);
    const fitted = withProgress({ ...half, autoencoders: [model('done')] }, 60_000, 1, 60_000);
    expect(fitted.progress).toBeCloseTo(0.85);
    expect(withProgress(fitted, 60_000, 1, 0).progress).toBe(fitted.progress);
  });

  it('goes by the parts alone when nothing is collected', () => {
    const training = running({ duration_seconds: 0, autoencoders: [model('done')] });
    expect(withProgress(training, 0, 1, 10).progress).toBeCloseTo(0.5);
  });
});

describe('the end', () => {
  it('is done when anything was trained, and says what was left out', () => {
    const training = running({ agents: [agent('gw-1', 'done'), agent('gw-2', 'failed', 'too few.')] });
    expect(concluded(training, 9)).toMatchObject({ state: 'done', progress: 1, message: 'gw-2: too few.' });
  });

  it('says what a model that was trained leaves out', () => {
    const training = running({ agents: [agent('gw-1', 'done')], autoencoders: [model('done', 'no gw-2')] });
    expect(concluded(training, 9)).toMatchObject({
      state: 'done',
      message: 'autoencoder (device): no gw-2.',
    });
  });

  it('is failed when nothing was', () => {
    const training = running({
      agents: [agent('gw-1', 'missed', 'silent')],
      autoencoders: [model('failed', 'few')],
    });
    expect(concluded(training, 9)).toMatchObject({
      state: 'failed',
      message: 'gw-1: silent; autoencoder (device): few.',
    });
  });

  it('by a person or by the collector is told apart', () => {
    expect(cancelled(running(), 9)).toMatchObject({ state: 'cancelled', agents: [{ state: 'cancelled' }] });
    expect(interrupted(running(), 9)).toMatchObject({ state: 'failed', message: 'The collector restarted.' });
  });
});
