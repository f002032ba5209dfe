import { describe, expect, it } from 'vitest';
import { at, status, watching } from '../testing/views.js';
import { defaultForm, formFaults, toRequest, trainBlocked, trainingOutcome } from './train-form.js';

const FORM = { duration: '60', epochs: '50', useHistory: false };
const training = {
  id: 't',
  state: 'done' as const,
  requested_at: at(0),
  finished_at: at(60),
  duration_seconds: 60,
  epochs: 50,
  use_history: false,
  progress: 1,
  seconds_left: 0,
  agents: [
    { id: 'gw-1', state: 'done' as const, rows: { device: 100, gateway: 20 }, message: null },
    { id: 'gw-2', state: 'missed' as const, rows: { device: 5, gateway: 0 }, message: null },
  ],
  autoencoders: [],
  message: null,
};

describe('the training form', () => {
  it('takes its epochs from the collector’s settings', () => {
    const settings = { ...status().settings, epochs: 12 };
    expect(defaultForm(settings)).toMatchObject({ duration: '60', epochs: '12' });
  });

  it('is sent as numbers', () => {
    expect(toRequest(FORM)).toEqual({ duration_seconds: 60, epochs: 50, use_history: false });
  });

  it.each(['', 'abc', '-1', '86401', '0'])('refuses a duration of “%s” without history', (duration) => {
    expect(formFaults({ ...FORM, duration }).duration).not.toBeNull();
  });

  it('takes a duration of 0 with history', () => {
    expect(formFaults({ ...FORM, duration: '0', useHistory: true }).duration).toBeNull();
  });

  it.each(['', '0', '1.5', '10001'])('refuses “%s” epochs', (epochs) => {
    expect(formFaults({ ...FORM, epochs }).epochs).not.toBeNull();
  });
});

describe('training', () => {
  it('says why it cannot be asked for', () => {
    const online = status({ watching: watching({ agents_online: 1, agents: 1 }) });
    const running = status({ training: { ...training, state: 'fitting' } });
    expect(trainBlocked(online, true)).toBeNull();
    expect(trainBlocked(online, false)).toMatch(/Not connected/);
    expect(trainBlocked(running, true)).toMatch(/is running/);
    expect(trainBlocked(status(), true)).toMatch(/No agent/);
  });

  it('tells how it ended, counting those that were done', () => {
    expect(trainingOutcome(training)).toBe('1 agent and 0 autoencoders trained on 120 windows.');
    const many = { ...training, left_out: { agents: 9, done: 8, rows: 1000 } };
    expect(trainingOutcome(many)).toBe('9 agents and 0 autoencoders trained on 1,120 windows.');
    expect(trainingOutcome({ ...training, state: 'failed', message: 'Too few rows.' })).toBe('Too few rows.');
  });
});
