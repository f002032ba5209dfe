/**
 * Which alert is open on which device. What comes late (`historical`) has a line of its own beside the live one, so
 * that it neither opens nor closes anything now: its alerts are written closed. Only an episode that is open now and
 * began back then stays one alert. Windows are tried in a draft, and the draft becomes the state only when the
 * store has committed what it says, so that a failed commit leaves nothing half done. Bounded by the open alerts and
 * one remembered episode for each of the last devices that had one.
 */
import { type ActiveModel, type Alert, type NormalIf, parseWindowId, quietLimitMs } from '@lineheron/models';
import {
  closeAlert,
  extendAlert,
  isQuiet,
  type OpenAlert,
  openAlert,
  type ReviewedWindow,
  restoreAlert,
  withNormalIf,
} from './alert-state.js';
import { autoencoderOpens } from './opinion.js';

/** A device silent for this long, in wall time, and for three of its intervals, has its alert closed. */
export const SILENCE_MS = 60_000;
const MAX_REMEMBERED = 10_000;

interface Line {
  open: OpenAlert | null;
  /** The edge's episode that was closed last: a late window of it opens nothing again. */
  closedEpisode: string | null;
  /** The alert of that episode as silence closed it: silence does not end the edge's episode, so it may go on. */
  silenced: OpenAlert | null;
}

const NEW_LINE: Line = { open: null, closedEpisode: null, silenced: null };

/** What a draft stands on: the state, or a draft before it that will become the state. */
interface Ground {
  keys(): Iterable<string>;
  line(key: string): Line;
  /** Open alerts of single devices, of an agent's live or past lines. */
  openDevices(side: string): number;
}

export class IncidentTracker implements Ground {
  private readonly lines = new Map<string, Line>();
  private readonly devices = new Map<string, number>();
  /** By how much the clock was set since the start. */
  private movedMs = 0;
  /** How many alerts are open, but those of what came late. */
  open = 0;

  /** Takes up the alerts that were open when the collector stopped. */
  restore(alerts: readonly Alert[], nowMs: number): void {
    for (const alert of alerts) {
      const boot = parseWindowId(alert.id)?.boot ?? '';
      const open = restoreAlert(alert, boot, nowMs);
      const key = lineKey(alert.agent, alert.device, alert.historical ?? false);
      // The newest comes first.
      if (!this.lines.has(key)) this.set(key, { ...NEW_LINE, open });
    }
  }

  /** The clock was set by so much: when lines were heard goes with it. */
  clockMoved(byMs: number): void {
    this.movedMs += byMs;
    for (const [key, line] of this.lines) this.lines.set(key, moved(line, byMs));
  }

  /** `after`: a draft that is accepted before this one, or this one is thrown away. */
  draft(after?: IncidentDraft): IncidentDraft {
    return new IncidentDraft(after ?? this, this.movedMs);
  }

  keys(): Iterable<string> {
    return this.lines.keys();
  }

  line(key: string): Line {
    return this.lines.get(key) ?? NEW_LINE;
  }

  openDevices(side: string): number {
    return this.devices.get(side) ?? 0;
  }

  /** Makes what the draft worked out the state. */
  accept(draft: IncidentDraft): void {
    // The clock may have been set while the draft was being committed.
    const byMs = this.movedMs - draft.movedMs;
    for (const [key, line] of draft.changed) this.set(key, byMs === 0 ? line : moved(line, byMs));
    draft.standOn(this);
    for (const [key, line] of this.lines) {
      if (this.lines.size <= MAX_REMEMBERED) break;
      if (line.open === null) this.lines.delete(key);
    }
  }

  get openAlerts(): Alert[] {
    return [...this.lines.values()].flatMap((line) => (openIn(line) ? [line.open!.alert] : []));
  }

  openAlert(agent: string, device: string): string | null {
    return this.lines.get(lineKey(agent, device))?.open?.alert.id ?? null;
  }

