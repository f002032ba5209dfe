#!/usr/bin/env node
/** The process edge: arguments and configuration in, signals handled once, exit codes out (2: configuration). */
import { createRequire } from 'node:module';
import { defineCommand, runMain } from 'citty';
import { Collector } from './collector.js';
import { ConfigError, loadConfig, strayEnvironment } from './config.js';
import { createLogger, errorText } from './log.js';
import { StoreError } from './store/store.js';

const STOP_MS = 3000;
const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
const text = (description: string) => ({ type: 'string', description }) as const;

const run = defineCommand({
  meta: { name: 'run', description: 'Run the collector' },
  args: {
    config: text('YAML file with the configuration'),
    port: text('HTTP port (http.port)'),
    'mqtt-port': text('port of the embedded broker (mqtt.port)'),
    'data-dir': text('folder for the store and the models (data_dir)'),
    'log-level': text('fatal, error, warn, info, debug, trace or silent'),
  },
  run: ({ args }) => start(args as Record<string, string | undefined>).catch(fail),
});

async function start(args: Record<string, string | undefined>): Promise<void> {
  const config = loadConfig({
    file: args.config,
    environment: process.env,
    flags: {
      'http.port': args.port,
      'mqtt.port': args['mqtt-port'],
      data_dir: args['data-dir'],
      log_level: args['log-level'],
    },
  });
  const log = createLogger(config.log_level);
  for (const stray of strayEnvironment(process.env)) log.warn(stray);
  let stopping = false;
  const stop = (exitCode: number) => {
    if (stopping) process.exit(exitCode || 1);
    stopping = true;
    setTimeout(() => process.exit(exitCode), STOP_MS).unref();
    void collector.stop().then(() => process.exit(exitCode));
  };
  const onFatal = (error: Error) => {
    log.fatal({ error: error.message }, 'the collector cannot go on');
    if (!stopping) stop(1);
  };
  const collector = new Collector({ config, log, version, onFatal });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(0));
  process.on('disconnect', () => stop(0));
  const { httpPort, mqttUrl } = await collector.start();
  log.info({ http: `http://${config.http.host}:${httpPort}`, mqtt: mqttUrl }, 'the collector is ready');
  process.send?.({ type: 'ready', httpPort, mqttUrl });
}

function fail(error: unknown): never {
  process.stderr.write(`lineheron-collector: ${errorText(error)}\n`);
  process.exit(error instanceof ConfigError || error instanceof StoreError ? 2 : 1);
}

const main = defineCommand({ meta: { name: 'lineheron-collector', version }, subCommands: { run } });
await runMain(main);
