/**
 * A plain MQTT broker on a loopback port, as a process that a test may kill:
 * `node broker.mjs PORT [PASSWORD | KEY_FILE CERT_FILE]`.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';

const [port, secret, certificate] = process.argv.slice(2);
const aedes = await Aedes.createBroker({
  drainTimeout: 1000,
  authenticate: (_client, _name, password, done) => {
    const isKnown = certificate !== undefined || secret === undefined || password?.toString() === secret;
    done(isKnown ? null : Object.assign(new Error('no'), { returnCode: 4 }), isKnown);
  },
});
const tls = certificate && { key: readFileSync(secret), cert: readFileSync(certificate) };
const server = tls ? createTlsServer(tls, aedes.handle) : createServer(aedes.handle);
// A port whose last holder was killed a moment ago may still be taken.
server.on('error', () => setTimeout(() => server.listen(Number(port), '127.0.0.1'), 50));
server.on('listening', () => process.send?.({ type: 'ready' }));
server.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