  private set(key: string, line: Line): void {
    count(this.devices, this.line(key), -1);
    count(this.devices, line, 1);
    this.open += openIn(line) - openIn(this.line(key));
    this.lines.delete(key);
    if (line.open !== null || line.closedEpisode !== null) this.lines.set(key, line);
  }
}

export class IncidentDraft implements Ground {
  readonly changed = new Map<string, Line>();
  /** Line of each alert that is open in `changed`. */
  private readonly lineOf = new Map<string, string>();
  /** Alerts that this draft opened. */
  opened = 0;
  private readonly alerts = new Map<string, Alert>();
  private readonly copies = new WeakSet<OpenAlert>();
  /** How many more devices have an open alert than before it, by agent and side. */
  private readonly devices = new Map<string, number>();

  /** `movedMs`: by how much the clock had been set when it began. */
  constructor(
    private ground: Ground,
    readonly movedMs: number,
  ) {}

  /** What it worked out is in there now: a draft that stands on this one looks through it. */
  standOn(ground: Ground): void {
    this.ground = ground;
    this.changed.clear();
    this.devices.clear();
  }

  /** Alerts that are new or different since the draft began, each in its last state. */
  get changes(): Alert[] {
    return [...this.alerts.values()];
  }

  /** Takes one window; returns the id of the alert that it belongs to. */
  apply(window: ReviewedWindow, model: ActiveModel, nowMs: number): string | null {
    const live = this.line(lineKey(window.agent, window.device));
    const goesOn = window.episode !== null && window.episode === live.open?.episode;
    if (window.historical && window.episode !== null && window.episode === live.closedEpisode) {
      return window.episode;
    }
    const key = lineKey(window.agent, window.device, window.historical && !goesOn);
    const before = this.line(key);
    let line = this.reopened(before, window);
    if (line.open && isEnded(line.open, window)) {
      this.note(closeAlert(line.open, Math.max(window.endMs, line.open.lastSuspectMs)));
      line = { ...NEW_LINE, closedEpisode: line.open.episode ?? line.closedEpisode };
    }
    const open = line.open
      ? this.extend(line.open, window, model, nowMs)
      : this.begin(line, window, model, nowMs);
    if (open !== line.open || line !== before) {
      this.put(key, { ...line, open, silenced: open ? null : line.silenced });
    }
    return open && window.endMs >= Date.parse(open.alert.opened_at) ? open.alert.id : null;
  }

  /** Whether a window's autoencoder speaks for an alert. */
  isTold(alert: string, window: string): boolean {
    const open = this.changed.get(this.lineOf.get(alert) ?? '')?.open;
    return open?.alert.id === alert && open.told?.window === window && open.told.by === 'autoencoder';
  }

  /** Adds what would have made the window normal that speaks for an alert. */
  explain(id: string, change: NormalIf): void {
    const key = this.lineOf.get(id) ?? '';
    const line = this.changed.get(key);
    if (line?.open?.alert.id === id) {
      this.put(key, { ...line, open: { ...line.open, alert: withNormalIf(line.open.alert, change) } });
    }
    const told = this.alerts.get(id);
    if (told) this.alerts.set(id, withNormalIf(told, change));
  }

  /** Closes the alerts of devices that have fallen silent. */
  closeSilent(nowMs: number): void {
    for (const key of this.ground.keys()) {
      const { open } = this.line(key);
      if (!open || nowMs - open.heardMs < quietLimitMs(SILENCE_MS, open.intervalMs)) continue;
      const why = open.alert.historical ? undefined : 'Closed because the line fell silent.';
      this.note(closeAlert(open, open.lastEndMs, why));
      const silenced = open.episode === null ? null : open;
      this.put(key, { open: null, closedEpisode: open.episode, silenced });
    }
  }

  keys(): Iterable<string> {
    return new Set([...this.ground.keys(), ...this.changed.keys()]);
  }

  line(key: string): Line {
    return this.changed.get(key) ?? this.ground.line(key);
  }

  openDevices(side: string): number {
    return this.ground.openDevices(side) + (this.devices.get(side) ?? 0);
  }

