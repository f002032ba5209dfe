/**
 * What the page asks of the HTTP API. Every failure of a write comes back as words and fields, never as an exception;
 * a read that fails is null.
 */
import type {
  ActiveModel,
  Alert,
  LinesPage,
  LineView,
  Problem,
  TrainRequest,
  WindowView,
} from '@lineheron/models';
import type { LineKey } from './line.js';

const TIMEOUT_MS = 15_000;
/** Lines that Find shows beyond the list, and pages that it looks through: a page may be short. */
const MAX_FOUND = 100;
const MAX_PAGES = 12;

/** What went wrong, ready to be shown. */
export interface Failure {
  readonly title: string;
  readonly detail: string | null;
  readonly code: string | null;
  readonly fields: readonly { readonly path: string; readonly message: string }[];
}

const failure = (title: string, detail: string | null = null): Failure => ({
  title,
  detail,
  code: null,
  fields: [],
});

/** What to do, in the words of the page: the collector's own detail names routes. */
const REMEDIES: Readonly<Record<string, string>> = {
  not_trained: 'Train it first, or stop detection to choose it.',
};

/** Reads a problem document; an answer that is none is told by its status. */
export function toFailure(status: number, body: unknown): Failure {
  if (typeof body !== 'object' || body === null || typeof (body as Problem).title !== 'string') {
    return failure(`The collector answered with status ${status}`);
  }
  const problem = body as Partial<Problem> & { title: string };
  const code = typeof problem.code === 'string' ? problem.code : null;
  const detail = typeof problem.detail === 'string' ? problem.detail : null;
  return {
    title: problem.title,
    detail: (code === null ? undefined : REMEDIES[code]) ?? detail,
    code,
    fields: Array.isArray(problem.errors) ? problem.errors : [],
  };
}

/** `base` is the address that the API's paths are relative to; `send` is the browser's `fetch`. */
export class Api {
  readonly #base: URL;
  readonly #send: typeof fetch;

  constructor(base: URL, send: typeof fetch) {
    this.#base = base;
    this.#send = send;
  }

  train(request: TrainRequest): Promise<Failure | null> {
    return this.#call('POST', 'train', request);
  }

  cancelTraining(id: string): Promise<Failure | null> {
    return this.#call('DELETE', `api/v1/trainings/${encodeURIComponent(id)}`);
  }

  setDetection(on: boolean): Promise<Failure | null> {
    return this.#call('POST', on ? 'start' : 'stop', {});
  }

  setModel(model: ActiveModel): Promise<Failure | null> {
    return this.#call('POST', 'model', { model_name: model });
  }

  /** Puts a retrained model to work; `active` goes on deciding what alerts. */
  useCandidate(active: ActiveModel, sha256: string): Promise<Failure | null> {
    return this.#call('POST', 'model', { model_name: active, candidate: sha256 });
  }

  /** The newest windows of a line, no more than the API gives at once. */
  async windows(key: LineKey, sinceMs: number): Promise<readonly WindowView[] | null> {
    const slash = key.indexOf('/');
    const query = new URLSearchParams({
      agent: key.slice(0, slash),
      device: key.slice(slash + 1),
      since: new Date(sinceMs).toISOString(),
      limit: '1000',
    });
    const body = await this.#read<{ results?: WindowView[] }>(`recent-results?${query}`);
    return body?.results ?? null;
  }

  async alerts(limit: number): Promise<readonly Alert[] | null> {
    const body = await this.#read<{ alerts?: Alert[] }>(`api/v1/alerts?limit=${limit}`);
    return body?.alerts ?? null;
  }

  /** Lines whose agent or device holds the text, of all that the collector knows. */
  async findLines(text: string): Promise<readonly LineView[] | null> {
    const lines: LineView[] = [];
    let after: string | null = null;
    for (let page = 0; page < MAX_PAGES && lines.length < MAX_FOUND; page++) {
      const query = new URLSearchParams({ q: text, limit: `${MAX_FOUND}`, ...(after ? { after } : {}) });
      const body: Partial<LinesPage> | null = await this.#read<LinesPage>(`api/v1/lines?${query}`);
      if (!body?.lines) return null;
      lines.push(...body.lines);
      after = body.next ?? null;
      if (after === null) break;
    }
    return lines;
  }

  async #read<T>(path: string): Promise<T | null> {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const answer = await this.#send(new URL(path, this.#base), { signal });
      return answer.ok ? ((await answer.json()) as T) : null;
    } catch {
      return null;
    }
  }

  /** Null when it was done. */
  async #call(method: string, path: string, body?: object): Promise<Failure | null> {
    try {
      const answer = await this.#send(new URL(path, this.#base), {
        method,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
      if (answer.ok) return null;
      return toFailure(answer.status, await answer.json().catch(() => null));
    } catch (error) {
      const late = error instanceof DOMException && error.name === 'TimeoutError';
      if (late) return failure('The collector did not answer in time', 'It may still do what was asked.');
      return failure('The collector cannot be reached', 'Nothing was changed.');
    }
  }
}
