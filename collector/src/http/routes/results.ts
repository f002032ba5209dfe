/** GET /recent-results, /api/v1/windows, /api/v1/alerts: what was found. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import {
  alertSchema,
  alertsQuerySchema,
  recentQuerySchema,
  windowsQuerySchema,
  windowViewSchema,
} from '@lineheron/models';
import type { AppDependencies } from '../dependencies.js';
import { ProblemError, problems } from '../problem.js';

const recentRoute = createRoute({
  method: 'get',
  path: '/recent-results',
  operationId: 'recentResults',
  tags: ['results'],
  summary: 'The newest scored windows, newest first',
  request: { query: recentQuerySchema },
  responses: {
    200: {
      description: 'Windows with both opinions',
      content: { 'application/json': { schema: z.object({ results: z.array(windowViewSchema) }) } },
    },
    ...problems('invalid_request', 'busy', 'too_slow', 'not_ready'),
  },
});

const windowsRoute = createRoute({
  method: 'get',
  path: '/api/v1/windows',
  operationId: 'listWindows',
  tags: ['results'],
  summary: 'All stored windows, page by page in the order of (agent, boot, sequence, index)',
  request: { query: windowsQuerySchema },
  responses: {
    200: {
      description: '`next` is what to give as `after` for the next page; null on the last',
      content: {
        'application/json': {
          schema: z.object({ windows: z.array(windowViewSchema), next: z.string().nullable() }),
        },
      },
    },
    ...problems('invalid_request', 'busy', 'too_slow', 'not_ready'),
  },
});

const alertsRoute = createRoute({
  method: 'get',
  path: '/api/v1/alerts',
  operationId: 'listAlerts',
  tags: ['results'],
  summary: 'Alerts: open ones first, then newest first',
  request: { query: alertsQuerySchema },
  responses: {
    200: {
      description: 'Alerts',
      content: { 'application/json': { schema: z.object({ alerts: z.array(alertSchema) }) } },
    },
    ...problems('invalid_request', 'busy', 'too_slow', 'not_ready'),
  },
});

const alertRoute = createRoute({
  method: 'get',
  path: '/api/v1/alerts/{id}',
  operationId: 'getAlert',
  tags: ['results'],
  summary: 'One alert; its id is URL-encoded, since it holds slashes',
  request: {
    params: z.object({
      id: z
        .string()
        .min(1)
        .max(200)
        .meta({ examples: ['gw-1/8f1d2c3b4a596877/812/0'] }),
    }),
  },
  responses: {
    200: { description: 'The alert', content: { 'application/json': { schema: alertSchema } } },
    ...problems('not_found', 'busy', 'too_slow', 'not_ready', 'invalid_request'),
  },
});

export function resultRoutes(app: OpenAPIHono, { queries }: AppDependencies): void {
  app.openapi(recentRoute, async (c) => {
    const { anomalous, since, ...filter } = c.req.valid('query');
    const wanted = anomalous === undefined ? {} : { anomalous: anomalous === 'true' };
    const arrived = since === undefined ? {} : { sinceMs: Date.parse(since) };
    return c.json({ results: await queries.recentWindows({ ...filter, ...wanted, ...arrived }) }, 200);
  });
  app.openapi(windowsRoute, async (c) => {
    const query = c.req.valid('query');
    const windows = await queries.windowPage(query);
    const next = windows.length === query.limit ? windows.at(-1)!.id : null;
    return c.json({ windows, next }, 200);
  });
  app.openapi(alertsRoute, async (c) => c.json({ alerts: await queries.alerts(c.req.valid('query')) }, 200));
  app.openapi(alertRoute, async (c) => {
    const alert = await queries.alert(c.req.valid('param').id);
    if (!alert) throw new ProblemError('not_found', 'There is no alert with this id.');
    return c.json(alert, 200);
  });
}
