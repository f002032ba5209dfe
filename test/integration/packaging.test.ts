/** The Debian package and the service unit, by the programs that will take them; each test skips where its program is not. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGING = join(ROOT, 'agent', 'packaging');
const UNIT = join(PACKAGING, 'lineheron-agent.service');
const has = (program: string) => spawnSync(program, ['--version']).status === 0;

describe.skipIf(!has('dpkg-deb'))('the Debian package (needs dpkg-deb)', () => {
  let folder = '';
  let deb = '';
  const read = (...args: string[]) => execFileSync('dpkg-deb', args, { encoding: 'utf8' });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lineheron-deb-test-'));
    const environment = { ...process.env, SOURCE_DATE_EPOCH: '1767225600' };
    const build = (out: string) =>
      execFileSync(process.execPath, [join(PACKAGING, 'build-deb.mjs'), out], {
        encoding: 'utf8',
        env: environment,
      }).trim();
    deb = build(join(folder, 'a'));
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('states what it needs and which file is the user’s', () => {
    const depends = read('--field', deb, 'Depends');
    expect(depends).toMatch(/nodejs \(>= 20\.19\)/);
    expect(depends).toMatch(/libc6 \(>= 2\.\d+\)/);
    expect(read('--field', deb, 'Architecture').trim()).toMatch(/^(amd64|arm64)$/);
    expect(read('--info', deb, 'conffiles')).toBe('/etc/lineheron/agent.yaml\n');
    expect(read('--info', deb, 'md5sums')).toMatch(/^[0-9a-f]{32} {2}usr\/bin\/lineheron-agent$/m);
  });

  it('holds program, unit, configuration and documents, owned by root, and nothing that only a developer needs', () => {
    const lines = read('--contents', deb).trim().split('\n');
    const modes = new Map(lines.map((line) => [line.split(/\s+/)[5]!.replace(/^\./, ''), line.slice(0, 10)]));
    expect(lines.every((line) => line.includes(' root/root '))).toBe(true);
    expect(modes.get('/usr/bin/lineheron-agent')).toBe('-rwxr-xr-x');
    expect(modes.get('/etc/lineheron/agent.yaml')).toBe('-rw-r-----');
    expect(modes.get('/usr/lib/systemd/system/lineheron-agent.service')).toBe('-rw-r--r--');
    expect(modes.get('/usr/share/doc/lineheron-agent/copyright')).toBe('-rw-r--r--');
    const names = [...modes.keys()];
    expect(names.filter((name) => name.endsWith('.node'))).toHaveLength(1);
    expect(
      names.filter((name) =>
        /\.(map|ts|test\.js)$|typescript|vitest|onnxruntime|better-sqlite3|\/uplot\//.test(name),
      ),
    ).toEqual([]);
  });

  it.skipIf(!has('lintian'))(
    'has nothing that lintian complains of (needs lintian)',
    () => {
      expect(execFileSync('lintian', ['--allow-root', deb], { encoding: 'utf8' })).toBe('');
    },
    60_000,
  );

  it('runs where it is unpacked, with the configuration that it brings', () => {
    const target = join(folder, 'unpacked');
    execFileSync('dpkg-deb', ['--extract', deb, target]);
    const main = join(target, 'usr', 'lib', 'lineheron-agent', 'dist', 'main.js');
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: folder });
    expect(run('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(run('config', 'check', '--config', join(target, 'etc/lineheron/agent.yaml'))).toMatchObject({
      status: 0,
    });
    expect(run('doctor', '--help').status).toBe(0);
    expect(readFileSync(join(target, 'usr/bin/lineheron-agent'), 'utf8')).toMatch(
      /^#!\/bin\/sh\nexec \/usr\/bin\/node /,
    );
    for (const script of ['postinst', 'prerm', 'postrm']) {
      expect(spawnSync('sh', ['-n', join(PACKAGING, 'debian', script)]).status).toBe(0);
    }
  });
});

describe('the container file', () => {
  it('starts the program as the package does', () => {
    const text = readFileSync(join(PACKAGING, 'Containerfile'), 'utf8');
    const flags = readFileSync(join(PACKAGING, 'node-flags'), 'utf8').trim().split(' ');
    const entry = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(text)![1]!) as string[];
    expect(entry).toEqual(['node', ...flags, '/usr/lib/lineheron-agent/dist/main.js']);
    expect(text).toMatch(/^USER lineheron$/m);
  });
});

describe.skipIf(!has('systemd-analyze'))('the service unit (needs systemd-analyze)', () => {
  it('exposes no more than 1.5', () => {
    const said = execFileSync('systemd-analyze', ['security', '--offline=true', UNIT], { encoding: 'utf8' });
    const exposure = Number(/Overall exposure level for .*: (\d+\.\d+)/.exec(said)?.[1]);
    expect(exposure).toBeLessThanOrEqual(1.5);
  });

  it('has no key that systemd does not know', () => {
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', UNIT], { encoding: 'utf8' });
    expect(stderr).not.toMatch(/Unknown key|Failed to parse|Invalid/i);
  });
});
