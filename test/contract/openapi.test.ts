/**
 * The API description is committed and reviewed like code: a change of the API shows as a change of this file.
 * `LINEHERON_UPDATE_OPENAPI=1 npm test` writes it anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../support/stack.js';

const COMMITTED = fileURLToPath(new URL('./openapi.json', import.meta.url));

let stack: Stack;
let served: { openapi: string; paths: Record<string, Record<string, unknown>> };

beforeAll(async () => {
  stack = await Stack.create();
  await stack.collector();
  served = (await stack.call<typeof served>('GET', '/openapi.json')).body;
});

afterAll(() => stack.close());

describe('/openapi.json', () => {
  it('is the committed description', () => {
    const text = `${JSON.stringify(served, null, 2)}\n`;
    if (process.env.LINEHERON_UPDATE_OPENAPI) writeFileSync(COMMITTED, text);
    expect(text).toBe(readFileSync(COMMITTED, 'utf8'));
  });

  it('is OpenAPI 3.1 and describes every classic route', () => {
    expect(served.openapi).toMatch(/^3\.1\./);
    const operations = Object.entries(served.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations).toEqual(
      expect.arrayContaining([
        'GET /status',
        'POST /train',
        'POST /start',
        'POST /stop',
        'POST /model',
        'GET /metrics',
        'GET /models',
        'GET /recent-results',
        'GET /livez',
        'GET /readyz',
        'DELETE /api/v1/trainings/{id}',
      ]),
    );
  });
});
