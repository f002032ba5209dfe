/** A whole lineheron in a folder of its own: a collector with its broker and store, and any number of agents. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusView, Training, WindowView } from '@lineheron/models';
import { freePorts } from './ports.js';
import { Part } from './process.js';
import { waitFor } from './wait.js';

type Config = Record<string, unknown>;

export class Stack {
  readonly parts: Part[] = [];
  /** Options of Node for the parts that are made from now on. */
  nodeArgs: readonly string[] = [];

  private constructor(
    readonly folder: string,
    readonly httpPort: number,
    readonly mqttPort: number,
  ) {}

  static async create(): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), 'lineheron-stack-'));
    const [httpPort, mqttPort] = (await freePorts(2)) as [number, number];
    return new Stack(folder, httpPort, mqttPort);
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  get mqttUrl(): string {
    return `mqtt://127.0.0.1:${this.mqttPort}`;
  }

  get databasePath(): string {
    return join(this.folder, 'collector', 'lineheron.db');
  }

  async collector(config: Config = {}): Promise<Part> {
    return this.part('collector', 'collector', {
      data_dir: join(this.folder, 'collector'),
      http: { port: this.httpPort },
      mqtt: { port: this.mqttPort },
      ...config,
    });
  }

  async agent(id: string, config: Config): Promise<Part> {
    return this.part('agent', id, {
      agent_id: id,
      data_dir: join(this.folder, id),
      mqtt: { url: this.mqttUrl },
      publish_records: 'all',
      ...config,
    });
  }

  /** A broker that is a process of its own; collectors must then be told its `url`. `secrets` as it takes them. */
  async broker(...secrets: string[]): Promise<Part> {
    const part = new Part('test/support/broker.mjs', [String(this.mqttPort), ...secrets]);
    this.parts.push(part);
    return part.start();
  }

  private async part(workspace: 'agent' | 'collector', name: string, config: Config): Promise<Part> {
    const path = join(this.folder, `${name}.yaml`);
    await writeFile(path, JSON.stringify(config));
    const part = Part.configured(workspace, path, this.nodeArgs);
    this.parts.push(part);
    return part.start();
  }

  /** A call to the collector: status and parsed body. */
  async call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: T }> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return { status: answer.status, body: (await answer.json().catch(() => null)) as T };
  }

  async status(): Promise<StatusView> {
    return (await this.call<StatusView>('GET', '/status')).body;
  }

  /** Trains on what is kept and waits for the end. */
  async trainOnHistory(): Promise<Training> {
    const body = { duration_seconds: 0, use_history: true };
    const { body: begun } = await this.call<Training>('POST', '/train?wait=true', body);
    if (begun.finished_at !== null) return begun;
    return waitFor('the end of the training', async () => {
      const training = (await this.call<Training>('GET', `/api/v1/trainings/${begun.id}`)).body;
      return training.finished_at !== null && training;
    });
  }

  /** Every stored window, page by page. */
  async storedWindows(agent: string): Promise<WindowView[]> {
    const windows: WindowView[] = [];
    for (;;) {
      const after = windows.at(-1)?.id;
      const query = new URLSearchParams({ agent, limit: '1000', ...(after ? { after } : {}) });
      const { body } = await this.call<{ windows: WindowView[] }>('GET', `/api/v1/windows?${query}`);
      windows.push(...body.windows);
      if (body.windows.length < 1000) return windows;
    }
  }

  async agentsOnline(count: number): Promise<StatusView> {
    return waitFor(`${count} agents online`, async () => {
      const status = await this.status();
      return status.agents.filter(({ online }) => online).length === count && status;
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.parts.reverse().map((part) => part.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
