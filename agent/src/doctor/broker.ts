/**
 * Whether the broker can be reached, trusts us and lets us speak: one connection under a name of its own, so that a
 * running agent keeps its own, closed again at once. What a broker lets us do is tried in `rights.ts`.
 */
import { connect as connectTls } from 'node:tls';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { messageOf } from '../log.js';
import { mqttLogin } from '../mqtt-login.js';
import { bad, type Finding, good, note } from './finding.js';
import { type Broker, checkRights } from './rights.js';

const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 3_000;
const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

/** What to do about a connection that failed, by its error code. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'nothing listens there: start the broker ("lineheron-collector run" brings one), or mend host and port in mqtt.url',
  ENOTFOUND: 'no such host: mend mqtt.url, or look at the name service of this machine',
  EAI_AGAIN: 'the name service does not answer: look at the network and /etc/resolv.conf',
  ETIMEDOUT: 'no answer: a firewall may be in the way, or the host is down',
  EHOSTUNREACH: 'no route to the host: look at the network',
  ENETUNREACH: 'no network: look at the link and the default route',
  ECONNRESET:
    'the broker closed the connection: is this the right port, and TLS (mqtts) or not as the broker wants it?',
  CERT_HAS_EXPIRED: 'renew the certificate of the broker; if it is valid, mend the clock of this machine',
  CERT_NOT_YET_VALID: 'the clock of this machine is behind: set it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'name the certificate itself, or its authority, in mqtt.ca_file',
  SELF_SIGNED_CERT_IN_CHAIN: 'name the authority that signed it in mqtt.ca_file',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'name the authority that signed it in mqtt.ca_file',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'name the authority that signed it in mqtt.ca_file',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name: use that name in mqtt.url',
  EPROTO: 'this port does not speak TLS as asked: mqtt:// and mqtts:// differ',
};

const LOGIN_ADVICE =
  'mend mqtt.username and the password (mqtt.password_file), or the accounts of the broker';

/** Connack codes 4 and 5 of MQTT 3.1.1: bad name or password, not authorized. */
const isLogin = (code: unknown) => code === 4 || code === 5;

function failure(url: string, error: unknown): Finding {
  const { code } = error as { code?: string | number };
  if (isLogin(code)) return bad(`the broker at ${url} refuses the login`, LOGIN_ADVICE);
  const advice = ADVICE[String(code)] ?? 'look at the log of the broker, and at mqtt.url';
  return bad(`the broker at ${url} cannot be reached: ${messageOf(error) || String(code)}`, advice);
}

function optionsOf(config: Broker): IClientOptions {
  return {
    protocolVersion: 4,
    clean: true,
    clientId: `lineheron-doctor-${config.agent_id}-${process.pid}`,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...mqttLogin(config),
  };
}

function connected(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', reject);
    client.once('close', () => reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
  });
}

/** When the broker's certificate ends; null for connections without TLS. */
function certificate({ mqtt: { url }, tls }: Broker, nowMs: number): Promise<Finding | null> {
  const { hostname, port, protocol } = new URL(url);
  if (protocol !== 'mqtts:' && protocol !== 'wss:') return Promise.resolve(null);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connectTls({
      host,
      servername: /^[\d.:]+$/.test(host) ? '' : host,
      port: Number(port || (protocol === 'wss:' ? 443 : 8883)),
      ca: tls?.ca,
      rejectUnauthorized: false,
      timeout: ANSWER_TIMEOUT_MS,
    });
    const end = (finding: Finding | null) => {
      socket.destroy();
      resolve(finding);
    };
    socket.once('error', () => end(null));
    socket.once('timeout', () => end(null));
    socket.once('secureConnect', () => {
      const days = Math.floor((Date.parse(socket.getPeerCertificate().valid_to) - nowMs) / DAY_MS);
      if (Number.isNaN(days)) end(null);
      else if (days < SOON_DAYS) end(note(`its certificate ends in ${days} days`, 'renew it in time'));
      else end(good(`its certificate is good for ${days} days`));
    });
  });
}

/** Connects, tries every right, closes. Never rejects. */
export async function checkBroker(config: Broker, nowMs: number): Promise<Finding[]> {
  const { url } = config.mqtt;
  const startMs = performance.now();
  const client = mqtt.connect(url, optionsOf(config));
  client.on('error', () => {});
  try {
    await connected(client);
    const tookMs = performance.now() - startMs;
    const as = config.mqtt.username === undefined ? 'without a login' : `as ${config.mqtt.username}`;
    const found = [good(`the broker at ${url} took us ${as} in ${tookMs.toFixed(0)} ms`)];
    const ends = await certificate(config, nowMs);
    if (ends) found.push(ends);
    client.end(true);
    return [...found, ...(await checkRights(config, optionsOf(config)))];
  } catch (error) {
    return [failure(url, error)];
  } finally {
    client.end(true);
  }
}
