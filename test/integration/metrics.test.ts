/** What Prometheus would scrape, judged by its own tool. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../support/programs.js';
import { Stack } from '../support/stack.js';

const promtool = findProgram('promtool');
let stack: Stack;

beforeAll(async () => {
  stack = await Stack.create();
  await stack.collector();
});

afterAll(() => stack.close());

const scrape = (accept: string) => fetch(`${stack.url}/metrics`, { headers: { accept } });

describe('GET /metrics for Prometheus', () => {
  it.skipIf(!promtool)(
    'passes promtool check metrics (skipped where promtool is not installed)',
    async () => {
      const text = await (await scrape('text/plain')).text();
      const { status, stdout, stderr } = spawnSync(promtool!, ['check', 'metrics'], {
        input: text,
        encoding: 'utf8',
      });
      expect(`${stdout}${stderr}`).toBe('');
      expect(status).toBe(0);
    },
  );

  it('answers the header that Prometheus sends with a format that it asked for', async () => {
    const header =
      'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1';
    const answer = await scrape(header);
    expect(answer.headers.get('content-type')).toMatch(/^application\/openmetrics-text; ?version=1\.0\.0/);
    expect((await answer.text()).trimEnd().endsWith('# EOF')).toBe(true);
  });
});
