/** A plain MQTT broker on a loopback port, as a process that a test may kill: `node broker.mjs PORT`. */
import { createServer } from 'node:net';
import { Aedes } from 'aedes';

const aedes = await Aedes.createBroker({ drainTimeout: 1000 });
const server = createServer(aedes.handle);
// A port whose last holder was killed a moment ago may still be taken.
server.on('error', () => setTimeout(() => server.listen(Number(process.argv[2]), '127.0.0.1'), 50));
server.on('listening', () => process.send?.({ type: 'ready' }));
server.listen(Number(process.argv[2]), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
