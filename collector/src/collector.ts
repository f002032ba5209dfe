/**
 * The collector's life: starts its parts from the store outwards and ingest last, stops them from the source inwards.
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { WallClock } from '@lineheron/models';
import { FolderLock, LockedError, makePrivate } from '@lineheron/models/persist';
import { BrokerStartError, EmbeddedBroker } from './broker/embedded-broker.js';
import { BusyError } from './busy-error.js';
import { type Config, ConfigError, environmentName } from './config.js';
import { createApp } from './http/app.js';
import { HttpServer } from './http/server.js';
import { otherCollector } from './ingest/fleet-claim.js';
import { errorText, type Logger } from './log.js';
import { buildParts, type Parts } from './parts.js';
import { queriesOf } from './queries.js';
import { restore } from './restore.js';

export interface CollectorOptions {
  config: Config;
  log: Logger;
  version: string;
  now?: () => number;
  /** The collector cannot go on: the owner stops it and ends the process with an error. */
  onFatal: (error: Error) => void;
}

export interface Addresses {
  httpPort: number;
  mqttUrl: string;
}

const CONNECT_MS = 5000;
const TICK_MS = 5000;
/** What we write into the data folder. */
const isOwn = (name: string) =>
  /^(lineheron\.db|models$|collector\.lock|(device-tails|drift)\.json)/.test(name);
const DASHBOARD = fileURLToPath(new URL('../../dashboard/dist', import.meta.url));

export class Collector {
  private readonly now: () => number;
  private readonly parts: Parts;
  /** What is to be undone, newest last. */
  private readonly stops: Array<() => Promise<void> | void> = [];

  constructor(private readonly options: CollectorOptions) {
    const clock = new WallClock((byMs) => this.parts.clockMoved(byMs));
    this.now = options.now ?? (() => clock.now());
    this.parts = buildParts({ ...options, now: this.now });
  }

