/** Every route with good and bad input, on the real parts with a real store; only the broker is not there. */
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  metricsViewSchema,
  modelViewSchema,
  type Problem,
  problemSchema,
  type StatusView,
  statusViewSchema,
  trainingSchema,
  windowViewSchema,
} from '@lineheron/models';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkAnswer } from '../../../test/support/answers.js';
import { loadConfig } from '../config.js';
import { createLogger } from '../log.js';
import { buildParts, type Parts } from '../parts.js';
import { at, BOOT, makeInfo } from '../testing/messages.js';
import { makeAlert, makeStored, makeTraining } from '../testing/stored.js';
import { createApp } from './app.js';
import { HttpServer } from './server.js';

let folder: string;
let parts: Parts;
let app: ReturnType<typeof createApp>;
const failures: unknown[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineheron-http-'));
  const config = loadConfig({ flags: { data_dir: folder } });
  const onFatal = (error: Error) => failures.push(error);
  parts = buildParts({ config, log: createLogger('silent'), version: '0.1.0', now: Date.now, onFatal });
  await parts.store.open();
  await parts.store.commit({
    ranges: [],
    windows: [makeStored(1), makeStored(2, { anomalous: true }), makeStored(3)],
    records: [],
    alerts: [makeAlert(), makeAlert({ id: `gw-1/${BOOT}/2/0`, status: 'closed' })],
    totals: {},
  });
  await parts.store.saveTraining(makeTraining());
  app = createApp({
    queries: parts.store,
    control: parts.control,
    feed: parts.feed,
    version: '0.1.0',
    allowedOrigins: ['https://noc.example.org'],
    allowedHosts: ['heron.example.org'],
    dashboardDir: join(folder, 'dashboard'),
    onError: (error) => failures.push(error),
  });
  checkEveryAnswer(app);
});

/** What a test asks without a server is checked against the description, too. */
function checkEveryAnswer(asked: typeof app): void {
  const { request } = asked;
  asked.request = async (input, init, ...more) => {
    const response = await request(input, init, ...more);
    if (process.env.LINEHERON_UPDATE_OPENAPI) return response;
    const url = input instanceof Request ? input.url : new URL(String(input), 'http://localhost').href;
    const method = input instanceof Request ? input.method : (init?.method ?? 'GET');
    await checkAnswer(method, url, response);
    return response;
  };
}

afterAll(async () => {
  await parts.training.stop();
  await parts.store.close();
  await rm(folder, { recursive: true, force: true });
});

const get = (path: string, headers: Record<string, string> = {}) => app.request(path, { headers });

function post(path: string, body?: unknown, headers: Record<string, string> = {}) {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return app.request(path, {
    method: 'POST',
    headers: { ...json, ...headers },
    ...(body === undefined ? {} : { body: text }),
  });
}

async function problem(answer: Response | Promise<Response>): Promise<Problem> {
  const response = await answer;
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const parsed = problemSchema.parse(await response.json());
  expect(parsed.status).toBe(response.status);
  return parsed;
}

