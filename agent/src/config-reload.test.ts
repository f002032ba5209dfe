/** Which changes a running agent takes over. */
import { expect, it } from 'vitest';
import { parseConfig } from './config-load.js';
import { changes, withLiveKeys } from './config-reload.js';

const of = (...settings: string[]) =>
  parseConfig('agent_id: gw-1\ndata_dir: x\nsource: {type: tail, paths: [a]}\n', {}, settings);

it('tells what changes at once from what needs a restart, by path', () => {
  const after = of(
    'log_level=debug',
    'mqtt.username=joe',
    'labels.site=Pier',
    'spool.max_bytes=99999999',
    'source.paths.0=b',
  );
  expect(changes(of(), after)).toEqual({
    live: ['labels.site', 'log_level', 'mqtt.username', 'sources.tail'],
    restart: ['spool.max_bytes'],
  });
  expect(changes(of(), of())).toEqual({ live: [], restart: [] });
});

it('keeps what needs a restart as it runs, so that it is told again next time', () => {
  const running = withLiveKeys(of(), of('seed=9', 'window_size_seconds=60'));
  expect(running).toMatchObject({ seed: 9, window_size_seconds: 30 });
  expect(changes(running, of('seed=9', 'window_size_seconds=60'))).toEqual({
    live: [],
    restart: ['window_size_seconds'],
  });
});

it('takes over other sources by name, but for standard input, which cannot be taken up again', () => {
  const head = 'agent_id: gw-1\ndata_dir: x\n';
  const before = parseConfig(`${head}sources: [{type: stdin}, {type: tail, paths: [a]}, {type: host}]\n`);
  const after = parseConfig(
    `${head}sources: [{type: stdin, format: syslog}, {type: tail, paths: [b]}, {type: tail, name: new, paths: [c]}]\n`,
  );
  expect(changes(before, after)).toEqual({
    live: ['sources.host', 'sources.new', 'sources.tail'],
    restart: ['sources.stdin'],
  });
  const running = withLiveKeys(before, after);
  expect(running.sources).toEqual([after.sources[1], after.sources[2], before.sources[0]]);
  expect(changes(running, after)).toEqual({ live: [], restart: ['sources.stdin'] });
});

it('sees a password or certificate that was renewed in its file', () => {
  const before = { ...of(), tls: { ca: 'old' } };
  const after = { ...of(), mqtt: { ...of().mqtt, password: 'new' }, tls: { ca: 'new' } };
  expect(changes(before, after).live).toEqual(['mqtt.password', 'tls.ca']);
});
