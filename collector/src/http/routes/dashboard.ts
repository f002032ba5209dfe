/** The dashboard's built files under /app/. When they are not built, a page says how to build them. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AppDependencies } from '../dependencies.js';
import { ProblemError } from '../problem.js';
import { serveFile } from '../static-files.js';

const NOT_BUILT = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>lineheron</title></head>
  <body>
    <h1>The dashboard is not built yet</h1>
    <p>Run <code>npm run build</code> in the project and load this page again.
    The API is there: see <a href="/docs">its description</a>.</p>
  </body>
</html>
`;

export function dashboardRoutes(app: OpenAPIHono, { dashboardDir }: AppDependencies): void {
  app.get('/', (c) => c.redirect('/app/'));
  app.get('/app', (c) => c.redirect('/app/'));
  app.get('/app/*', async (c) => {
    const path = decodePath(c.req.path.slice('/app/'.length));
    const response = await serveFile(
      dashboardDir,
      path === '' ? 'index.html' : path,
      c.req.header('if-none-match'),
    );
    if (response) return response;
    if (path === '' || path === 'index.html') return c.html(NOT_BUILT, 503);
    throw new ProblemError('not_found');
  });
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new ProblemError('not_found');
  }
}
