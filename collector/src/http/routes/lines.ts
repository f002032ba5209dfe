/** POST /api/v1/raw-lines: the raw lines around an alert, asked of its gateway. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { linesRequestSchema, linesViewSchema, parseWindowId } from '@lineheron/models';
import type { AppDependencies } from '../dependencies.js';
import { ProblemError, problems } from '../problem.js';

const route = createRoute({
  method: 'post',
  path: '/api/v1/raw-lines',
  operationId: 'requestRawLines',
  tags: ['results'],
  summary: 'Ask the gateway of an alert for its raw lines, a minute before and after; it may refuse',
  description:
    'Raw lines stay on the gateway. They are sent only when its configuration allows it (`flight_recorder.share`), ' +
    'redacted there by its patterns, and are not kept here.',
  request: { body: { required: true, content: { 'application/json': { schema: linesRequestSchema } } } },
  responses: {
    200: { description: 'The lines', content: { 'application/json': { schema: linesViewSchema } } },
    ...problems('invalid_request', 'invalid_json', 'unsupported_media_type', 'too_large', 'forbidden_origin'),
    ...problems('not_shared', 'not_found', 'agent_offline', 'not_ready', 'agent_silent'),
  },
});

export function lineRoutes(app: OpenAPIHono, { control }: AppDependencies): void {
  app.openapi(route, async (c) => {
    const { alert } = c.req.valid('json');
    const agent = parseWindowId(alert)?.agent;
    if (agent === undefined) throw new ProblemError('invalid_request', 'alert: is no id of an alert');
    const { from, to, complete, truncated, redactions, lines } = await control.lines(agent, alert);
    return c.json({ alert, agent, from, to, complete, truncated, redactions, lines }, 200);
  });
}
