/** Passes a port on to a Unix socket, which network namespaces share: `node relay.mjs PORT PATH`. */
import { connect, createServer } from 'node:net';

const [port, path] = process.argv.slice(2);
createServer((near) => {
  const far = connect(path);
  near.pipe(far).pipe(near);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
}).listen(Number(port));
