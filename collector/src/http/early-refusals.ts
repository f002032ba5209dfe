/**
 * What is refused before any route sees it, answered as everywhere, with a problem as body: what is no HTTP, headers
 * that are too large or come too slowly, a Host that is missing or malformed, WebSocket handshakes that are none.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { ProblemCode } from '@lineheron/models';
import type { WebSocketServer } from 'ws';
import { problemResponse } from './problem.js';
import { answerRaw } from './raw-answer.js';

type Fetch = (request: Request, env: unknown) => Response | Promise<Response>;

/** Of Node's parser; anything else is a malformed request. */
const PARSER_ERRORS: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};
const METHODS = 'GET, HEAD, POST, DELETE, OPTIONS';

/** A server whose every answer is the app's, or a problem. */
export function createProblemServer(
  options: ServerOptions,
  fetch: Fetch,
  onError: (error: Error) => void,
): Server {
  const listener = getRequestListener(fetch, {
    overrideGlobalObjects: false,
    errorHandler: (error) => {
      if (error instanceof RequestError) return problemResponse('invalid_request', `${error.message}.`);
      onError(error instanceof Error ? error : new Error(String(error)));
      return problemResponse('internal');
    },
  });
  // Node would answer a missing Host itself, without a body.
  const server = createServer({ ...options, requireHostHeader: false }, listener);
  server.on('clientError', refuseMalformed);
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    if (response.socket) void answerRaw(response.socket, problemResponse('expectation_failed'));
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    const problem = problemResponse('method_not_allowed', `Allowed: ${METHODS}.`, undefined, {
      allow: METHODS,
    });
    void answerRaw(socket, problem);
  });
  return server;
}

export function refuseBadHandshakes(sockets: WebSocketServer): void {
  sockets.on('wsClientError', (error: Error, socket: Duplex) => {
    void answerRaw(socket, problemResponse('invalid_request', `${error.message}.`));
  });
}

/** What Node keeps of a response that is under way on a connection. */
interface Busy {
  _httpMessage?: { headersSent: boolean } | null;
}

function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Nobody is there to be told, or an answer has begun that this would spoil.
  if (!socket.writable || error.code === 'ECONNRESET' || (socket as Busy)._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  void answerRaw(socket, problemResponse(PARSER_ERRORS[error.code ?? ''] ?? 'malformed_request'));
}
