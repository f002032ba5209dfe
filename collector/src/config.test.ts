import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ConfigError, configSchema, environmentName, loadConfig, settingPaths } from './config.js';

const EXAMPLE = fileURLToPath(new URL('../lineheron-collector.example.yaml', import.meta.url));

function file(content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'lineheron-config-')), 'config.yaml');
  writeFileSync(path, content);
  return path;
}

describe('loadConfig', () => {
  it('gives the documented defaults without any source', () => {
    const config = loadConfig({});
    expect(config.http).toMatchObject({ host: '127.0.0.1', port: 8001, allowed_origins: [] });
    expect(config.mqtt).toMatchObject({ embedded: true, port: 1883 });
    expect(config).toMatchObject({ threshold_percentile: 95, epochs: 50, contamination: 0.1 });
  });

  it('reads the example file, which says exactly the defaults', () => {
    expect(loadConfig({ file: EXAMPLE })).toEqual(configSchema.parse({}));
  });

  it('lets the environment beat the file and flags beat the environment', () => {
    const path = file('http: { port: 1000 }\nmqtt: { port: 1001 }\nepochs: 7\n');
    const environment = { LINEHERON_HTTP_PORT: '2000', LINEHERON_MQTT_PORT: '2001' };
    const config = loadConfig({ file: path, environment, flags: { 'http.port': '3000' } });
    expect([config.http.port, config.mqtt.port, config.epochs]).toEqual([3000, 2001, 7]);
  });

  it('names every unknown and every wrong key', () => {
    const load = () => loadConfig({ file: file('http: { prot: 1 }\nepochs: many\n') });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/http\.prot: unknown key/);
    expect(load).toThrow(/epochs: /);
  });

  it('refuses a bind beyond loopback and says that accounts are not there yet', () => {
    expect(() => loadConfig({ environment: { LINEHERON_HTTP_HOST: '0.0.0.0' } })).toThrow(
      /http\.host: .*accounts/,
    );
  });

  it('refuses an external broker while the embedded one is on', () => {
    expect(() => loadConfig({ file: file('mqtt: { url: "mqtt://broker:1883" }') })).toThrow(/mqtt\.url/);
    const config = loadConfig({ file: file('mqtt: { embedded: false, url: "mqtt://broker:1883" }') });
    expect(config.mqtt.url).toBe('mqtt://broker:1883');
  });

  it('keeps a password of digits as text and splits lists at commas', () => {
    const environment = { LINEHERON_MQTT_PASSWORD: '12345', LINEHERON_HTTP_ALLOWED_HOSTS: 'a.test, b.test' };
    const config = loadConfig({ environment });
    expect(config.mqtt.password).toBe('12345');
    expect(config.http.allowed_hosts).toEqual(['a.test', 'b.test']);
  });

  it('is frozen through and through', () => {
    const config = loadConfig({});
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
  });

  it('says in one line what is wrong with a file that cannot be read', () => {
    expect(() => loadConfig({ file: '/nonexistent/config.yaml' })).toThrow(
      /config\.yaml: there is no such file/,
    );
    expect(() => loadConfig({ file: file('- 1\n- 2\n') })).toThrow(/must be a mapping/);
  });
});

describe('settingPaths', () => {
  it('lists every leaf of the schema, so that each has an environment name', () => {
    const paths = settingPaths();
    expect(paths).toEqual(
      expect.arrayContaining(['http.port', 'mqtt.url', 'retention.max_store_gb', 'log_level']),
    );
    expect(environmentName('retention.max_store_gb')).toBe('LINEHERON_RETENTION_MAX_STORE_GB');
  });
});
