/**
 * What must be on the machine before anything can be built, and what to do when it is not. Runs before anything is
 * installed, so it uses nothing but Node.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const MIN_NODE = '20.19.0';
export const MIN_RUST = '1.89.0';

/** Tools that a first build needs: command, what it is for, and the remedy. */
const TOOLS = [
  {
    command: 'cargo',
    minimum: MIN_RUST,
    why: 'builds the native engine',
    remedy: 'install stable Rust from https://rustup.rs, or `rustup update stable`',
  },
  {
    command: 'rustc',
    minimum: MIN_RUST,
    why: 'builds the native engine',
    remedy: 'install stable Rust from https://rustup.rs, or `rustup update stable`',
  },
  {
    command: 'python3',
    why: 'node-gyp needs it to build the SQLite binding',
    remedy: 'apt install python3 (or your system’s package)',
  },
  {
    command: 'make',
    why: 'builds the SQLite binding',
    remedy: 'apt install make (or your system’s build tools)',
  },
  {
    command: 'g++',
    why: 'compiles the SQLite binding',
    remedy: 'apt install g++ (or your system’s build tools)',
  },
];

/** −1, 0 or 1 for dotted versions; missing parts count as 0. */
export function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let part = 0; part < 3; part++) {
    const difference = (left[part] ?? 0) - (right[part] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

/** The version a command prints, or null when there is no such command. */
function versionOf(command) {
  try {
    const text = execFileSync(command, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? '0';
  } catch {
    return null;
  }
}

/** One line for Node itself, or null when it is new enough. */
export function nodeComplaint(version = process.versions.node) {
  if (compareVersions(version, MIN_NODE) >= 0) return null;
  return `Node ${version} is too old: lineheron needs ${MIN_NODE} or newer. Install it from https://nodejs.org.`;
}

/** One line for each build tool that is missing or too old. */
export function toolComplaints(find = versionOf) {
  return TOOLS.flatMap(({ command, minimum, why, remedy }) => {
    const version = find(command);
    if (version === null) return [`${command} is missing (${why}): ${remedy}.`];
    if (minimum && compareVersions(version, minimum) < 0) {
      return [`${command} ${version} is too old, ${minimum} or newer is needed (${why}): ${remedy}.`];
    }
    return [];
  });
}

/**
 * Environment for npm. node-gyp wants Node's headers; where they lie beside Node there is no need to download them.
 * onnxruntime-node's install step would only fetch GPU libraries.
 */
export function npmEnvironment(environment = process.env) {
  const prefix = dirname(dirname(process.execPath));
  const hasHeaders = existsSync(join(prefix, 'include', 'node', 'node.h'));
  const nodedir = environment.npm_config_nodedir ?? (hasHeaders ? prefix : undefined);
  return {
    ...environment,
    ONNXRUNTIME_NODE_INSTALL: 'skip',
    ...(nodedir ? { npm_config_nodedir: nodedir } : {}),
  };
}
