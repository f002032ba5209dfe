/** GET /openapi.json, from the schemas that validate, and /docs: Swagger UI out of our own files. */
import { createRequire } from 'node:module';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AppDependencies } from '../dependencies.js';
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
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'lineheron collector',
      version,
      description:
        'Finds trouble on network lines. Errors are RFC 9457 problem details with a stable `code`.',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    servers: [{ url: '/' }],
  });
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
