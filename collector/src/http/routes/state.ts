/** GET /status, /models, /metrics: what the collector knows of itself and of the fleet. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import {
  agentsPageQuerySchema,
  agentsPageSchema,
  linesPageQuerySchema,
  linesPageSchema,
  MAX_INSTANCES,
  type ModelView,
  metricsViewSchema,
  modelViewSchema,
  statusViewSchema,
} from '@lineheron/models';
import { EXPOSITIONS, preferredExposition } from '../accept.js';
import type { AppDependencies } from '../dependencies.js';
import { problems } from '../problem.js';

const json = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

const statusRoute = createRoute({
  method: 'get',
  path: '/status',
  operationId: 'getStatus',
  tags: ['state'],
  summary: 'Detection, training, counts, and the agents with their lines; of a large fleet the worst',
  responses: { 200: json(statusViewSchema, 'As of now'), ...problems('forbidden_host') },
});

const PAGES =
  'A page may hold fewer than `limit`, even none: go on with `next` as `after` until it is null. `sort=worst`: agents that do ' +
  'not do their work, then those that are away; lines with an alert, then those that are lost, then those not watched.';

const agentsRoute = createRoute({
  method: 'get',
  path: '/api/v1/agents',
  operationId: 'listAgents',
  tags: ['state'],
  summary: 'Agents, page by page',
  description: PAGES,
  request: { query: agentsPageQuerySchema },
  responses: { 200: json(agentsPageSchema, 'A page'), ...problems('invalid_request') },
});

const linesRoute = createRoute({
  method: 'get',
  path: '/api/v1/lines',
  operationId: 'listLines',
  tags: ['state'],
  summary: 'Lines, page by page: how each stands and what it measured last',
  description: PAGES,
  request: { query: linesPageQuerySchema },
  responses: { 200: json(linesPageSchema, 'A page'), ...problems('invalid_request') },
});

const modelsRoute = createRoute({
  method: 'get',
  path: '/models',
  operationId: 'listModels',
  tags: ['state'],
  summary: 'The three models and every trained instance of them',
  responses: {
    200: json(z.object({ models: z.array(modelViewSchema) }), 'Models'),
    ...problems('forbidden_host'),
  },
});

const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'getMetrics',
  tags: ['state'],
  summary: 'Totals and quality, as JSON, or for Prometheus when Accept prefers that',
  responses: {
    200: {
      description: 'Figures',
      content: {
        'application/json': { schema: metricsViewSchema },
        'text/plain': { schema: z.string() },
        'application/openmetrics-text': { schema: z.string() },
      },
    },
    ...problems('forbidden_host'),
  },
});

export function stateRoutes(app: OpenAPIHono, { control }: AppDependencies): void {
  app.openapi(statusRoute, (c) => c.json(control.status(), 200));
  app.openapi(agentsRoute, (c) => c.json(control.agentsPage(c.req.valid('query')), 200));
  app.openapi(linesRoute, (c) => c.json(control.linesPage(c.req.valid('query')), 200));
  app.openapi(modelsRoute, (c) => c.json({ models: control.models().map(shortModel) }, 200));
  app.openapi(metricsRoute, async (c) => {
    c.header('vary', 'accept');
    const form = preferredExposition(c.req.header('accept'));
    if (form === 'json') return c.json(control.metrics(), 200);
    return c.body(await control.exposition(form), 200, { 'content-type': EXPOSITIONS[form] });
  });
}

/** A fleet has a forest an agent: of many instances some, and how many there are. */
function shortModel(model: ModelView): ModelView {
  const { instances, learning, candidates } = model;
  return {
    ...model,
    instances: instances.slice(0, MAX_INSTANCES),
    ...(learning ? { learning: learning.slice(0, MAX_INSTANCES) } : {}),
    ...(candidates ? { candidates: candidates.slice(0, MAX_INSTANCES) } : {}),
  };
}
