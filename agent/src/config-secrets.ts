/**
 * Secrets and certificates from the files that the configuration names, or from systemd's credentials. They stay in
 * memory; nothing here is ever part of a message. Files are at most 1 MiB.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Config } from './config.js';
import { ConfigError } from './config-error.js';

const MAX_BYTES = 1024 * 1024;
/** The credential that holds the broker's password, see systemd.exec(5), LoadCredential. */
const PASSWORD_CREDENTIAL = 'mqtt_password';

async function read(key: string, path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new Error(`is larger than ${MAX_BYTES} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'may not be read' : message;
    throw new ConfigError(`${key}: ${path}: ${why}`);
  }
}

async function password(config: Config, folder: string, credentials: string | undefined) {
  const { password_file: file, password } = config.mqtt;
  if (password !== undefined) return password;
  if (file !== undefined)
    return firstLine('mqtt.password_file', await read('mqtt.password_file', resolve(folder, file)));
  if (!credentials) return undefined;
  const path = join(credentials, PASSWORD_CREDENTIAL);
  const there = await stat(path).then(
    () => true,
    () => false,
  );
  return there ? firstLine(PASSWORD_CREDENTIAL, await read(PASSWORD_CREDENTIAL, path)) : undefined;
}

/** A password is one line; the line end that editors add is not part of it. */
function firstLine(key: string, text: string): string {
  const line = text.replace(/\r?\n$/, '');
  if (line === '' || /[\r\n]/.test(line)) throw new ConfigError(`${key}: the file must hold one line`);
  return line;
}

async function pem(key: string, path: string | undefined, folder: string): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const text = await read(key, resolve(folder, path));
  if (!text.includes('-----BEGIN ')) throw new ConfigError(`${key}: ${path}: is no PEM file`);
  return text;
}

/** The configuration with its secrets read. Relative names start at the configuration file's folder. */
export async function withSecrets(
  config: Config,
  path: string,
  environment: NodeJS.ProcessEnv,
): Promise<Config> {
  const folder = dirname(resolve(path));
  const secret = await password(config, folder, environment.CREDENTIALS_DIRECTORY);
  const { ca_file, cert_file, key_file } = config.mqtt;
  const ca = await pem('mqtt.ca_file', ca_file, folder);
  const cert = await pem('mqtt.cert_file', cert_file, folder);
  const key = await pem('mqtt.key_file', key_file, folder);
  return { ...config, mqtt: { ...config.mqtt, password: secret }, tls: { ca, cert, key } };
}
