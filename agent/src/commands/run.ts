/**
 * `run`: the daemon. Signals: SIGINT and SIGTERM end it within 3 s, a second one at once; SIGHUP reads the
 * configuration again, takes over what can change while running and says what needs a restart. An invalid new
 * configuration is refused and the old one goes on.
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createPrivately, LockedError, makePrivate } from '@lineheron/models/persist';
import type { Logger } from 'pino';
import { Agent } from '../agent.js';
import { systemClock } from '../clock.js';
import type { Config } from '../config.js';
import { ConfigError } from '../config-error.js';
import { schemaKeys } from '../config-keys.js';
import { strayEnvironment } from '../config-overrides.js';
import { EXIT, type ExitCode, ExitError } from '../exit-code.js';
import { createLog, messageOf } from '../log.js';
import { processMemory, Trimming } from '../memory.js';
import { ServiceManager } from '../service-manager.js';
import { failItsSource } from '../source/contained.js';
import { type Command, configArgs, type Given, type Surroundings } from './command.js';
import { configPath, readConfig } from './config-file.js';

const STOP_DEADLINE_MS = 2_800;
const TRIM_EVERY_MS = 20_000;
/** A second signal: whoever sends two means it. */
const INTERRUPTED = 130;

async function makeDataFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((error) => {
    throw new ConfigError(`data_dir: ${messageOf(error)}`);
  });
}

/** The daemon's life in this process; resolves to its exit code. */
class Daemon {
  private stopping = false;
  private reloading: Promise<void> = Promise.resolve();
  private readonly agent: Agent;
  private readonly manager: ServiceManager;
  private settle: (code: ExitCode) => void = () => {};
  private fail: (error: unknown) => void = () => {};

  constructor(
    private readonly config: Config,
    private readonly version: string,
    private readonly log: Logger,
    private readonly readAgain: () => Promise<Config>,
    environment: NodeJS.ProcessEnv,
  ) {
    const monotonicUs = () => process.hrtime.bigint() / 1000n;
    this.manager = new ServiceManager({ environment, pid: process.pid, monotonicUs, log });
    this.agent = new Agent({
      config,
      version,
      boot: randomBytes(8).toString('hex'),
      pid: process.pid,
      clock: systemClock,
      random: Math.random,
      log,
      onPhase: (phase) => this.send({ type: 'phase', phase }),
      onEnded: () => this.stop(),
    });
  }

  async run(): Promise<ExitCode> {
    const ended = new Promise<ExitCode>((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.stop());
    process.on('SIGHUP', () => this.reload());
    process.on('disconnect', () => this.stopping || this.stop());
    process.on('uncaughtException', (error) => this.faultOf(error));
    const starting = this.agent.start();
    this.reloading = starting.catch(() => {});
    await starting;
    const { version } = this;
    const sources = this.config.sources.map(({ type }) => type);
    this.log.info({ version, sources, broker: this.config.mqtt.url }, 'lineheron-agent is running');
    this.manager.ready(this.status);
    this.send({ type: 'ready' });
    this.keepSmall();
    return ended;
  }

  /** A comfort: when it fails, the agent goes on as large as it is. */
  private keepSmall(): void {
    const trimming = new Trimming(processMemory());
    const timer = setInterval(() => {
      try {
        trimming.check();
      } catch (error) {
        clearInterval(timer);
        this.log.warn({ error: messageOf(error) }, 'cannot give free memory back');
      }
    }, TRIM_EVERY_MS);
    timer.unref();
  }

  private get status(): string {
    return `reads ${this.config.sources.map(({ type }) => type).join(', ')}, reports to ${this.config.mqtt.url}`;
  }

  /** A source's fault ends that source. Anybody else's ends the process: nobody knows then what still holds. */
  private faultOf(error: unknown): void {
    if (failItsSource(error)) return;
    this.log.fatal(
      { error: messageOf(error), stack: (error as Error)?.stack },
      'a fault of the program: it ends',
    );
    process.exit(EXIT.failed);
  }

  private send(message: object): void {
    if (process.connected) process.send?.(message, () => {});
  }

  private stop(reason?: ExitError): void {
    if (this.stopping) process.exit(reason?.code ?? INTERRUPTED);
    this.stopping = true;
    this.manager.stopping();
    const late = () => this.fail(new ExitError(EXIT.failed, 'could not end in time'));
    setTimeout(late, STOP_DEADLINE_MS).unref();
    this.agent.stop().then(() => (reason ? this.fail(reason) : this.settle(EXIT.ok)), this.fail);
  }

  /** One after another, the first after the start. */
  private reload(): void {
    this.reloading = this.reloading.then(async () => {
      if (this.stopping) return;
      const { log } = this;
      this.manager.reloading();
      try {
        const next = await this.readAgain();
        const { live, restart } = await this.agent.reload(next);
        log.level = next.log_level;
        log.info({ changed: live }, 'the configuration was read again');
        if (restart.length > 0)
          log.warn({ keys: restart }, 'these changes need a restart; until then nothing changes');
      } catch (error) {
        log.error({ error: messageOf(error) }, 'the new configuration is refused: going on with the old one');
      }
      this.manager.ready(this.status);
    });
  }
}

/** What we write into the data folder. */
const isOwn = (name: string) =>
  /^(spool|models|flight-recorder)$|^(agent\.lock|quarantine\.jsonl|history\.|baselines\.bin|own-tails\.bin|(desired|drift)\.json)/.test(
    name,
  );

async function perform(given: Given, around: Surroundings): Promise<ExitCode> {
  createPrivately();
  const path = await configPath(given, around);
  const config = await readConfig(path, given, around);
  await makeDataFolder(config.data_dir);
  const log = createLog(config.log_level, config.agent_id);
  for (const complaint of await makePrivate(config.data_dir, isOwn)) log.warn(complaint);
  for (const stray of strayEnvironment(around.environment, schemaKeys)) log.warn(stray);
  const readAgain = () => readConfig(path, given, around);
  return new Daemon(config, around.version, log, readAgain, around.environment).run().catch((error) => {
    throw error instanceof LockedError ? new ExitError(EXIT.busy, error.message) : error;
  });
}

export const run: Command = {
  name: 'run',
  description: 'Run the agent until it is told to end',
  args: configArgs,
  help: `Logs JSON lines on standard error. Over the file stand environment variables (LINEHERON_MQTT_URL for mqtt.url),
over these --set. A password can come from mqtt.password_file, LINEHERON_MQTT_PASSWORD or the systemd credential
mqtt_password.

SIGNALS

  SIGINT, SIGTERM  end within 3 s; a second one at once
  SIGHUP           read the configuration again

EXAMPLES

  lineheron-agent run --config agent.yaml
  lineheron-agent run --config agent.yaml --set log_level=debug`,
  perform,
};
