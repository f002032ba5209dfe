import { describe, expect, it } from 'vitest';
import { deviceIdSchema } from './identity.js';
import { fromAllAgents, parseAgentTopic, topics } from './topics.js';

describe('topics', () => {
  it('takes apart every topic that it builds for an agent', () => {
    for (const kind of ['status', 'info', 'score', 'event'] as const) {
      expect(parseAgentTopic(topics[kind]('gw-1'))).toEqual({ agent: 'gw-1', kind });
    }
  });

  it.each([
    'lineheron/v1/fleet/score',
    'lineheron/v2/gw-1/score',
    'lineheron/v1/GW-1/score',
    'lineheron/v1/gw-1/score/extra',
    'lineheron/v1/gw-1',
    'other/v1/gw-1/score',
    '',
  ])('refuses %j as the topic of an agent', (topic) => {
    expect(parseAgentTopic(topic)).toBeNull();
  });

  it('gives the gateway itself a state topic that no device can have', () => {
    expect(topics.state('gw-1', '*')).toBe('lineheron/v1/gw-1/state/*');
    expect(deviceIdSchema.safeParse('*').success).toBe(false);
    expect(topics.state('gw-1', 'modem 1')).toBe('lineheron/v1/gw-1/state/modem 1');
  });

  it('subscribes to one kind of all agents with a single-level wildcard', () => {
    expect(fromAllAgents('score')).toBe('lineheron/v1/+/score');
  });
});
