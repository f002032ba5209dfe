/** GET /status, /models, /metrics: what the collector knows of itself and of the fleet. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { metricsViewSchema, modelViewSchema, statusViewSchema } from '@lineheron/models';
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
  tags: ['state'],
  summary: 'Detection, training, agents and their lines',
  responses: { 200: json(statusViewSchema, 'As of now'), ...problems('forbidden_host') },
});

const modelsRoute = createRoute({
  method: 'get',
  path: '/models',
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
  app.openapi(modelsRoute, (c) => c.json({ models: control.models() }, 200));
  app.openapi(metricsRoute, async (c) => {
    c.header('vary', 'accept');
    const form = preferredExposition(c.req.header('accept'));
    if (form === 'json') return c.json(control.metrics(), 200);
    return c.body(await control.exposition(form), 200, { 'content-type': EXPOSITIONS[form] });
  });
}