  /**
   * Resolves once it serves. Throws ConfigError when the surroundings are wrong, and BusyError when another collector
   * holds its folder or serves its broker: then nothing has changed in either.
   */
  async start(): Promise<Addresses> {
    try {
      await this.lockFolder();
      const { url } = this.options.config.mqtt;
      if (url !== undefined) await this.connect(url);
      await this.openStore();
      await this.startReviewer();
      const mqttUrl = url ?? (await this.startOwnBroker());
      const httpPort = await this.startHttp();
      await this.startIngest();
      return { httpPort, mqttUrl };
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Safe to call at any time, and twice. */
  async stop(): Promise<void> {
    for (const stop of this.stops.splice(0).reverse()) {
      try {
        await stop();
      } catch (error) {
        this.options.log.warn({ error: errorText(error) }, 'a part did not stop cleanly');
      }
    }
  }

  private async lockFolder(): Promise<void> {
    const { data_dir } = this.options.config;
    await mkdir(data_dir, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw new ConfigError(`data_dir: ${errorText(error)}`);
    });
    const lock = new FolderLock(data_dir, 'collector', process.pid);
    await lock.acquire().catch((error: unknown) => {
      if (!(error instanceof LockedError)) throw error;
      throw new BusyError(
        `${error.message}: stop it, or set data_dir (LINEHERON_DATA_DIR) to another folder`,
      );
    });
    this.stops.push(() => lock.release());
    for (const complaint of await makePrivate(data_dir, isOwn)) this.options.log.warn(complaint);
  }

  private async startOwnBroker(): Promise<string> {
    const secret = randomBytes(24).toString('base64url');
    const url = await this.startBroker(secret);
    await this.connect(url, secret);
    return url;
  }

  /** An external broker may come later; ingest then begins later. */
  private async connect(url: string, secret?: string): Promise<void> {
    const { link } = this.parts;
    this.stops.push(() => link.stop());
    link.start(url, secret);
    const other = await link.other(CONNECT_MS);
    if (other) throw new BusyError(otherCollector(other));
  }

  private async openStore(): Promise<void> {
    const { store } = this.parts;
    await store.open();
    this.stops.push(() => store.close());
    await restore(this.parts, this.now());
  }

  private async startReviewer(): Promise<void> {
    const { reviewer, candidates, kept } = this.parts;
    this.stops.push(() => reviewer.stop());
    await reviewer.start();
    // What was learnt is of a model: it can be told only now whether that is still in use.
    for (const one of kept) await one.start();
    this.stops.push(async () => {
      for (const one of kept) await one.keep();
    });
    this.stops.push(() => candidates.stop());
    await candidates.start();
  }

  private async startBroker(secret: string): Promise<string> {
    const { config, log, onFatal } = this.options;
    const { host, port, username, password, max_connections: maxConnections } = config.mqtt;
    const owner = { clientId: this.parts.link.clientId, secret };
    const broker = new EmbeddedBroker(
      { host, port, username, password, owner, limits: { maxConnections } },
      onFatal,
      (problem) => log.warn(problem),
      this.now,
    );
    this.parts.hosted.broker = broker;
    this.stops.push(() => broker.stop());
    const listening = await broker.start().catch((error: unknown) => {
      throw error instanceof BrokerStartError ? portError('mqtt.port', port, error) : error;
    });
    return `mqtt://${host === '::1' ? '[::1]' : host}:${listening}`;
  }

  private async startHttp(): Promise<number> {
    const { config, version, log } = this.options;
    const { host, port, allowed_origins, allowed_hosts, dashboard_dir, max_feed_clients } = config.http;
    const { store, control, feed } = this.parts;
    const onError = (error: unknown) => log.error({ error: errorText(error) }, 'a request failed');
    const app = createApp({
      queries: queriesOf(store),
      control,
      feed,
      version,
      allowedOrigins: allowed_origins,
      allowedHosts: allowed_hosts,
      dashboardDir: dashboard_dir ?? DASHBOARD,
      onError,
    });
    const server = new HttpServer({
      host,
      port,
      maxFeedClients: max_feed_clients,
      fetch: (request, env) => app.fetch(request, env),
      onError,
    });
    this.stops.push(() => server.stop());
    const listening = await server.start().catch((error: NodeJS.ErrnoException) => {
      throw error.code ? portError('http.port', port, { code: error.code, message: error.message }) : error;
    });
    feed.start();
    this.stops.push(() => feed.stop());
    return listening;
  }

  /** Ingest comes last: everything that it feeds is there. It stops first, and its last acknowledgements go out. */
  private async startIngest(): Promise<void> {
    const { pipeline, retention, receiver, link, training, queue, kept, hosted, fleet } = this.parts;
    const ticks = setInterval(() => {
      void pipeline.tick();
      hosted.broker?.know(fleet.reporting);
      for (const one of kept) one.keepDue();
    }, TICK_MS);
    const [newest] = await this.parts.store.recentWindows({ limit: 1 });
    retention.start(newest ? Date.parse(newest.received_at) : null);
    this.stops.push(async () => {
      clearInterval(ticks);
      retention.stop();
      await training.stop();
      await queue.close();
      await pipeline.tick();
      await link.stop();
    });
    const connected = receiver.connected();
    link.serve();
    if (!link.isClaimed) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CONNECT_MS);
    });
    await Promise.race([connected, late]);
    clearTimeout(timer);
  }
}

function portError(
  setting: string,
  port: number,
  { code, message }: { code: string; message: string },
): ConfigError {
  const name = environmentName(setting);
  if (code === 'EADDRINUSE') {
    return new ConfigError(`port ${port} is taken: set ${setting} (${name}) to a free one`);
  }
  if (code === 'EACCES') {
    return new ConfigError(
      `port ${port} may not be opened by this user: set ${setting} (${name}) above 1023`,
    );
  }
  return new ConfigError(`cannot listen on port ${port} (${setting}, ${name}): ${message}`);
}
