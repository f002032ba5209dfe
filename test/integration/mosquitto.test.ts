/** The same agent and collector over somebody else's broker, and what a plain subscriber reads there. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anomalySchema, infoSchema, scoreBatchSchema, stateSchema } from '@lineheron/models';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProgram, Program } from '../support/programs.js';
import { Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const broker = findProgram('mosquitto');
const subscriber = findProgram('mosquitto_sub');

describe.skipIf(!broker || !subscriber)(
  'with Mosquitto as the broker (skipped where it is not installed)',
  () => {
    let stack: Stack;
    let programs: Program[];

    beforeEach(async () => {
      stack = await Stack.create();
      const config = join(stack.folder, 'mosquitto.conf');
      await writeFile(config, `listener ${stack.mqttPort} 127.0.0.1\nallow_anonymous true\n`);
      programs = [new Program(broker!, ['-c', config])];
      await waitFor('Mosquitto to listen', () => /running/.test(programs[0]!.output));
    });

    afterEach(async () => {
      await stack.close();
      for (const program of programs) await program.stop();
    });

    it('scores arrive, and every payload on lineheron/v1/# is what the contract says', async () => {
      const topicsAndPayloads = ['-t', 'lineheron/v1/#', '-F', '%t %p'];
      programs.push(
        new Program(subscriber!, ['-p', String(stack.mqttPort), '-h', '127.0.0.1', ...topicsAndPayloads]),
      );
      await stack.collector({ mqtt: { embedded: false, url: stack.mqttUrl } });
      await stack.agent('gw-1', {
        source: {
          type: 'generate',
          devices: ['modem-1', 'modem-2'],
          backfill_minutes: 10,
          faults: [{ device_id: 'modem-1', type: 'latency_spike', start_s: 3, duration_s: 60, strength: 1 }],
        },
      });
      await stack.agentsOnline(1);
      await waitFor(
        'back-filled windows',
        async () => (await stack.status()).agents[0]?.source.phase === 'live',
      );
      expect((await stack.trainOnHistory()).state).toBe('done');
      expect((await stack.call('POST', '/start')).status).toBe(200);
      const lines = () => programs[1]!.output.split('\n').filter((line) => line !== '');
      await waitFor('an anomaly', () => lines().some((line) => line.includes('/anomaly ')));
      await waitFor('a verdict', () => lines().some((line) => line.includes('/verdict ')));
      const seen = new Set<string>();
      // The last line may still be on its way.
      for (const line of lines().slice(0, -1)) {
        const space = line.search(/ (?=\{|online|offline|$)/);
        const kind = line.slice(0, space).split('/')[3]!;
        const payload = line.slice(space + 1);
        seen.add(kind);
        if (kind === 'status') expect(payload).toMatch(/^(online|offline)$/);
        else if (payload !== '') {
          const schema = {
            score: scoreBatchSchema,
            info: infoSchema,
            anomaly: anomalySchema,
            state: stateSchema,
          }[kind];
          const value: unknown = JSON.parse(payload);
          if (schema) expect(schema.safeParse(value).error).toBeUndefined();
        }
      }
      expect([...seen]).toEqual(
        expect.arrayContaining(['status', 'info', 'score', 'ack', 'state', 'desired', 'anomaly']),
      );
    }, 90_000);

    it('an agent without the right to read what is desired is named, and its lines are not watched', async () => {
      const acl = join(stack.folder, 'acl');
      const own = 'topic readwrite lineheron/v1/gw-1/#';
      await writeFile(acl, `user collector\ntopic readwrite lineheron/#\nuser gw-1\n${own}\n`);
      const config = join(stack.folder, 'mosquitto.conf');
      const listener = `listener ${stack.mqttPort} 127.0.0.1`;
      // Started by root it would read the file as somebody who may not.
      const rules = `user root\nallow_anonymous true\nacl_file ${acl}`;
      await writeFile(config, `${listener}\n${rules}\n`);
      await programs.pop()!.stop();
      programs.push(new Program(broker!, ['-c', config]));
      await waitFor('Mosquitto to listen', () => /running/.test(programs[0]!.output));
      const login = (username: string) => ({ url: stack.mqttUrl, username, password: 'any' });
      await stack.collector({ mqtt: { embedded: false, ...login('collector') } });
      const source = { type: 'generate', devices: ['modem-1'], backfill_minutes: 10 };
      await stack.agent('gw-1', { mqtt: login('gw-1'), source });
      await stack.agentsOnline(1);
      await waitFor('a baseline', async () => (await stack.status()).trained.ensemble);
      expect((await stack.call('POST', '/start')).status).toBe(200);
      const status = await waitFor(
        'the agent to be named',
        async () => {
          const known = await stack.status();
          return (known.agents[0]?.problems.length ?? 0) > 0 && known;
        },
        60_000,
      );
      expect(status).toMatchObject({
        detecting: true,
        watching: { lines: 0, of: 1, agents_detecting: 0, agents_online: 1, agents: 1 },
        agents: [{ detecting: false, problems: [{ code: 'no_answer' }] }],
      });
      expect(status.agents[0]?.problems[0]?.message).toContain('lineheron/v1/fleet/desired');
    }, 120_000);
  },
);
