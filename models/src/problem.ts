/** Errors of the HTTP API: RFC 9457 problem details with a stable code. One list for all of them. */
import { z } from 'zod';

/** code → [HTTP status, title]. Codes never change their meaning. */
export const PROBLEMS = {
  invalid_request: [400, 'The request is not valid'],
  malformed_request: [400, 'This is not valid HTTP'],
  headers_too_large: [431, 'The address or the headers are too large'],
  request_timeout: [408, 'The request did not arrive in time'],
  expectation_failed: [417, 'This expectation cannot be met'],
  invalid_json: [400, 'The body is not valid JSON'],
  forbidden_origin: [403, 'This origin may not do that'],
  forbidden_host: [421, 'This host name is not served here'],
  not_found: [404, 'There is nothing here'],
  method_not_allowed: [405, 'This method is not allowed here'],
  not_trained: [409, 'No model is trained yet'],
  training_in_progress: [409, 'A training is already running'],
  no_agents: [409, 'None of these agents is online'],
  unknown_agents: [404, 'There are no such agents'],
  agent_offline: [409, 'The agent is not online'],
  not_shared: [403, 'The gateway does not share its lines'],
  training_over: [409, 'This training has already ended'],
  too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The body must be application/json'],
  internal: [500, 'Something went wrong inside'],
  agent_silent: [504, 'The agent does not answer'],
  busy: [503, 'Too much is being asked at once'],
  too_slow: [503, 'The answer took too long'],
  not_ready: [503, 'Not ready yet'],
  feed_full: [503, 'As many clients follow the feed as may'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    /** Fields that were wrong: where and why. */
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457 problem details',
    examples: [
      {
        type: 'urn:lineheron:problem:not_found',
        title: 'There is nothing here',
        status: 404,
        code: 'not_found',
        detail: 'There is no alert with this id.',
      },
    ],
  });
export type Problem = z.infer<typeof problemSchema>;
