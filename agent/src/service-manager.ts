/**
 * Tells a service manager (systemd, Type=notify) that the agent is ready, reads its configuration again, ends, and is
 * alive. Silent where there is none. The watchdog is fed from the event loop: an agent that hangs stops feeding it.
 */
import { notifyService } from '@lineheron/native';
import { type Log, messageOf } from './log.js';

const US_PER_MS = 1_000;
/** Twice in the time allowed, as sd_watchdog_enabled(3) advises. */
const FEEDS = 2;

export interface ManagerOptions {
  environment: NodeJS.ProcessEnv;
  pid: number;
  /** CLOCK_MONOTONIC in µs, as the manager's own. */
  monotonicUs: () => bigint;
  log: Log;
}

export class ServiceManager {
  private readonly socket: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failed = false;

  constructor(private readonly options: ManagerOptions) {
    this.socket = options.environment.NOTIFY_SOCKET || undefined;
  }

  /** Ready, and from here on fed. */
  ready(status: string): void {
    this.send(`READY=1\nSTATUS=${oneLine(status)}`);
    const everyMs = this.watchdogMs;
    if (everyMs === null || this.timer) return;
    this.timer = setInterval(() => this.send('WATCHDOG=1'), everyMs / FEEDS);
    this.timer.unref();
  }

  /** The configuration is being read again; `ready` says that this is over. */
  reloading(): void {
    this.send(`RELOADING=1\nMONOTONIC_USEC=${this.options.monotonicUs()}`);
  }

  stopping(): void {
    clearInterval(this.timer);
    this.send('STOPPING=1');
  }

  /** How long the manager waits for a sign of life; null when it does not. */
  private get watchdogMs(): number | null {
    const { environment, pid } = this.options;
    const allowedUs = Number(environment.WATCHDOG_USEC);
    const whose = environment.WATCHDOG_PID;
    if (!(allowedUs > 0) || (whose && Number(whose) !== pid)) return null;
    return allowedUs / US_PER_MS;
  }

  private send(text: string): void {
    if (this.socket === undefined) return;
    try {
      notifyService(this.socket, text);
      this.failed = false;
    } catch (error) {
      if (!this.failed) this.options.log.warn({ error: messageOf(error) }, 'cannot tell the service manager');
      this.failed = true;
    }
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 256);
}
