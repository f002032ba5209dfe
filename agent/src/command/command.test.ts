/** What comes in: commands once, desired states merged and kept, nonsense counted. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, topics } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import { Counters } from '../counters.js';
import { silentLog, withFolder } from '../test-support.js';
import { DesiredState, type Settled } from './desired.js';
import { Inbox } from './inbox.js';

function build() {
  const counters = new Counters();
  const commands: Command[] = [];
  const desired: unknown[] = [];
  const acks: unknown[] = [];
  const handlers = {
    ack: (ack: unknown) => acks.push(ack),
    verdict: () => {},
    desired: (whose: string, value: unknown) => desired.push([whose, value]),
    command: (command: Command) => commands.push(command),
  };
  const inbox = new Inbox('gw', handlers, silentLog, counters);
  const receive = (topic: string, payload: unknown) =>
    inbox.receive(topic, Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload)));
  return { inbox, receive, counters, commands, desired, acks };
}

const train = { v: 1, type: 'train', request_id: 'r1', duration_seconds: 60, use_history: false };

describe('Inbox', () => {
  it('carries a command out once, whether it came by the fleet or by name', () => {
    const { receive, commands } = build();
    receive(topics.command('fleet'), train);
    receive(topics.command('fleet'), train);
    receive(topics.command('gw'), train);
    receive(topics.command('gw'), { v: 1, type: 'cancel_training', request_id: 'r1' });
    receive(topics.command('fleet'), { ...train, request_id: 'r2' });
    expect(commands.map(({ type, request_id }) => `${type} ${request_id}`)).toEqual([
      'train r1',
      'cancel_training r1',
      'train r2',
    ]);
  });

  it('counts what is too large, no JSON or of a wrong shape, and acts on none of it', () => {
    const { inbox, receive, counters, commands, acks } = build();
    const bad = [
      Buffer.alloc(2 * 1024 * 1024, '1'),
      Buffer.from('{'),
      Buffer.from(''),
      Buffer.from([0xff, 0xfe]),
    ];
    for (const payload of [...bad, null, [], 'x', { v: 2 }, { ...train, duration_seconds: -1 }]) {
      receive(topics.command('gw'), payload);
      receive(topics.ack('gw'), payload);
    }
    expect([commands, acks]).toEqual([[], []]);
    expect(counters.get('inbound_refused')).toBe(18);
    expect(inbox.subscriptions).toHaveLength(6);
  });

  it('takes an empty desired state as taken back', () => {
    const { receive, desired } = build();
    receive(topics.desired('fleet'), { v: 1, detecting: true });
    receive(topics.desired('gw'), Buffer.alloc(0));
    expect(desired).toEqual([
      ['fleet', { v: 1, detecting: true }],
      ['own', null],
    ]);
  });
});

describe('DesiredState', () => {
  async function open(folder: string) {
    const changes: Settled[] = [];
    const path = join(folder, 'desired.json');
    const state = new DesiredState({ path, log: silentLog, onChange: (settled) => changes.push(settled) });
    await state.start();
    return { state, changes, path };
  }

  it('lets own wishes beat those of the fleet field by field, and tells only real changes', () =>
    withFolder(async (folder) => {
      const { state, changes } = await open(folder);
      expect(state.settled).toEqual({ detecting: false, active_model: 'ensemble' });
      state.set('fleet', { v: 1, detecting: true, active_model: 'autoencoder' });
      state.set('own', { v: 1, active_model: 'isolation_forest' });
      state.set('own', { v: 1, active_model: 'isolation_forest' });
      state.set('fleet', { v: 1, detecting: true });
      state.set('own', null);
      expect(changes).toEqual([
        { detecting: true, active_model: 'autoencoder' },
        { detecting: true, active_model: 'isolation_forest' },
        { detecting: true, active_model: 'ensemble' },
      ]);
      await state.flush();
    }));

  it('is the same after a restart, and starts anew from a damaged file', () =>
    withFolder(async (folder) => {
      const first = await open(folder);
      first.state.set('fleet', { v: 1, detecting: true });
      await first.state.flush();
      expect((await open(folder)).state.settled.detecting).toBe(true);
      await writeFile(first.path, '{"own":');
      expect((await open(folder)).state.settled.detecting).toBe(false);
    }));
});
