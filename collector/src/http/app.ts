/** The HTTP app as a function of its dependencies: routes, checks before them, and one shape for every error. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { ProblemCode } from '@lineheron/models';
import { HTTPException } from 'hono/http-exception';
import { compression } from './compression.js';
import type { AppDependencies } from './dependencies.js';
import { allowOrigins, careful, checkBody, checkHost, checkOrigin, checkSite } from './guard.js';
import { ProblemError, problemResponse, validationProblem } from './problem.js';
import { allowedMethods } from './route-table.js';
import { dashboardRoutes } from './routes/dashboard.js';
import { detectionRoutes } from './routes/detection.js';
import { docsRoutes } from './routes/docs.js';
import { feedRoutes } from './routes/feed.js';
import { healthRoutes } from './routes/health.js';
import { lineRoutes } from './routes/lines.js';
import { resultRoutes } from './routes/results.js';
import { stateRoutes } from './routes/state.js';
import { trainingRoutes } from './routes/training.js';

/** Seconds after which to try again. */
const RETRY_AFTER: Partial<Record<ProblemCode, string>> = { busy: '1', too_slow: '10' };

export function createApp(dependencies: AppDependencies): OpenAPIHono {
  const { allowedHosts, allowedOrigins, onError } = dependencies;
  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw validationProblem(result.error);
    },
  });
  app.use(compression(), careful(), checkHost(allowedHosts));
  if (allowedOrigins.length > 0) app.use(allowOrigins(allowedOrigins));
  app.use(checkSite(allowedOrigins), checkOrigin(allowedOrigins), checkBody());

  stateRoutes(app, dependencies);
  detectionRoutes(app, dependencies);
  trainingRoutes(app, dependencies);
  resultRoutes(app, dependencies);
  lineRoutes(app, dependencies);
  healthRoutes(app, dependencies);
  docsRoutes(app, dependencies);
  dashboardRoutes(app, dependencies);
  feedRoutes(app, dependencies);

  app.notFound((c) => {
    const methods = allowedMethods(app.routes, c.req.path);
    if (methods.length === 0) return problemResponse('not_found', `${c.req.path} is not known.`);
    const allow = methods.join(', ');
    return problemResponse('method_not_allowed', `Allowed: ${allow}.`, undefined, { allow });
  });
  app.onError((error) => {
    if (error instanceof ProblemError) {
      const later = RETRY_AFTER[error.code];
      const headers: Record<string, string> = later === undefined ? {} : { 'retry-after': later };
      return problemResponse(error.code, error.detail, error.errors, headers);
    }
    if (error instanceof HTTPException && error.status < 500) {
      const code = error.status === 415 ? 'unsupported_media_type' : 'invalid_request';
      return problemResponse(code, error.message);
    }
    onError(error);
    return problemResponse('internal');
  });
  return app;
}
