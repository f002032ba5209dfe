/** `run`: the collector, until a signal ends it. */

import { statSync } from 'node:fs';
import { endDespiteLookups, type Given } from '@lineheron/models/command-line';
import { createPrivately } from '@lineheron/models/persist';
import { Collector } from '../collector.js';
import { strayEnvironment } from '../config.js';
import { createLogger } from '../log.js';
import { type Command, configArgs, configFile, readConfig, type Surroundings } from './command.js';

const STOP_MS = 3000;

async function perform(given: Given, around: Surroundings): Promise<null> {
  createPrivately();
  const { environment, version } = around;
  const file = configFile(given, around);
  const config = readConfig(given, around);
  const log = createLogger(config.log_level);
  for (const stray of strayEnvironment(environment)) log.warn(stray);
  if (file && config.mqtt.password !== undefined && (statSync(file).mode & 0o077) !== 0) {
    log.warn(`${file} may be read by other users, and there is a password: chmod 600 it`);
  }
  // Of names it looks up only that of a broker elsewhere.
  if (config.mqtt.url !== undefined) endDespiteLookups((await import('@lineheron/native')).exitNow);
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
  const http = `http://${config.http.host}:${httpPort}`;
  log.info({ http, mqtt: mqttUrl, ...(file && { config: file }) }, 'the collector is ready');
  process.send?.({ type: 'ready', httpPort, mqttUrl });
  return null;
}

export const run: Command = {
  name: 'run',
  description: 'Run the collector until it is told to end',
  args: configArgs,
  help: `Without a configuration every setting has its default: HTTP on 127.0.0.1:8001, a broker on 127.0.0.1:1883, data in
.lineheron/collector. Over the file stand environment variables (LINEHERON_HTTP_PORT for http.port), over these --set and
the options. Logs JSON lines on standard error. SIGINT and SIGTERM end it within 3 s.

EXAMPLES

  lineheron-collector run
  lineheron-collector run --config collector.yaml
  lineheron-collector run --port 8080 --set retention.windows_hours=24`,
  perform,
};
