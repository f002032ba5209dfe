/**
 * Where the compiled entry of a worker thread lies. Node starts threads from JavaScript only, so code that runs from
 * its TypeScript sources (the tests) takes the compiled sibling below `dist`.
 */
export function workerUrl(moduleUrl: string, name: string): URL {
  const url = new URL(`./${name}.js`, moduleUrl);
  if (moduleUrl.endsWith('.ts')) url.pathname = url.pathname.replace(/\/src\/(?!.*\/src\/)/, '/dist/');
  return url;
}
