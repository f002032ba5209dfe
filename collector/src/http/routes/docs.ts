/** GET /openapi.json, from the schemas that validate, and /docs: Swagger UI out of our own files. */
import { createRequire } from 'node:module';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AppDependencies } from '../dependencies.js';
import { describeApi } from '../description.js';
import { ProblemError } from '../problem.js';
import { serveFile } from '../static-files.js';

const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>lineheron API</title>
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** In a file of its own, because inline scripts are not allowed. */
const START = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui' });\n";

export function docsRoutes(app: OpenAPIHono, { version }: AppDependencies): void {
  const folder = (
    createRequire(import.meta.url)('swagger-ui-dist') as { getAbsoluteFSPath(): string }
  ).getAbsoluteFSPath();
  const described = once(() => describeApi(app, version));
  app.get('/openapi.json', (c) => c.json(described()));
  app.get('/docs', (c) => c.html(PAGE));
  app.get('/docs/:file', async (c) => {
    const file = c.req.param('file');
    if (file === 'start.js') return c.body(START, 200, { 'content-type': 'text/javascript; charset=utf-8' });
    const response = FILES.includes(file)
      ? await serveFile(folder, file, c.req.header('if-none-match'))
      : null;
    if (!response) throw new ProblemError('not_found');
    return response;
  });
}

/** Every route is there when the first question comes, and none comes later. */
function once<T extends object>(make: () => T): () => T {
  let made: T | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
