/** The demo's configuration: one collector, three simulated gateways and one agent that measures this very host. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const BACKFILL_MINUTES = 15;
export const HOST_AGENT = 'this-host';

const GATEWAYS = [
  { id: 'gw-harbour', site: 'Harbour', devices: ['modem-pier', 'modem-quay', 'modem-crane', 'modem-office'] },
  {
    id: 'gw-hillside',
    site: 'Hillside',
    devices: ['modem-farm', 'modem-mill', 'modem-chapel', 'modem-school'],
  },
  {
    id: 'gw-market',
    site: 'Market',
    devices: ['modem-cafe', 'modem-bakery', 'modem-clinic', 'modem-library'],
  },
];

/** JSON is YAML, so the generated files need no YAML writer. */
function writeConfig(path, config) {
  writeFileSync(path, `# Written by npm start; changes are lost.\n${JSON.stringify(config, null, 2)}\n`, {
    mode: 0o600,
  });
  return path;
}

/** Writes every part's configuration below `stateFolder` and says where it is. */
export function writeFleet(stateFolder, { httpPort, mqttPort, backfill }) {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  const collector = writeConfig(join(stateFolder, 'collector.yaml'), {
    data_dir: join(stateFolder, 'collector'),
    http: { port: httpPort },
    mqtt: { port: mqttPort },
  });
  const agent = (id, site, rest) => ({
    id,
    path: writeConfig(join(stateFolder, `${id}.yaml`), {
      agent_id: id,
      data_dir: join(stateFolder, id),
      mqtt: { url: `mqtt://127.0.0.1:${mqttPort}` },
      publish_records: 'all',
      labels: { site },
      ...rest,
    }),
  });
  const gateways = GATEWAYS.map(({ id, site, devices }, index) =>
    agent(id, site, {
      seed: 101 + index,
      source: {
        type: 'generate',
        devices,
        seed: 11 + index,
        backfill_minutes: backfill ? BACKFILL_MINUTES : 0,
      },
    }),
  );
  const host = agent(HOST_AGENT, 'This host', { source: { type: 'host' } });
  return { collector, gateways, host };
}