describe('reading', () => {
  it.each([
    ['/status', statusViewSchema],
    ['/metrics', metricsViewSchema],
  ])('GET %s answers its schema', async (path, schema) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(schema.safeParse(await response.json()).error).toBeUndefined();
  });

  it('GET /models shows the four detectors', async () => {
    const { models } = (await (await get('/models')).json()) as { models: unknown[] };
    expect(models.map((model) => modelViewSchema.parse(model).name)).toHaveLength(4);
  });

  it('GET /recent-results gives the newest windows first and takes filters', async () => {
    const { results } = (await (await get('/recent-results?limit=2')).json()) as { results: unknown[] };
    expect(results.map((view) => windowViewSchema.parse(view).id)).toEqual([
      `gw-1/${BOOT}/3/0`,
      `gw-1/${BOOT}/2/0`,
    ]);
    const filtered = await (
      await get('/recent-results?anomalous=true&agent=gw-1&device=modem-1&scope=device')
    ).json();
    expect(filtered).toMatchObject({ results: [{ anomalous: true }] });
    const since = async (time: string) => (await get(`/recent-results?since=${time}`)).json();
    expect(await since(at(1))).toMatchObject({ results: [{}, {}, {}] });
    expect(await since(at(2))).toEqual({ results: [] });
  });

  it.each([
    ['/recent-results?limit=0', 'limit'],
    ['/recent-results?limit=ten', 'limit'],
    ['/recent-results?agent=NO', 'agent'],
    ['/recent-results?anomalous=maybe', 'anomalous'],
    ['/recent-results?since=yesterday', 'since'],
    ['/recent-results?devise=x', 'devise'],
    ['/api/v1/alerts?status=half-open', 'status'],
    ['/api/v1/windows?after=here', 'after'],
    [`/api/v1/windows?after=gw-1/${BOOT}/1000000000000000/0`, 'after'],
    ['/api/v1/trainings?limit=51', 'limit'],
  ])('GET %s is refused, naming %s', async (path, field) => {
    const { code, errors } = await problem(get(path));
    expect(code).toBe('invalid_request');
    expect(errors?.map((error) => error.path)).toEqual([field]);
  });

  it('GET /api/v1/windows pages through everything', async () => {
    const first = (await (await get('/api/v1/windows?limit=2')).json()) as {
      windows: unknown[];
      next: string;
    };
    expect(first.windows).toHaveLength(2);
    const rest = await get(`/api/v1/windows?limit=2&after=${encodeURIComponent(first.next)}`);
    expect(await rest.json()).toMatchObject({ windows: [{ id: `gw-1/${BOOT}/3/0` }], next: null });
  });

  it('GET /api/v1/alerts and one of them by its encoded id', async () => {
    expect(await (await get('/api/v1/alerts?status=open')).json()).toMatchObject({
      alerts: [{ status: 'open' }],
    });
    const id = `gw-1/${BOOT}/2/0`;
    expect(await (await get(`/api/v1/alerts/${encodeURIComponent(id)}`)).json()).toMatchObject({ id });
    expect((await problem(get('/api/v1/alerts/nobody'))).code).toBe('not_found');
  });

  it('GET /api/v1/trainings and one of them', async () => {
    expect(await (await get('/api/v1/trainings')).json()).toMatchObject({
      trainings: [{ id: 'training-1' }],
    });
    expect(trainingSchema.parse(await (await get('/api/v1/trainings/training-1')).json()).state).toBe('done');
    expect((await problem(get('/api/v1/trainings/none'))).code).toBe('not_found');
  });

  it('GET /metrics writes Prometheus text and OpenMetrics with exact content types', async () => {
    const text = await get('/metrics', { accept: 'text/plain' });
    expect(text.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await text.text()).toContain('# TYPE lineheron_windows_total counter');
    const open = await get('/metrics', { accept: 'application/openmetrics-text' });
    expect(open.headers.get('content-type')).toBe(
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    );
    expect((await open.text()).trimEnd().endsWith('# EOF')).toBe(true);
  });

  it('GET /metrics counts batches that found no room and messages that found no connection', async () => {
    parts.link.publish('nobody/hears', {});
    parts.totals.count('deferred', 3);
    const text = await (await get('/metrics', { accept: 'text/plain' })).text();
    expect(text).toMatch(new RegExp(`^lineheron_messages_unsent_total ${parts.link.unsent}$`, 'm'));
    expect(parts.link.unsent).toBeGreaterThan(0);
    expect(text).toMatch(/^lineheron_deferred_total 3$/m);
    expect(text).toMatch(/^lineheron_batches_waiting 0$/m);
  });

  it('GET /livez lives, GET /readyz says what is missing', async () => {
    expect((await get('/livez')).status).toBe(200);
    expect(await problem(get('/readyz'))).toMatchObject({
      code: 'not_ready',
      detail: 'The broker is not connected.',
    });
  });
});

