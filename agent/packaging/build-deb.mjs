#!/usr/bin/env node
/**
 * Builds the Debian package of the agent: `node agent/packaging/build-deb.mjs [FOLDER]` writes
 * `lineheron-agent_<version>_<architecture>.deb` there (dist-packages when absent) and prints its path. Needs the built
 * workspaces and dpkg-deb. The same inputs give the same bytes when SOURCE_DATE_EPOCH is set. Node comes from outside
 * (Debian 12's own is too old), so it is a dependency and not a part.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { agentVersion, diskBytes, ROOT, stage } from './stage.mjs';

const NAME = 'lineheron-agent';
const MAINTAINER = 'lineheron <team@lineheron.invalid>';
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };
const HERE = join(ROOT, 'agent', 'packaging');

function write(folder, path, text, mode = 0o644) {
  const target = join(folder, path);
  mkdirSync(join(target, '..'), { recursive: true });
  writeFileSync(target, text);
  chmodSync(target, mode);
}

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else yield path;
  }
}

/** Files may be read by all, folders entered; nothing of what is installed is written by its user. */
function evenModes(folder) {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) evenModes(path);
    else chmodSync(path, 0o644);
  }
}

/** The newest glibc symbol version that the addon asks for. */
function glibcNeeded(staged) {
  const addon = [...files(staged)].find((path) => path.endsWith('.node'));
  if (!addon) throw new Error('the native addon is not built: npm run build');
  const versions = readFileSync(addon, 'latin1').matchAll(/GLIBC_2\.(\d+)/g);
  return `2.${Math.max(...[...versions].map(([, minor]) => Number(minor)))}`;
}

function control(folder, architecture, glibc) {
  return `Package: ${NAME}
Version: ${agentVersion()}
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${Math.ceil(diskBytes(folder) / 1024)}
Depends: nodejs (>= 20.19), libc6 (>= ${glibc}), libgcc-s1, adduser
Recommends: ca-certificates
Section: net
Priority: optional
Description: finds trouble on network lines at the edge, and explains it
 A small daemon for gateways, modems and routers. It reads log lines, learns
 what is normal there, scores every record and window on the spot, and tells a
 central collector over MQTT. Raw lines stay where they are.
`;
}

const copyright = () => `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: lineheron

Files: *
Copyright: ${readFileSync(join(ROOT, 'LICENSE'), 'utf8').match(/Copyright(?: \(c\))? (.*)/)?.[1] ?? 'the lineheron authors'}
License: Expat
${readFileSync(join(ROOT, 'LICENSE'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => (line.trim() === '' ? ' .' : ` ${line}`))
  .join('\n')}
`;

/** The program tells all of itself by `--help`; the page says so. */
const manual = () => `.TH LINEHERON-AGENT 1 "" "lineheron ${agentVersion()}"
.SH NAME
${NAME} \\- finds trouble on network lines at the edge
.SH SYNOPSIS
.B ${NAME}
.I command
.RI [ options ]
.SH DESCRIPTION
Reads log lines, learns what is normal there, scores every record and window, and tells a collector over MQTT.
.B ${NAME} \\-\\-help
lists the commands,
.B ${NAME}
.I command
.B \\-\\-help
explains each.
.SH FILES
.TP
.I /etc/lineheron/agent.yaml
The configuration;
.I /usr/share/doc/${NAME}/examples
explains every setting.
.TP
.I /var/lib/lineheron\\-agent
What waits for the collector, models and history.
.SH SEE ALSO
.I /usr/share/doc/${NAME}/README.md
tells exit codes, signals and what is promised.
`;

/** With the flags that keep it small; `bench:footprint` measures with the same. */
const launcher = (flags) => `#!/bin/sh
exec /usr/bin/node ${flags} /usr/lib/${NAME}/dist/main.js "$@"
`;

async function fill(folder, architecture, flags) {
  const program = join(folder, 'usr', 'lib', NAME);
  mkdirSync(program, { recursive: true });
  await stage(program);
  evenModes(folder);
  chmodSync(join(program, 'dist', 'main.js'), 0o755);
  write(folder, `usr/bin/${NAME}`, launcher(flags), 0o755);
  write(folder, `usr/lib/systemd/system/${NAME}.service`, readFileSync(join(HERE, `${NAME}.service`)));
  write(folder, 'etc/lineheron/agent.yaml', readFileSync(join(HERE, 'agent.yaml')), 0o640);
  const docs = `usr/share/doc/${NAME}`;
  write(folder, `usr/share/man/man1/${NAME}.1.gz`, gzipSync(manual(), { level: 9 }));
  write(folder, `${docs}/copyright`, copyright());
  const change = `${NAME} (${agentVersion()}) unstable; urgency=medium\n\n  * See README.md.\n\n -- ${MAINTAINER}  ${new Date(epoch() * 1000).toUTCString().replace('GMT', '+0000')}\n`;
  write(folder, `${docs}/changelog.gz`, gzipSync(change, { level: 9 }));
  write(folder, `${docs}/README.md`, readFileSync(join(ROOT, 'agent', 'README.md')));
  for (const name of [`${NAME}.example.yaml`, `${NAME}.schema.json`]) {
    write(folder, `${docs}/examples/${name}`, readFileSync(join(ROOT, 'agent', name)));
  }
  write(
    folder,
    `usr/share/lintian/overrides/${NAME}`,
    readFileSync(join(HERE, 'debian', 'lintian-overrides')),
  );
  const sums = [...files(folder)].map(
    (path) => `${createHash('md5').update(readFileSync(path)).digest('hex')}  ${relative(folder, path)}\n`,
  );
  write(folder, 'DEBIAN/control', control(folder, architecture, glibcNeeded(program)));
  write(folder, 'DEBIAN/md5sums', sums.join(''));
  write(folder, 'DEBIAN/conffiles', '/etc/lineheron/agent.yaml\n');
  for (const script of ['postinst', 'prerm', 'postrm']) {
    cpSync(join(HERE, 'debian', script), join(folder, 'DEBIAN', script));
    chmodSync(join(folder, 'DEBIAN', script), 0o755);
  }
}

function epoch() {
  return Number(process.env.SOURCE_DATE_EPOCH ?? Math.floor(Date.now() / 1000));
}

/** Node's own flags for a small daemon, one place for package, container and measurement. */
export const NODE_FLAGS = readFileSync(join(HERE, 'node-flags'), 'utf8').trim();

/** Builds the package into `out` and returns its path. */
export async function buildDeb(out) {
  const architecture = ARCHITECTURES[process.arch];
  if (!architecture) throw new Error(`there is no package for ${process.arch}`);
  const folder = mkdtempSync(join(tmpdir(), 'lineheron-deb-'));
  try {
    await fill(folder, architecture, NODE_FLAGS);
    chmodSync(folder, 0o755);
    mkdirSync(out, { recursive: true });
    const path = join(resolve(out), `${NAME}_${agentVersion()}_${architecture}.deb`);
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', folder, path], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return path;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] && import.meta.url === new URL(`file://${resolve(process.argv[1])}`).href) {
  try {
    process.stdout.write(`${await buildDeb(process.argv[2] ?? 'dist-packages')}\n`);
  } catch (error) {
    process.stderr.write(`build-deb: ${error.message}\n`);
    process.exitCode = 1;
  }
}
