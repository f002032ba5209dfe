/** Tells a wrong method from an unknown address, from the very routes that are registered. */

interface Registered {
  method: string;
  path: string;
}

/** Methods that some route answers at this path, for the Allow header; empty when the path is unknown. */
export function allowedMethods(routes: readonly Registered[], path: string): string[] {
  const methods = new Set<string>();
  for (const { method, path: pattern } of routes) {
    if (method !== 'ALL' && toExpression(pattern).test(path)) methods.add(method);
  }
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}

/** `/a/:id` and `/a/*` as a regular expression. */
function toExpression(pattern: string): RegExp {
  const parts = pattern.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    if (part === '*') return '.*';
    return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
