/** Every answer that any test gets of the collector is checked against the description; this checks the check. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deviceIdSchema } from '@lineheron/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Answers } from '../support/answers.js';
import { Stack } from '../support/stack.js';

const TEXT = readFileSync(fileURLToPath(new URL('./openapi.json', import.meta.url)), 'utf8');
const description = JSON.parse(TEXT);
const answers = new Answers(description);

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.create();
  await stack.collector();
});

afterAll(() => stack.close());

/** Everything in the document under a key of this name. */
function all(key: string, within: unknown = description): unknown[] {
  if (typeof within !== 'object' || within === null) return [];
  return Object.entries(within).flatMap(([name, value]) => [
    ...(name === key ? [value] : []),
    ...all(key, value),
  ]);
}

describe('the description', () => {
  it('holds patterns that every engine reads, without flags, and that let real names pass', () => {
    const patterns = all('pattern').filter((one) => typeof one === 'string');
    expect(patterns.length).toBeGreaterThan(5);
    for (const pattern of patterns) {
      expect(() => new RegExp(pattern)).not.toThrow();
      expect(pattern).toMatch(/\$$/);
      expect(pattern).not.toMatch(/\\[pP]\{/);
    }
    const device = patterns.find((pattern) => pattern.includes('#*'))!;
    for (const name of ['modem-1', 'Büro 3', '家', '📡'.repeat(60)]) {
      expect([name, new RegExp(device).test(name)]).toEqual([name, deviceIdSchema.safeParse(name).success]);
    }
    for (const name of ['', 'a/b', 'a+', '#', 'a\n', '\u0085']) {
      expect([name, new RegExp(device).test(name)]).toEqual([name, deviceIdSchema.safeParse(name).success]);
    }
  });

  it('names every operation once', () => {
    const operations = Object.values(description.paths).flatMap((path) => Object.values(path as object));
    const ids = operations.map(({ operationId }) => operationId);
    expect(ids.every((id) => /^[a-z][A-Za-z]+$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('describes what the feed sends and takes', () => {
    const { parameters, ...ws } = description['x-websockets']['/ws'];
    expect(parameters).toHaveLength(2);
    const refs = all('$ref', ws) as string[];
    for (const ref of refs) expect(description.components.schemas).toHaveProperty(ref.split('/').at(-1)!);
    expect(refs).toEqual(
      expect.arrayContaining(['#/components/schemas/FeedFrame', '#/components/schemas/FeedRequest']),
    );
  });
});

describe('an answer', () => {
  it('that is not as described is found, by its status, its type or its body', () => {
    const problem = 'application/problem+json';
    expect(answers.fault('GET', '/livez', 200, 'application/json', { status: 'ok' })).toBeNull();
    expect(answers.fault('GET', '/livez', 200, 'application/json', { status: 'well' })).toContain('status');
    expect(answers.fault('GET', '/livez', 418, problem, {})).toContain('418');
    expect(answers.fault('GET', '/livez', 200, 'text/html', null)).toContain('text/html');
    expect(answers.fault('GET', '/api/v1/alerts/x', 404, problem, { code: 'lost' })).toContain('code');
    expect(answers.fault('GET', '/nowhere', 200, 'text/html', null)).toBeNull();
  });

  it('of a real collector is checked wherever a test asks', async () => {
    const paths = ['/status', '/models', '/metrics', '/recent-results', '/api/v1/windows', '/api/v1/alerts'];
    const more = ['/api/v1/trainings', '/livez', '/readyz', '/api/v1/alerts/none', '/api/v1/trainings/none'];
    for (const path of [...paths, ...more]) {
      const { status } = await stack.call('GET', path);
      expect([200, 404]).toContain(status);
    }
    expect((await stack.call('GET', `/api/v1/alerts/${'x'.repeat(300)}`)).status).toBe(400);
    expect((await stack.call('POST', '/train', { duration_seconds: 0 })).status).toBe(400);
  });
});
