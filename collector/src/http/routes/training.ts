/** POST /train and the trainings that came of it. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { type Training, trainingSchema, trainRequestSchema } from '@lineheron/models';
import type { AppDependencies } from '../dependencies.js';
import { ProblemError, problems } from '../problem.js';

const training = { 'application/json': { schema: trainingSchema } };
const params = z.object({
  id: z
    .string()
    .min(1)
    .max(64)
    .meta({ examples: ['60a6a0fd-fe82-4a93-95c2-83823f166c20'] }),
});
/** Shorter than what clients and what stands between wait for an answer. */
const MAX_WAIT_MS = 8000;

/** Where the training is found. */
const headers = z.object({ location: z.string() });

const trainRoute = createRoute({
  method: 'post',
  path: '/train',
  operationId: 'train',
  tags: ['training'],
  summary: 'Train forests and autoencoders; without a body for 60 s of what is seen now',
  description: '`wait=true` answers when it has ended, and after eight seconds in any case.',
  request: {
    query: z.strictObject({ wait: z.enum(['true', 'false']).optional() }),
    body: { required: false, content: { 'application/json': { schema: trainRequestSchema } } },
  },
  responses: {
    200: { description: 'It has ended (`wait=true`)', content: training, headers },
    202: { description: 'It goes on; Location says where to watch it', content: training, headers },
    ...problems('invalid_request', 'invalid_json', 'unsupported_media_type', 'too_large', 'forbidden_origin'),
    ...problems('training_in_progress', 'no_agents', 'unknown_agents', 'not_ready'),
  },
});

const listRoute = createRoute({
  method: 'get',
  path: '/api/v1/trainings',
  operationId: 'listTrainings',
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
  operationId: 'getTraining',
  tags: ['training'],
  summary: 'One training',
  request: { params },
  responses: {
    200: { description: 'The training', content: training },
    ...problems('not_found', 'busy', 'too_slow', 'not_ready', 'invalid_request'),
  },
});

const cancelRoute = createRoute({
  method: 'delete',
  path: '/api/v1/trainings/{id}',
  operationId: 'cancelTraining',
  tags: ['training'],
  summary: 'Cancel a running training and forget it',
  request: { params },
  responses: {
    200: { description: 'The training as it ended', content: training },
    ...problems(
      'not_found',
      'training_over',
      'forbidden_origin',
      'busy',
      'too_slow',
      'not_ready',
      'invalid_request',
    ),
  },
});

export function trainingRoutes(app: OpenAPIHono, { control, queries }: AppDependencies): void {
  const find = async (id: string) => {
    const current = control.currentTraining();
    const found = current?.id === id ? current : await queries.training(id);
    if (!found) throw new ProblemError('not_found', 'There is no training with this id.');
    return found;
  };
  app.openapi(trainRoute, async (c) => {
    const begun = await control.train(c.req.valid('json'));
    c.header('location', `/api/v1/trainings/${begun.id}`);
    if (c.req.valid('query').wait !== 'true') return c.json(begun, 202);
    const ended = await inTime(control.trainingEnd(begun.id), MAX_WAIT_MS);
    const training = ended ?? (await find(begun.id));
    return c.json(training, training.finished_at === null ? 202 : 200);
  });
  app.openapi(listRoute, async (c) => {
    const trainings = await queries.trainings(c.req.valid('query').limit);
    return c.json({ trainings: trainings.filter((one) => !isForgotten(one)) }, 200);
  });
  app.openapi(getRoute, async (c) => {
    const training = await find(c.req.valid('param').id);
    if (isForgotten(training)) throw new ProblemError('not_found', 'This training was cancelled.');
    return c.json(training, 200);
  });
  app.openapi(cancelRoute, async (c) => {
    const { id } = c.req.valid('param');
    await find(id);
    if (!(await control.cancelTraining(id))) throw new ProblemError('training_over');
    return c.json(await find(id), 200);
  });
}

/** What was deleted is gone: its end stands in the answer to DELETE, and in /status until the next one. */
function isForgotten({ state }: Training): boolean {
  return state === 'cancelled';
}

/** Null when it takes longer. */
async function inTime<T>(promise: Promise<T> | null, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  return Promise.race([promise ?? null, late]).finally(() => clearTimeout(timer));
}
