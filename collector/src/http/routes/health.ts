/** GET /livez and /readyz, for whoever watches the process. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { watchingSchema } from '@lineheron/models';
import type { AppDependencies } from '../dependencies.js';
import { ProblemError, problems } from '../problem.js';

const ok = {
  200: {
    description: 'Yes',
    content: { 'application/json': { schema: z.object({ status: z.literal('ok') }) } },
  },
};

const liveRoute = createRoute({
  method: 'get',
  path: '/livez',
  operationId: 'isLive',
  tags: ['health'],
  summary: 'Whether the process answers',
  responses: ok,
});

const ready = {
  200: {
    description: 'Yes; `watching` says how much of the fleet is really watched',
    content: {
      'application/json': { schema: z.object({ status: z.literal('ok'), watching: watchingSchema }) },
    },
  },
};

const readyRoute = createRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'isReady',
  tags: ['health'],
  summary: 'Whether the broker is connected and the store takes what comes',
  responses: { ...ready, ...problems('not_ready') },
});

export function healthRoutes(app: OpenAPIHono, { control }: AppDependencies): void {
  app.openapi(liveRoute, (c) => c.json({ status: 'ok' as const }, 200));
  app.openapi(readyRoute, (c) => {
    const missing = control.notReady();
    if (missing !== null) throw new ProblemError('not_ready', missing);
    return c.json({ status: 'ok' as const, watching: control.watching() }, 200);
  });
}
