/** Answers on a bare socket: where Node or a library refuses before there is a response to write to. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Whoever does not take the answer and leave holds its connection no longer. */
const LINGER_MS = 5000;

/** Writes it and ends the connection. */
export async function answerRaw(socket: Duplex, answer: Response): Promise<void> {
  const body = Buffer.from(await answer.arrayBuffer());
  if (socket.destroyed) return;
  const headers = [...answer.headers].filter(([name]) => name !== 'content-length' && name !== 'connection');
  const lines = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    'connection: close',
    `content-length: ${body.length}`,
  ];
  // What it goes on saying is of no interest, and that it went away is no error.
  socket.on('error', () => socket.destroy());
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]));
}
