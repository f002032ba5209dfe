/** What an MQTT connection of ours needs to be let in, as the client library wants it: only what is there. */
import type { Config } from './config.js';

export type Login = Partial<Record<'username' | 'password' | 'ca' | 'cert' | 'key', string>>;

export function mqttLogin({ mqtt: { username, password }, tls }: Pick<Config, 'mqtt' | 'tls'>): Login {
  const all = { username, password, ca: tls?.ca, cert: tls?.cert, key: tls?.key };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Login;
}
