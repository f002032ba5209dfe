import { describe, expect, it } from 'vitest';
import { Api, toFailure } from './api.js';

const BASE = new URL('http://collector.test/prefix/');

function answering(status: number, body: unknown) {
  const calls: { url: string; method: string | undefined; body: unknown }[] = [];
  const send = (async (url: URL, init: RequestInit) => {
    calls.push({ url: String(url), method: init.method, body: init.body && JSON.parse(String(init.body)) });
    return new Response(JSON.stringify(body), { status });
  }) as unknown as typeof fetch;
  return { api: new Api(BASE, send), calls };
}

describe('the API', () => {
  it('is asked for the newest windows of a line, whatever its name', async () => {
    const { api, calls } = answering(200, { results: [] });
    expect(await api.windows('gw-1/line & 1', 0)).toEqual([]);
    const query = 'agent=gw-1&device=line+%26+1&since=1970-01-01T00%3A00%3A00.000Z&limit=1000';
    expect(calls[0]?.url).toBe(`http://collector.test/prefix/recent-results?${query}`);
  });

  it('gives null for what cannot be read', async () => {
    expect(await answering(503, {}).api.windows('gw-1/a', 0)).toBeNull();
    expect(await answering(200, {}).api.alerts(200)).toBeNull();
  });

  it('is asked below the prefix that the page came from', async () => {
    const { api, calls } = answering(200, {});
    await api.train({ duration_seconds: 5, epochs: 2, use_history: true });
    await api.setDetection(true);
    await api.setDetection(false);
    await api.setModel('autoencoder');
    await api.useCandidate('ensemble', 'ab');
    await api.cancelTraining('a/b');
    expect(calls).toEqual([
      {
        url: 'http://collector.test/prefix/train',
        method: 'POST',
        body: { duration_seconds: 5, epochs: 2, use_history: true },
      },
      { url: 'http://collector.test/prefix/start', method: 'POST', body: {} },
      { url: 'http://collector.test/prefix/stop', method: 'POST', body: {} },
      { url: 'http://collector.test/prefix/model', method: 'POST', body: { model_name: 'autoencoder' } },
      {
        url: 'http://collector.test/prefix/model',
        method: 'POST',
        body: { model_name: 'ensemble', candidate: 'ab' },
      },
      { url: 'http://collector.test/prefix/api/v1/trainings/a%2Fb', method: 'DELETE', body: undefined },
    ]);
  });

  it('says what to do in the words of the page, not in routes', async () => {
    const detail = 'Nothing is trained for autoencoder yet: call POST /train first.';
    const { api } = answering(409, { title: 'No model is trained yet', code: 'not_trained', detail });
    const failure = await api.setDetection(true);
    expect(failure).toMatchObject({ code: 'not_trained', detail: expect.not.stringContaining('POST') });
  });

  it('tells a problem in its own words and names the field', async () => {
    const { api } = answering(400, {
      type: 'about:blank',
      title: 'The request is not valid',
      status: 400,
      code: 'invalid_request',
      errors: [{ path: 'epochs', message: 'Too small' }],
    });
    expect(await api.train({ epochs: 0 })).toEqual({
      title: 'The request is not valid',
      detail: null,
      code: 'invalid_request',
      fields: [{ path: 'epochs', message: 'Too small' }],
    });
  });

  it('tells an answer that is no problem document by its status', () => {
    expect(toFailure(502, null).title).toBe('The collector answered with status 502');
  });

  it('turns a collector that is away into words, not into an exception', async () => {
    const send = (async () => {
      throw new TypeError('failed to fetch');
    }) as unknown as typeof fetch;
    expect((await new Api(BASE, send).setDetection(true))?.title).toBe('The collector cannot be reached');
  });
});
