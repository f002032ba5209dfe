import { describe, expect, it } from 'vitest';
import { agent, at, status } from '../testing/views.js';
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
    const online = [agent('gw-1')];
    const running = status({ training: { ...training, state: 'fitting' } });
    expect(trainBlocked(status(), online, true)).toBeNull();
    expect(trainBlocked(status(), online, false)).toMatch(/Not connected/);
    expect(trainBlocked(running, online, true)).toMatch(/is running/);
    expect(trainBlocked(status(), [agent('gw-1', false)], true)).toMatch(/No agent/);
  });

  it('tells how it ended, counting those that were done', () => {
    expect(trainingOutcome(training)).toBe('1 agent and 0 autoencoders trained on 120 windows.');
    expect(trainingOutcome({ ...training, state: 'failed', message: 'Too few rows.' })).toBe('Too few rows.');
  });
});
