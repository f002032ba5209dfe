/**
 * The API's description: what the routes say of themselves, the problems that any of them may answer with, and the
 * messages of `/ws`, which OpenAPI has no words for: they stand under `x-websockets`, their schemas with all others.
 */
import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { FEED_TOPICS, feedFrameSchema, feedRequestSchema, type ProblemCode } from '@lineheron/models';
import { problems } from './problem.js';

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>;
type Operation = { requestBody?: unknown; parameters?: unknown[]; responses?: Record<string, Described> };
type Described = { description: string; content?: unknown };

const METHODS = ['get', 'post', 'delete', 'put', 'patch'] as const;
const ANY: readonly ProblemCode[] = ['forbidden_origin', 'forbidden_host', 'internal'];
const WRITE: readonly ProblemCode[] = [
  'invalid_request',
  'invalid_json',
  'too_large',
  'unsupported_media_type',
];
const SCHEMA = { $ref: '#/components/schemas/Problem' };

export function describeApi(app: OpenAPIHono, version: string): Document {
  // Made here, since the registry takes only what was made after it had extended zod.
  app.openAPIRegistry.register('FeedFrame', z.union(feedFrameSchema.options));
  app.openAPIRegistry.register('FeedRequest', z.union(feedRequestSchema.options));
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'lineheron collector',
      version,
      description:
        'Finds trouble on network lines. Errors are RFC 9457 problem details with a stable `code`. ' +
        'The live feed is a WebSocket at `/ws`: see `x-websockets`.',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    servers: [{ url: '/' }],
  });
  for (const path of Object.values(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = path[method] as Operation | undefined;
      if (operation) addProblems(operation, method === 'get' ? ANY : [...ANY, ...WRITE]);
    }
  }
  return { ...document, 'x-websockets': websockets() } as Document;
}

/** Those that the route does not name itself. */
function addProblems(operation: Operation, codes: readonly ProblemCode[]): void {
  operation.responses ??= {};
  for (const code of codes) {
    const [[status, { description }]] = Object.entries(problems(code)) as [[string, Described]];
    const known = operation.responses[status];
    if (known?.description.includes(`\`${code}\``)) continue;
    operation.responses[status] = {
      description: known ? `${known.description}; ${description}` : description,
      content: known?.content ?? { 'application/problem+json': { schema: SCHEMA } },
    };
  }
}

function websockets() {
  const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
  return {
    '/ws': {
      summary: 'What changes, as it changes: a snapshot, then numbered updates',
      description:
        'JSON text frames. Who finds a gap in `n` sends `resync` and gets a new snapshot. Who is refused gets a ' +
        'problem before the connection becomes a WebSocket.',
      parameters: [
        {
          name: 'lines',
          in: 'query',
          description: '`all`, `none`, or `<agent>/<device>` once for each line that is watched',
          schema: { type: 'array', items: { type: 'string' } },
        },
        {
          name: 'topics',
          in: 'query',
          description: `Some of ${FEED_TOPICS.join(', ')}, with commas between them; all when it is absent`,
          schema: { type: 'string' },
        },
      ],
      'server-sends': ref('FeedFrame'),
      'client-sends': ref('FeedRequest'),
      refusals: problems('invalid_request', 'forbidden_origin', 'forbidden_host', 'not_ready'),
    },
  };
}
