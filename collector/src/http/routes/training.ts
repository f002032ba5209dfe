/** POST /train and the trainings that came of it. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { trainingSchema, trainRequestSchema } from '@lineheron/models';
import type { AppDependencies } from '../dependencies.js';
import { ProblemError, problems } from '../problem.js';

const training = { 'application/json': { schema: trainingSchema } };
const params = z.object({ id: z.string().max(64) });

const trainRoute = createRoute({
  method: 'post',
  path: '/train',
  tags: ['training'],
  summary: 'Train forests and autoencoders; without a body for 60 s of what is seen now',
  request: {
    query: z.strictObject({ wait: z.enum(['true', 'false']).optional() }),
    body: { required: false, content: { 'application/json': { schema: trainRequestSchema } } },
  },
  responses: {
    200: { description: 'It has ended (`wait=true`)', content: training },
    202: { description: 'It has begun; Location says where to watch it', content: training },
    ...problems('invalid_request', 'invalid_json', 'unsupported_media_type', 'too_large', 'forbidden_origin'),
    ...problems('training_in_progress', 'no_agents', 'unknown_agents'),
  },
});

const listRoute = createRoute({
  method: 'get',
  path: '/api/v1/trainings',
  tags: ['training'],
  summary: 'The last trainings, newest first',
  request: { query: z.strictObject({ limit: z.coerce.number().int().min(1).max(50).default(50) }) },
  responses: {
    200: {
      description: 'Trainings',
      content: { 'application/json': { schema: z.object({ trainings: z.array(trainingSchema) }) } },
    },
    ...problems('invalid_request', 'busy', 'too_slow', 'not_ready'),
  },
});

const getRoute = createRoute({
  method: 'get',
  path: '/api/v1/trainings/{id}',
  tags: ['training'],
  summary: 'One training',
  request: { params },
  responses: {
    200: { description: 'The training', content: training },
    ...problems('not_found', 'busy', 'too_slow', 'not_ready'),
  },
});

const cancelRoute = createRoute({
  method: 'delete',
  path: '/api/v1/trainings/{id}',
  tags: ['training'],
  summary: 'Cancel a running training',
  request: { params },
  responses: {
    200: { description: 'The training as it ended', content: training },
    ...problems('not_found', 'training_over', 'forbidden_origin', 'busy', 'too_slow', 'not_ready'),
  },
});

export function trainingRoutes(app: OpenAPIHono, { control, queries }: AppDependencies): void {
  const find = async (id: string) => {
    const current = control.currentTraining();
    const found = current?.id === id ? current : await queries.training(id);
    if (!found) throw new ProblemError('not_found', `There is no training ${id}.`);
    return found;
  };
  app.openapi(trainRoute, async (c) => {
    const begun = await control.train(c.req.valid('json'));
    c.header('location', `/api/v1/trainings/${begun.id}`);
    if (c.req.valid('query').wait !== 'true') return c.json(begun, 202);
    return c.json((await control.trainingEnd(begun.id)) ?? (await find(begun.id)), 200);
  });
  app.openapi(listRoute, async (c) => {
    return c.json({ trainings: await queries.trainings(c.req.valid('query').limit) }, 200);
  });
  app.openapi(getRoute, async (c) => c.json(await find(c.req.valid('param').id), 200));
  app.openapi(cancelRoute, async (c) => {
    const { id } = c.req.valid('param');
    await find(id);
    if (!(await control.cancelTraining(id))) throw new ProblemError('training_over');
    return c.json(await find(id), 200);
  });
}
