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
  },
);
