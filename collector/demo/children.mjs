/**
 * The launcher's child processes. Each runs in a group of its own, so that a terminal's interrupt reaches only the
 * launcher, and ends by itself when its channel to the launcher closes. One that dies is started again, once it has
 * been ready: what ends before that is its starter's to report.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const MAX_LOG_BYTES = 5 * 1024 * 1024;
/** Exit code by which a part says that its configuration or its surroundings are wrong: no use trying again. */
export const EXIT_CONFIG = 2;

/** Appends to a file and keeps one older piece of it. */
class LogFile {
  constructor(path) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.bytes = existsSync(path) ? statSync(path).size : 0;
    this.descriptor = openSync(path, 'a', 0o600);
  }

  write(chunk) {
    if (this.bytes > MAX_LOG_BYTES) {
      closeSync(this.descriptor);
      renameSync(this.path, `${this.path}.1`);
      this.descriptor = openSync(this.path, 'a', 0o600);
      this.bytes = 0;
    }
    try {
      this.bytes += writeSync(this.descriptor, chunk);
    } catch {
      // A full disk costs lines of the log, and not the part that wrote them: it says itself what it cannot keep.
    }
  }
}

export class Child {
  /** `onDeath(name, code, lastWords, willRestart)` hears of every end that nobody asked for. */
  constructor({ name, script, args, logPath, environment, onDeath, onReady }) {
    Object.assign(this, { name, script, args, environment, onDeath, onReady });
    this.log = new LogFile(logPath);
    this.stopping = false;
    this.keepAlive = false;
    this.failures = 0;
  }

  /** Resolves when the child says that it is ready; rejects with its last words when it ends before. */
  start() {
    this.process = spawn(process.execPath, [this.script, ...this.args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      env: this.environment,
    });
    let lastWords = '';
    const keep = (chunk) => {
      lastWords = (lastWords + chunk).slice(-4000);
      this.log.write(chunk);
    };
    this.process.stdout.on('data', keep);
    this.process.stderr.on('data', keep);
    return new Promise((ready, failed) => {
      let settled = false;
      const settle = (what, value) => {
        settled = true;
        what(value);
      };
      this.process.on('message', (message) => {
        if (message?.type !== 'ready' || settled) return;
        this.failures = 0;
        this.keepAlive = true;
        settle(ready, message);
        this.onReady?.();
      });
      this.process.on('error', (error) => settle(failed, error));
      this.process.on('close', (code, signal) => {
        this.process = null;
        const text = lastWords.trim();
        if (!settled) settle(failed, new Error(text || `${this.name} ended with ${code ?? signal}`));
        if (!this.stopping) this.restart(code ?? signal, text);
      });
    });
  }

  restart(code, lastWords) {
    const again = code !== EXIT_CONFIG && this.failures < 5 && this.keepAlive;
    this.onDeath?.(this.name, code, lastWords, again);
    if (!again) return;
    const delayMs = 500 * 2 ** this.failures++;
    this.timer = setTimeout(() => this.start().catch(() => {}), delayMs);
  }

  /** Asks it to end; resolves when it has. */
  stop() {
    this.stopping = true;
    clearTimeout(this.timer);
    const child = this.process;
    if (!child) return Promise.resolve();
    return new Promise((done) => {
      child.on('close', done);
      child.kill('SIGTERM');
    });
  }

  /** Ends its whole group at once. */
  kill() {
    this.stopping = true;
    clearTimeout(this.timer);
    if (!this.process) return;
    try {
      process.kill(-this.process.pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }
}
