/** Errors as RFC 9457 problem details: the one shape in which anything but success leaves the API. */
import { PROBLEMS, type Problem, type ProblemCode, problemSchema } from '@lineheron/models';
import type { ZodError } from 'zod';

type FieldErrors = NonNullable<Problem['errors']>;

/** Thrown anywhere below a route; answered as its problem. */
export class ProblemError extends Error {
  constructor(
    readonly code: ProblemCode,
    readonly detail?: string,
    readonly errors?: FieldErrors,
  ) {
    super(detail ?? PROBLEMS[code][1]);
  }
}

export function problemResponse(
  code: ProblemCode,
  detail?: string,
  errors?: FieldErrors,
  headers: Record<string, string> = {},
): Response {
  const [status, title] = PROBLEMS[code];
  const problem: Problem = {
    type: `urn:lineheron:problem:${code}`,
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
  };
  return new Response(JSON.stringify(problem), {
    status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
  });
}

/** A failed validation, naming each field. A key that nobody knows is named itself. */
export function validationProblem(error: ZodError): ProblemError {
  const errors = error.issues.flatMap((issue) => {
    const path = issue.path.join('.');
    if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
    return issue.keys.map((key) => ({
      path: path === '' ? key : `${path}.${key}`,
      message: 'is not known here',
    }));
  });
  const detail = errors
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
    .join('; ');
  return new ProblemError('invalid_request', detail, errors);
}

const problemContent = { 'application/problem+json': { schema: problemSchema } };

/** The problems that a route names in the API description. */
export function problems<C extends ProblemCode>(...codes: C[]) {
  const described: Record<number, { description: string; content: typeof problemContent }> = {};
  for (const code of codes) {
    const [status, title] = PROBLEMS[code];
    const before = described[status]?.description;
    const text = `${title} (\`${code}\`)`;
    described[status] = { description: before ? `${before}; ${text}` : text, content: problemContent };
  }
  return described;
}