describe('orders', () => {
  it('POST /start without anything trained says to train', async () => {
    expect(await problem(post('/start'))).toMatchObject({
      code: 'not_trained',
      detail: expect.stringContaining('/train'),
    });
  });

  it('POST /start needs no training where the adaptive baseline is active', async () => {
    await post('/model', { model_name: 'adaptive_baseline' });
    expect(await (await post('/start')).json()).toMatchObject({ detecting: true });
    await post('/stop');
    await post('/model', { model_name: 'ensemble' });
  });

  it('POST /stop may be said twice', async () => {
    for (let turn = 0; turn < 2; turn++) {
      const response = await post('/stop');
      expect(await response.json()).toMatchObject({ detecting: false });
    }
  });

  it('POST /model switches at once and keeps it', async () => {
    const response = await post('/model', { model_name: 'autoencoder' });
    expect(await response.json()).toMatchObject({ active_model: 'autoencoder' });
    expect(await parts.store.settings()).toMatchObject({ active_model: 'autoencoder' });
    await post('/model', { model_name: 'ensemble' });
  });

  it.each([
    ['/model', { model_name: 'oracle' }, 'model_name'],
    ['/model', {}, 'model_name'],
    ['/model', { model_name: 'ensemble', extra: 1 }, 'extra'],
    ['/train', { epochs: 0 }, 'epochs'],
    ['/train', { duration_seconds: -1 }, 'duration_seconds'],
    ['/train', { duration_seconds: 0 }, 'duration_seconds'],
    ['/train', { agents: ['NO'] }, 'agents.0'],
    ['/train', { seconds: 5 }, 'seconds'],
    ['/train?wait=perhaps', {}, 'wait'],
  ])('POST %s %j is refused, naming %s', async (path, body, field) => {
    const { code, errors } = await problem(post(path, body));
    expect(code).toBe('invalid_request');
    expect(errors?.map((error) => error.path)).toEqual([field]);
  });

  it('POST /model without a body names the missing field', async () => {
    expect((await problem(post('/model'))).errors?.[0]?.path).toBe('model_name');
  });

  it('POST /train without agents is a 409, with one it begins once, and can be cancelled once', async () => {
    expect((await problem(post('/train'))).code).toBe('no_agents');
    parts.fleet.setOnline('gw-1', true, Date.now());
    parts.fleet.setInfo('gw-1', makeInfo(), Date.now());
    expect(await problem(post('/train', { agents: ['gw-9', 'gw-1'] }))).toMatchObject({
      ...{ status: 404, code: 'unknown_agents', detail: 'Unknown: gw-9. Online: gw-1.' },
    });
    parts.fleet.setOnline('gw-2', false, Date.now());
    expect(await problem(post('/train', { agents: ['gw-2'] }))).toMatchObject({
      ...{ status: 409, code: 'no_agents', detail: 'Not online: gw-2. Online: gw-1.' },
    });
    const begun = await post('/train', '', { 'content-type': 'application/json' });
    expect(begun.status).toBe(202);
    const training = trainingSchema.parse(await begun.json());
    expect(training).toMatchObject({
      state: 'collecting',
      duration_seconds: 60,
      epochs: 50,
      use_history: false,
    });
    const location = `/api/v1/trainings/${training.id}`;
    expect(begun.headers.get('location')).toBe(location);
    expect((await problem(post('/train'))).code).toBe('training_in_progress');
    const cancelled = await app.request(location, { method: 'DELETE' });
    expect(await cancelled.json()).toMatchObject({ state: 'cancelled', agents: [{ state: 'cancelled' }] });
    expect((await problem(app.request(location, { method: 'DELETE' }))).code).toBe('training_over');
    expect((await problem(app.request('/api/v1/trainings/none', { method: 'DELETE' }))).code).toBe(
      'not_found',
    );
  });

  it('POST /start is accepted once some agent has a forest, and may be said twice', async () => {
    const forest = {
      kind: 'isolation_forest' as const,
      scope: 'device' as const,
      release: 1,
      sha256: 'a'.repeat(64),
      fingerprint: 'b'.repeat(16),
      trained_at: new Date().toISOString(),
      rows: 100,
      threshold: 0.6,
      size_bytes: 1000,
      training_ms: 5,
      inference_us: 2,
    };
    parts.fleet.setInfo('gw-1', makeInfo({ models: [forest] }), Date.now());
    for (let turn = 0; turn < 2; turn++) {
      const response = await post('/start');
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ detecting: true, trained: { isolation_forest: true } });
    }
    await post('/stop');
    await post('/model', { model_name: 'autoencoder' });
    expect((await problem(post('/start'))).code).toBe('not_trained');
  });

  it('POST /model to one that is not trained is refused while detecting, and allowed while stopped', async () => {
    await post('/model', { model_name: 'ensemble' });
    expect((await post('/start')).status).toBe(200);
    expect(await problem(post('/model', { model_name: 'autoencoder' }))).toMatchObject({
      status: 409,
      code: 'not_trained',
      detail: expect.stringContaining('/train'),
    });
    expect(parts.control.settings.active_model).toBe('ensemble');
    for (const model_name of ['isolation_forest', 'ensemble']) {
      expect((await post('/model', { model_name })).status).toBe(200);
    }
    await post('/stop');
    expect((await post('/model', { model_name: 'autoencoder' })).status).toBe(200);
  });
});

describe('bodies', () => {
  it.each([
    ['{', {}, 'invalid_json', 400],
    ['{}', { 'content-type': 'text/plain' }, 'unsupported_media_type', 415],
    [JSON.stringify({ x: 'y'.repeat(70_000) }), {}, 'too_large', 413],
    ['[]', {}, 'invalid_request', 400],
  ])('%.10s with %j is %s', async (body, headers, code, status) => {
    expect(await problem(post('/model', body, headers))).toMatchObject({ code, status });
  });

  it('without a content type are not guessed at', async () => {
    const body = new TextEncoder().encode('{"model_name":"ensemble"}');
    expect((await problem(app.request('/model', { method: 'POST', body }))).code).toBe(
      'unsupported_media_type',
    );
  });
});

