/** Why there is no connection to the broker, in words that say what to do. Pure. */

const BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there: is the broker running, and is mqtt.url right?',
  ENOTFOUND: 'its name is not known: check mqtt.url and the name server',
  EAI_AGAIN: 'its name cannot be looked up now: check the name server',
  ETIMEDOUT: 'no answer in time: check the network and any firewall between',
  EHOSTUNREACH: 'no way leads there: check the network',
  ENETUNREACH: 'no way leads there: check the network',
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it, or set the clock of this machine',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: set the clock of this machine',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by nobody known here: give mqtt.ca_file',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by nobody known here: give mqtt.ca_file',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by nobody known here: give mqtt.ca_file',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by nobody known here: give mqtt.ca_file',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: write mqtt.url as the certificate says',
  EPROTO: 'it does not speak TLS there: mqtts:// needs its TLS port',
};

const BY_TEXT: ReadonlyArray<[RegExp, string]> = [
  [/connack timeout/i, 'it takes connections and does not answer them: is that the port of an MQTT broker?'],
];

const LOGIN = 'it refuses the login: check mqtt.username and mqtt.password_file';

/** CONNACK return codes of MQTT 3.1.1. */
const BY_CONNACK: Readonly<Record<number, string>> = { 2: 'it refuses our client id', 4: LOGIN, 5: LOGIN };

/** One sentence for the log. */
export function whyNot(error: Error & { code?: unknown; errors?: unknown }): string {
  const { code } = error;
  const inner = Array.isArray(error.errors) ? (error.errors[0] as Error | undefined) : undefined;
  const text = error.message || inner?.message || String(code ?? error.name);
  const byCode = typeof code === 'number' ? BY_CONNACK[code] : BY_CODE[String(code)];
  const advice = byCode ?? BY_TEXT.find(([pattern]) => pattern.test(text))?.[1];
  return advice === undefined ? text : `${advice} (${text})`;
}
