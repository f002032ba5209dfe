/**
 * For every test: an answer of the collector that its description does not allow fails the test that asked for it.
 * Wraps `fetch`, and asks nothing by itself; whether an answer is the collector's its headers say.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

interface Described {
  $ref?: string;
  content?: Record<string, { schema: object }>;
}
type Operation = { responses: Record<string, Described> };
interface Description {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

const DESCRIPTION = fileURLToPath(new URL('../contract/openapi.json', import.meta.url));
const MARK = ['referrer-policy', 'no-referrer'] as const;
const JSON_TYPE = /^application\/(problem\+)?json\b/;

export class Answers {
  private readonly validators = new Map<object, z.ZodType>();
  private readonly paths: Array<{ pattern: RegExp; operations: Record<string, Operation> }>;
  private readonly schemas: Record<string, unknown>;

  constructor(description: Description) {
    this.schemas = localRefs(description.components.schemas) as Record<string, unknown>;
    this.paths = Object.entries(description.paths).map(([path, operations]) => ({
      pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`),
      operations,
    }));
  }

  static read(): Answers {
    return new Answers(JSON.parse(readFileSync(DESCRIPTION, 'utf8')));
  }

  /** What is wrong with an answer by the description; null when nothing is, or when it does not speak of the path. */
  fault(method: string, path: string, status: number, type: string, body: unknown): string | null {
    const operations = this.paths.find(({ pattern }) => pattern.test(path))?.operations;
    if (!operations) return null;
    const operation = operations[method.toLowerCase()];
    // A method that the path does not know is answered like an unknown path.
    if (!operation) return [403, 404, 405, 421].includes(status) ? null : `${status} for an unknown method`;
    const described = operation.responses[String(status)];
    if (!described) return `the status ${status} is not described`;
    const [mediaType = ''] = type.split(';');
    const content = described.content?.[mediaType];
    if (!content) return `the type ${mediaType} is not described for ${status}`;
    if (!JSON_TYPE.test(type)) return null;
    const result = this.validator(content.schema).safeParse(body);
    return result.success ? null : z.prettifyError(result.error);
  }

  private validator(schema: object): z.ZodType {
    const known = this.validators.get(schema);
    if (known) return known;
    const whole = { ...(localRefs(schema) as object), $defs: this.schemas };
    const made = z.fromJSONSchema(whole as Parameters<typeof z.fromJSONSchema>[0]);
    this.validators.set(schema, made);
    return made;
  }
}

/** The document's references as those of one schema with definitions of its own. */
function localRefs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(localRefs);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string'
        ? inner.replace('#/components/schemas/', '#/$defs/')
        : localRefs(inner),
    ]),
  );
}

let answers: Answers | null = null;

/** Throws when the answer is the collector's and not as described. */
export async function checkAnswer(method: string, url: string, response: Response): Promise<void> {
  if (response.headers.get(MARK[0]) !== MARK[1]) return;
  answers ??= Answers.read();
  const { pathname } = new URL(url);
  const type = response.headers.get('content-type') ?? '';
  // A body that its asker does not wait for may never end.
  const body = JSON_TYPE.test(type) && method !== 'HEAD' ? await response.clone().json() : null;
  if (method === 'HEAD' || method === 'OPTIONS') return;
  const fault = answers.fault(method, pathname, response.status, type, body);
  if (fault) throw new Error(`${method} ${pathname} is not as openapi.json describes it: ${fault}`);
}
