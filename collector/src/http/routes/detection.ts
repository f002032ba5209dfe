/** POST /start, /stop, /model: switches detection on and off and chooses what alerts. Said twice is no error. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { modelRequestSchema, statusViewSchema } from '@lineheron/models';
import type { AppDependencies } from '../dependencies.js';
import { ProblemError, problems } from '../problem.js';

const answer = {
  description: 'The status after it',
  content: { 'application/json': { schema: statusViewSchema } },
};

const startRoute = createRoute({
  method: 'post',
  path: '/start',
  operationId: 'startDetection',
  tags: ['detection'],
  summary: 'Start detection',
  responses: { 200: answer, ...problems('not_trained', 'forbidden_origin', 'forbidden_host', 'not_ready') },
});

const stopRoute = createRoute({
  method: 'post',
  path: '/stop',
  operationId: 'stopDetection',
  tags: ['detection'],
  summary: 'Stop detection; collecting goes on',
  responses: { 200: answer, ...problems('forbidden_origin', 'forbidden_host', 'not_ready') },
});

const modelRoute = createRoute({
  method: 'post',
  path: '/model',
  operationId: 'chooseModel',
  tags: ['detection'],
  summary: 'Choose the active model, and put a retrained candidate to work; takes effect at once',
  request: { body: { required: true, content: { 'application/json': { schema: modelRequestSchema } } } },
  responses: {
    200: answer,
    ...problems('invalid_request', 'invalid_json', 'unsupported_media_type', 'too_large', 'forbidden_origin'),
    ...problems('not_trained', 'not_found', 'agent_offline', 'agent_silent', 'not_ready'),
  },
});

export function detectionRoutes(app: OpenAPIHono, { control }: AppDependencies): void {
  app.openapi(startRoute, async (c) => {
    const { active_model } = control.settings;
    if (!control.canDetect(active_model)) {
      throw new ProblemError(
        'not_trained',
        `Nothing is trained for ${active_model} yet: call POST /train first.`,
      );
    }
    await control.setDetecting(true);
    return c.json(control.status(), 200);
  });
  app.openapi(stopRoute, async (c) => {
    await control.setDetecting(false);
    return c.json(control.status(), 200);
  });
  app.openapi(modelRoute, async (c) => {
    const { model_name, candidate } = c.req.valid('json');
    await control.setModel(model_name, candidate);
    return c.json(control.status(), 200);
  });
}
