/** The built agent under a service manager that is a socket: ready, reload, watchdog, stop. */
import { spawn, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ServiceManager } from './service-manager.js';
import { type Started, startProgram, stopProgram } from './test-agent.js';
import { silentLog, until, withFolder } from './test-support.js';

const python = spawnSync('python3', ['--version']).status === 0;

/** Node cannot read Unix datagrams: a few lines of Python print one a line. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True: print(repr(s.recv(4096).decode()), flush=True)
`;

let agent: Started | null = null;
let listener: ReturnType<typeof spawn> | null = null;

afterEach(async () => {
  if (agent) await stopProgram(agent, 'SIGKILL');
  agent = null;
  listener?.kill('SIGKILL');
  listener = null;
});

describe.skipIf(!python)('under a service manager (needs python3)', () => {
  it('says when it is ready, reads again, is alive and ends', () =>
    withFolder(async (folder) => {
      const socket = join(folder, 'notify');
      listener = spawn('python3', ['-c', LISTENER, socket]);
      let said = '';
      listener.stdout!.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      await until('the socket', () => said.includes('bound'));
      const path = join(folder, 'agent.yaml');
      const mqtt = { url: 'mqtt://127.0.0.1:1' };
      await writeFile(
        path,
        JSON.stringify({ agent_id: 'gw-1', data_dir: join(folder, 'data'), mqtt, source: { type: 'host' } }),
      );
      agent = startProgram(['run', '--config', path], { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' });
      await until('readiness', () =>
        said.includes('READY=1\\nSTATUS=reads host, reports to mqtt://127.0.0.1:1'),
      );
      await until('two signs of life', () => said.split('WATCHDOG=1').length > 2);
      agent.process.kill('SIGHUP');
      await until('the reload and its end', () =>
        /RELOADING=1\\nMONOTONIC_USEC=\d+'\n(.*\n)*'READY=1/.test(said),
      );
      expect(await stopProgram(agent)).toBe(0);
      await until('the end', () => said.includes('STOPPING=1'));
    }));
});

describe('without a service manager', () => {
  it('is silent, and a socket that is gone is told once', () => {
    const told: unknown[] = [];
    const log = { ...silentLog, warn: (what: unknown) => told.push(what) };
    const make = (environment: NodeJS.ProcessEnv) =>
      new ServiceManager({ environment, pid: 1, monotonicUs: () => 0n, log });
    make({}).ready('x');
    expect(told).toEqual([]);
    const gone = make({ NOTIFY_SOCKET: '/nonexistent/notify' });
    gone.ready('x');
    gone.stopping();
    expect(told).toMatchObject([{ error: expect.stringMatching(/No such file/) }]);
  });
});
