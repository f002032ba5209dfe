/** What `npm start` and `npm test` say of a machine that lacks something. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

interface Requirements {
  nodeComplaint: (version: string) => string | null;
  toolComplaints: (find: (command: string) => string | null) => string[];
  npmEnvironment: (environment: Record<string, string>) => Record<string, string>;
}

const path = fileURLToPath(new URL('../../collector/demo/requirements.mjs', import.meta.url));
const { nodeComplaint, toolComplaints, npmEnvironment } = (await import(path)) as Requirements;

describe('requirements', () => {
  it.each(['20.18.3', '18.20.0', '20.9.0'])(
    'says that Node %s is too old and where to get a newer one',
    (version) => {
      expect(nodeComplaint(version)).toMatch(/too old.*20\.19\.0.*nodejs\.org/);
    },
  );

  it.each(['20.19.0', '20.20.2', '22.0.0', '24.1.0'])('is content with Node %s', (version) => {
    expect(nodeComplaint(version)).toBeNull();
  });

  it('names every tool that is missing, each with its remedy', () => {
    const complaints = toolComplaints(() => null);
    expect(complaints.map((text) => text.split(' ')[0])).toEqual([
      'cargo',
      'rustc',
      'python3',
      'make',
      'g++',
    ]);
    for (const text of complaints) expect(text).toMatch(/install|rustup/);
  });

  it('says that Rust is too old and names the version that is needed', () => {
    const [complaint, ...others] = toolComplaints((command) => (command === 'rustc' ? '1.87.0' : '1.95.0'));
    expect(complaint).toMatch(/rustc 1\.87\.0 is too old, 1\.89\.0/);
    expect(others).toEqual([]);
  });

  it('leaves a nodedir that the user has set alone', () => {
    expect(npmEnvironment({ npm_config_nodedir: '/opt/node' }).npm_config_nodedir).toBe('/opt/node');
  });
});