describe('who may ask', () => {
  it('only under a host name that is served', async () => {
    expect((await problem(get('/status', { host: 'evil.example.org' }))).status).toBe(421);
    for (const host of ['localhost:8001', '127.0.0.1', '[::1]:80', 'heron.example.org']) {
      expect((await get('/livez', { host })).status).toBe(200);
    }
  });

  it('writes only from our own pages or an allowed origin', async () => {
    const host = 'localhost:8001';
    expect((await problem(post('/stop', undefined, { host, origin: 'https://evil.example' }))).status).toBe(
      403,
    );
    expect((await problem(post('/stop', undefined, { host, origin: 'null' }))).status).toBe(403);
    expect((await post('/stop', undefined, { host, origin: `http://${host}` })).status).toBe(200);
    expect((await post('/stop', undefined, { host, origin: 'https://noc.example.org' })).status).toBe(200);
  });

  it('reads for no page of another site, whether image, script, frame or fetch, and follows its links', async () => {
    const from = (site: string, mode: string, dest: string, more = {}) => ({
      ...{ 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest },
      ...more,
    });
    const upgrade = { upgrade: 'websocket', connection: 'upgrade' };
    const refused: Array<[string, Record<string, string>]> = [
      ['/recent-results?device=nope&limit=1', from('cross-site', 'no-cors', 'image')],
      ['/status', from('cross-site', 'no-cors', 'script')],
      ['/metrics', from('cross-site', 'cors', 'empty', { origin: 'https://evil.example' })],
      ['/api/v1/windows', from('Cross-Site', 'navigate', 'document')],
      ['/readyz', from('cross-site', 'no-cors', 'image')],
      ['/app/', from('cross-site', 'navigate', 'iframe')],
      ['/app/assets/index.js', from('cross-site', 'no-cors', 'script')],
      ['/ws', from('cross-site', 'websocket', 'websocket', upgrade)],
    ];
    for (const [path, headers] of refused) {
      expect((await problem(get(path, headers))).code).toBe('forbidden_origin');
      expect((await app.request(path, { method: 'HEAD', headers })).status).toBe(403);
    }
    const links = ['/', '/app', '/app/', '/docs'].map((path) =>
      get(path, from('cross-site', 'navigate', 'document')),
    );
    for (const answer of await Promise.all(links)) expect(answer.status).not.toBe(403);
    for (const site of ['same-origin', 'same-site', 'none']) {
      expect((await get('/status', from(site, 'cors', 'empty'))).status).toBe(200);
    }
    const allowed = from('cross-site', 'cors', 'empty', { origin: 'https://noc.example.org' });
    expect((await get('/status', allowed)).status).toBe(200);
  });

  it('the feed too, and only by WebSocket', async () => {
    const upgrade = { upgrade: 'websocket', connection: 'upgrade' };
    expect((await problem(get('/ws', { ...upgrade, origin: 'https://evil.example' }))).code).toBe(
      'forbidden_origin',
    );
    expect((await problem(get('/ws'))).code).toBe('invalid_request');
  });

  it('refuses a WebSocket beyond http.max_feed_clients, saying what to do', async () => {
    const full = vi.spyOn(parts.feed, 'isFull', 'get').mockReturnValue(true);
    const refusal = await problem(get('/ws', { upgrade: 'websocket', connection: 'upgrade' }));
    full.mockRestore();
    expect(refusal).toMatchObject({ status: 503, code: 'feed_full' });
    expect(refusal.detail).toContain('http.max_feed_clients');
  });

  it('refuses topics that there are not, before it becomes a WebSocket', async () => {
    const refusal = await problem(
      get('/ws?topics=fleet,gossip', { upgrade: 'websocket', connection: 'upgrade' }),
    );
    expect(refusal.errors).toMatchObject([{ path: 'topics' }]);
  });

  it('gets CORS headers as an allowed origin only', async () => {
    const allowed = await get('/status', { origin: 'https://noc.example.org' });
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://noc.example.org');
    const other = await get('/status', { origin: 'https://evil.example' });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('addresses', () => {
  it('that are unknown are a 404, known ones with a wrong method a 405 with Allow', async () => {
    expect((await problem(get('/nowhere'))).code).toBe('not_found');
    const wrong = await app.request('/train', { method: 'PUT' });
    expect(wrong.headers.get('allow')).toBe('POST');
    expect((await problem(wrong)).code).toBe('method_not_allowed');
    const training = await app.request('/api/v1/trainings/x', { method: 'POST' });
    expect(training.headers.get('allow')).toBe('DELETE, GET, HEAD');
  });

  it('carry careful headers, on errors too', async () => {
    for (const path of ['/status', '/nowhere', '/app/']) {
      const { headers } = await get(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    }
  });

  it('/ and /app lead to the dashboard, which says how to build it when it is not there', async () => {
    expect((await get('/')).headers.get('location')).toBe('/app/');
    const page = await get('/app/');
    expect(page.status).toBe(503);
    expect(await page.text()).toContain('npm run build');
  });

  it.each(['/app/..%2f..%2fetc%2fpasswd', '/app/%2e%2e/lineheron.db', '/app/../lineheron.db', '/app/%00'])(
    '%s does not lead out of the dashboard',
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );
});

describe('the description', () => {
  it('is OpenAPI 3.1, names every route and the very fields that are validated', async () => {
    const document = (await (await get('/openapi.json')).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { responses: object }>>;
      components: { schemas: Record<string, { properties?: object }> };
    };
    expect(document.openapi).toBe('3.1.0');
    const named = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(named.sort()).toEqual([
      'delete /api/v1/trainings/{id}',
      'get /api/v1/agents',
      'get /api/v1/alerts',
      'get /api/v1/alerts/{id}',
      'get /api/v1/lines',
      'get /api/v1/trainings',
      'get /api/v1/trainings/{id}',
      'get /api/v1/windows',
      'get /livez',
      'get /metrics',
      'get /models',
      'get /readyz',
      'get /recent-results',
      'get /status',
      'post /api/v1/raw-lines',
      'post /model',
      'post /start',
      'post /stop',
      'post /train',
    ]);
    const schemas = Object.keys(document.components.schemas);
    expect(schemas).toEqual(expect.arrayContaining(['Status', 'Training', 'Alert', 'Window', 'Problem']));
  });

  it('is shown by our own files', async () => {
    expect(await (await get('/docs')).text()).toContain('/docs/swagger-ui-bundle.js');
    expect((await get('/docs/swagger-ui-bundle.js')).headers.get('content-type')).toContain('javascript');
    expect((await get('/docs/start.js')).status).toBe(200);
    expect((await problem(get('/docs/package.json'))).code).toBe('not_found');
  });
});

it('is not ready while the store takes nothing, says why and where, and is again when it does', async () => {
  const path = join(folder, 'lineheron.db');
  await rename(path, `${path}.away`);
  const commit = { ranges: [], windows: [makeStored(9)], records: [], alerts: [], totals: {} };
  await expect(parts.store.commit(commit)).rejects.toThrow(path);
  expect(await problem(post('/stop'))).toMatchObject({
    ...{ status: 503, code: 'not_ready' },
    detail: expect.stringContaining(path),
  });
  const { status, code, detail } = await problem(get('/readyz'));
  expect([status, code]).toEqual([503, 'not_ready']);
  expect(detail).toContain(`Nothing can be stored: the store ${path}`);
  const seen = (await (await get('/status')).json()) as StatusView;
  expect(seen.problems).toMatchObject([{ code: 'store_failing', message: expect.stringContaining(path) }]);
  expect(await (await get('/metrics', { accept: 'text/plain' })).text()).toContain(
    'lineheron_problem{problem="store_failing"} 1',
  );
  await rename(`${path}.away`, path);
  await parts.store.commit(commit);
  expect((await problem(get('/readyz'))).detail).toBe('The broker is not connected.');
  expect(((await (await get('/status')).json()) as StatusView).problems).toEqual([]);
});

it('nothing went wrong inside meanwhile', () => {
  expect(failures).toEqual([]);
});

describe('uploads that are given up half-way', () => {
  it.each([
    ['a length', 'Content-Length: 1000\r\n\r\n{"a"'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":'],
    ['broken chunks', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ])('with %s are no failure of ours, and log nothing', async (_name, rest) => {
    const server = new HttpServer({
      host: '127.0.0.1',
      port: 0,
      maxFeedClients: 10,
      fetch: (request, env) => app.fetch(request, env),
      onError: (error) => failures.push(error),
    });
    const port = await server.start();
    const before = failures.length;
    for (let turn = 0; turn < 10; turn++) {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      const ended = new Promise((resolve) => socket.on('close', resolve));
      socket.write(`POST /train HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${rest}`);
      // What comes on a later connection was served after this one was read.
      expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
      socket.destroy();
      await ended;
    }
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
    await server.stop();
    expect(failures.slice(before)).toEqual([]);
  });
});
