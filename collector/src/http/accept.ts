/** Which form of /metrics a client prefers, by its Accept header with q-values. Pure. */

export const EXPOSITIONS = {
  json: 'application/json',
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const;
export type Exposition = keyof typeof EXPOSITIONS;

interface Offer {
  form: Exposition;
  type: string;
}

/** In the order in which ties are settled. */
const OFFERS: readonly Offer[] = [
  { form: 'json', type: 'application/json' },
  { form: 'openmetrics', type: 'application/openmetrics-text' },
  { form: 'prometheus', type: 'text/plain' },
];

interface Range {
  type: string;
  q: number;
  version: string | null;
}

export function preferredExposition(accept: string | undefined): Exposition {
  if (accept === undefined || accept.trim() === '') return 'json';
  const ranges = accept.split(',', 50).map(parseRange);
  let best: { form: Exposition; q: number } = { form: 'json', q: 0 };
  for (const { form, type } of OFFERS) {
    const q = quality(ranges, type);
    if (q > best.q) best = { form, q };
  }
  return best.form;
}

/** The most specific range that matches decides; a version that we do not write does not match. */
function quality(ranges: readonly Range[], type: string): number {
  const exact = ranges.filter((range) => range.type === type && isKnownVersion(range));
  if (exact.length > 0) return Math.max(...exact.map(({ q }) => q));
  const family = ranges.find((range) => range.type === `${type.split('/')[0]}/*`);
  return (family ?? ranges.find((range) => range.type === '*/*'))?.q ?? 0;
}

function isKnownVersion({ type, version }: Range): boolean {
  if (version === null) return true;
  return type === 'text/plain' ? version === '0.0.4' : version === '1.0.0' || version === '0.0.1';
}

function parseRange(text: string): Range {
  const [type, ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const value = (name: string) =>
    parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
  const q = Number(value('q') ?? 1);
  return { type: type!, q: Number.isFinite(q) ? Math.min(1, Math.max(0, q)) : 0, version: value('version') };
}
