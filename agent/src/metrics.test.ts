/** The exposition text against the format's rules, and a server that only this machine may ask. */
import { request } from 'node:http';
import type { AgentInfo } from '@lineheron/models';
import { afterEach, describe, expect, it } from 'vitest';
import { MetricsServer, metricsText } from './metrics.js';
import { silentLog } from './test-support.js';

const INFO: AgentInfo = {
  v: 1,
  agent: 'gw-1',
  boot: '0123456789abcdef',
  version: '1.2"3',
  started_at: '2026-01-01T00:00:00.000Z',
  source: { type: 'tail', detail: 'x', phase: 'live' },
  window_seconds: 30,
  fingerprint: '0123456789abcdef',
  features: [{ name: 'latency_mean', unit: 'ms' }],
  models: [],
  detecting: true,
  active_model: 'ensemble',
  labels: {},
  spool: { batches: 3, bytes: 4096 },
  counters: { lines: 12, devices: 2, 'refused_not json': 1 },
};

describe('metricsText', () => {
  it('writes one typed metric a line, with escaped labels and names as the format allows them', () => {
    const text = metricsText({ info: INFO, connected: true, residentBytes: 50_000_000 });
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(/^(# TYPE [a-z][a-z0-9_]* (counter|gauge)|[a-z][a-z0-9_]*(\{.*\})? [0-9.e+]+)$/);
    }
    expect(text).toContain('lineheron_agent_info{agent="gw-1",version="1.2\\"3",source="tail"');
    expect(text).toContain('# TYPE lineheron_agent_lines_total counter\nlineheron_agent_lines_total 12\n');
    expect(text).toContain('# TYPE lineheron_agent_devices gauge\nlineheron_agent_devices 2\n');
    expect(text).toContain('lineheron_agent_refused_not_json_total 1\n');
    expect(text).toContain('lineheron_agent_connected 1\n');
  });
});

describe('MetricsServer', () => {
  let server: MetricsServer | null = null;
  afterEach(() => server?.stop());

  function ask(path: string, method = 'GET', host?: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = host === undefined ? {} : { host };
      const asked = request({ host: '127.0.0.1', port: server!.port!, path, method, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode!, text }));
      });
      asked.on('error', reject).end();
    });
  }

  it('answers GET /metrics and nothing else, and only under a name of this machine', async () => {
    let ready = false;
    server = new MetricsServer(
      () => (ready ? { info: INFO, connected: false, residentBytes: 1 } : null),
      silentLog,
    );
    await server.start(0);
    expect((await ask('/metrics')).status).toBe(503);
    ready = true;
    expect(await ask('/metrics')).toMatchObject({
      status: 200,
      text: expect.stringContaining('_spool_batches 3'),
    });
    expect((await ask('/')).status).toBe(404);
    expect((await ask('/metrics', 'POST')).status).toBe(405);
    expect((await ask('/metrics', 'GET', 'evil.example')).status).toBe(403);
    expect((await ask('/metrics', 'GET', `localhost:${server.port}`)).status).toBe(200);
  });

  it('says that a port is taken, and goes on', async () => {
    const first = new MetricsServer(() => null, silentLog);
    await first.start(0);
    const said: unknown[] = [];
    server = new MetricsServer(() => null, { ...silentLog, error: (what: unknown) => said.push(what) });
    await server.start(first.port!);
    expect(said).toMatchObject([{ error: expect.stringMatching(/EADDRINUSE/) }]);
    expect(server.port).toBeNull();
    await first.stop();
  });
});