  /** What silence closed is open again with a window of its episode, and over for good with a later one without. */
  private reopened(line: Line, { episode, endMs }: ReviewedWindow): Line {
    const { silenced } = line;
    if (silenced === null) return line;
    if (episode !== silenced.episode) {
      return endMs >= silenced.lastEndMs ? { ...line, silenced: null } : line;
    }
    this.note(silenced.alert);
    return { ...NEW_LINE, open: silenced };
  }

  private begin(line: Line, window: ReviewedWindow, model: ActiveModel, nowMs: number): OpenAlert | null {
    const edge = window.edge.suspect;
    if (!edge && !autoencoderOpens(model, window.autoencoder)) return null;
    if (edge && window.episode !== null && window.episode === line.closedEpisode) return null;
    // In an outage every window of a gateway asks this: it is counted, not looked for.
    const side = sideOf(window.agent, window.historical);
    if (window.scope === 'gateway' && this.openDevices(side) > 0) return null;
    const open = openAlert(window, model, nowMs);
    this.copies.add(open);
    this.opened++;
    this.note(open.alert);
    return open;
  }

  private extend(open: OpenAlert, window: ReviewedWindow, model: ActiveModel, nowMs: number): OpenAlert {
    const own = this.own(open);
    if (extendAlert(own, window, model, nowMs)) this.note(own.alert);
    // An agent that restarted goes on with the same trouble under a new episode.
    own.episode = window.episode ?? own.episode;
    own.boot = window.boot;
    return own;
  }

  /** What others know stays as it is: this draft changes copies of its own, one for each alert. */
  private own(open: OpenAlert): OpenAlert {
    if (this.copies.has(open)) return open;
    const copy = { ...open, alert: { ...open.alert } };
    this.copies.add(copy);
    return copy;
  }

  private put(key: string, line: Line): void {
    count(this.devices, this.line(key), -1);
    count(this.devices, line, 1);
    this.changed.set(key, line);
    if (line.open) this.lineOf.set(line.open.alert.id, key);
  }

  private note(alert: Alert): void {
    const isOver = alert.historical === true && alert.status === 'open';
    const said: Alert = isOver ? { ...alert, status: 'closed', closed_at: alert.last_suspect_at } : alert;
    this.alerts.set(alert.id, said);
  }
}

/** Counts a line where a single device's alert is open; live and past lines of an agent apart. */
function count(devices: Map<string, number>, { open }: Line, by: 1 | -1): void {
  if (open?.alert.scope !== 'device') return;
  const side = sideOf(open.alert.agent, open.alert.historical ?? false);
  const now = (devices.get(side) ?? 0) + by;
  if (now === 0) devices.delete(side);
  else devices.set(side, now);
}

/** Who opened an alert ends it; a suspect of the autoencoder's holds it a little longer. Late windows end nothing. */
function isEnded(open: OpenAlert, window: ReviewedWindow): boolean {
  if (window.endMs < open.lastEndMs) return false;
  if (open.episode !== null && window.episode === open.episode) return false;
  if (open.alert.opened_by === 'collector' || open.episode === null) return isQuiet(open, window.endMs);
  if (window.boot !== open.boot) return window.episode === null && isQuiet(open, window.endMs);
  return window.episode !== null || !heldByAutoencoder(open) || isQuiet(open, window.endMs);
}

function heldByAutoencoder(open: OpenAlert): boolean {
  const { detectors, active_model } = open.alert;
  return detectors.includes('autoencoder') && autoencoderOpens(active_model, { suspect: true });
}

function openIn({ open }: Line): 0 | 1 {
  return open && !open.alert.historical ? 1 : 0;
}

function moved(line: Line, byMs: number): Line {
  return line.open ? { ...line, open: { ...line.open, heardMs: line.open.heardMs + byMs } } : line;
}

const sideOf = (agent: string, historical: boolean) => (historical ? `${agent}/past` : agent);

function lineKey(agent: string, device: string, historical = false): string {
  return `${agent}/${device}${historical ? '/past' : ''}`;
}
