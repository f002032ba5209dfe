/** Counts what a collector sends: a proxy on a port of its own between it and who looks at it. */
import { connect, createServer } from 'node:net';

export class Wire {
  bytes = 0;

  constructor(port) {
    this.target = port;
    this.sockets = new Set();
  }

  async start() {
    this.server = createServer((client) => {
      const server = connect({ port: this.target, host: '127.0.0.1' });
      server.on('data', (chunk) => {
        this.bytes += chunk.length;
      });
      for (const [from, to] of [
        [client, server],
        [server, client],
      ]) {
        this.sockets.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => this.sockets.delete(from));
      }
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this.server.address().port;
  }

  /** Bytes that come while the work lasts. */
  async during(work) {
    const before = this.bytes;
    await work();
    return this.bytes - before;
  }

  stop() {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}
