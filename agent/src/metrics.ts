/**
 * The agent's counters as Prometheus text (exposition format 0.0.4) on the loopback address, for this machine only.
 * Answers nothing but GET /metrics, and only to names of this machine, so that no web page can ask through a browser.
 */
import type { Server } from 'node:http';
import type { AgentInfo } from '@lineheron/models';
import { type Log, messageOf } from './log.js';

const PREFIX = 'lineheron_agent_';
const HOST = '127.0.0.1';
const LOCAL_NAME = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;
/** Counts that go down again. */
const GAUGES = new Set(['devices']);

export interface MetricsState {
  info: AgentInfo;
  connected: boolean;
  residentBytes: number;
}

const quoted = (text: string) =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;

function metric(type: 'counter' | 'gauge', name: string, lines: readonly string[]): string {
  const full = PREFIX + name;
  return `# TYPE ${full} ${type}\n${lines.map((line) => `${full}${line}\n`).join('')}`;
}

/** Everything that the agent's info tells, as text. Pure. */
export function metricsText({ info, connected, residentBytes }: MetricsState): string {
  const labels = Object.entries({
    agent: info.agent,
    version: info.version,
    source: info.source.type,
    boot: info.boot,
  });
  const counters = Object.entries(info.counters).sort(([a], [b]) => (a < b ? -1 : 1));
  const of = (gauge: boolean) => counters.filter(([name]) => GAUGES.has(name) === gauge);
  const plain = (name: string) => name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
  return [
    metric('gauge', 'info', [`{${labels.map(([name, value]) => `${name}=${quoted(value)}`).join(',')}} 1`]),
    metric('gauge', 'connected', [` ${connected ? 1 : 0}`]),
    metric('gauge', 'detecting', [` ${info.detecting ? 1 : 0}`]),
    metric('gauge', 'start_time_seconds', [` ${Date.parse(info.started_at) / 1000}`]),
    metric('gauge', 'resident_memory_bytes', [` ${residentBytes}`]),
    metric('gauge', 'spool_batches', [` ${info.spool.batches}`]),
    metric('gauge', 'spool_bytes', [` ${info.spool.bytes}`]),
    ...(info.models.length === 0
      ? []
      : [
          metric(
            'gauge',
            'model_release',
            info.models.map(
              (model) => `{kind=${quoted(model.kind)},scope=${quoted(model.scope)}} ${model.release}`,
            ),
          ),
        ]),
    ...(info.source.refused === undefined
      ? []
      : [
          metric(
            'gauge',
            'source_refused_share',
            info.source.refused.map(
              ({ source, code, lines, of }) =>
                `{source=${quoted(source)},code=${quoted(code)}} ${lines / of}`,
            ),
          ),
        ]),
    ...of(true).map(([name, value]) => metric('gauge', plain(name), [` ${value}`])),
    ...of(false).map(([name, value]) => metric('counter', `${plain(name)}_total`, [` ${value}`])),
  ].join('');
}

export class MetricsServer {
  private server: Server | null = null;
  /** The port in use while it serves. */
  port: number | null = null;

  /** `state` null: not ready yet. */
  constructor(
    private readonly state: () => MetricsState | null,
    private readonly log: Log,
  ) {}

  /** Serves on a port, 0 for a free one; undefined serves nothing. A port that is taken is told, no reason to end. */
  async start(port: number | undefined): Promise<void> {
    if (port === undefined) return;
    // Loaded only when asked for: it costs memory that most agents do not spend.
    const { createServer } = await import('node:http');
    const server = createServer((request, response) => {
      const answer = this.answer(request.method, request.url, request.headers.host);
      response.writeHead(answer.status, { 'content-type': answer.type, 'cache-control': 'no-store' });
      response.end(answer.text);
    });
    server.maxConnections = 16;
    server.requestTimeout = 5_000;
    await new Promise<void>((resolve) => {
      server.once('error', (error) => {
        this.log.error({ port, error: messageOf(error) }, 'cannot serve metrics');
        resolve();
      });
      server.listen(port, HOST, () => {
        this.server = server;
        this.port = (server.address() as { port: number }).port;
        this.log.info({ address: `http://${HOST}:${this.port}/metrics` }, 'metrics are served');
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = null;
    this.port = null;
    if (!server) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  private answer(method: string | undefined, url: string | undefined, host: string | undefined) {
    const plain = (status: number, text: string) => ({
      status,
      type: 'text/plain; charset=utf-8',
      text: `${text}\n`,
    });
    if (!LOCAL_NAME.test(host ?? '')) return plain(403, 'only for this machine');
    if (url?.split('?')[0] !== '/metrics') return plain(404, 'there is only /metrics');
    if (method !== 'GET') return plain(405, 'only GET');
    const state = this.state();
    if (!state) return plain(503, 'not ready yet');
    return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', text: metricsText(state) };
  }
}
