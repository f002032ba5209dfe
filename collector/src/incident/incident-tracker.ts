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

export class IncidentTracker {
  private lines = new Map<string, Line>();

  /** Takes up the alerts that were open when the collector stopped. */
  restore(alerts: readonly Alert[], nowMs: number): void {
    for (const alert of alerts) {
      const boot = parseWindowId(alert.id)?.boot ?? '';
      const open = restoreAlert(alert, boot, nowMs);
      const key = lineKey(alert.agent, alert.device, alert.historical ?? false);
      // The newest comes first.
      if (!this.lines.has(key)) this.lines.set(key, { ...NEW_LINE, open });
    }
  }

  draft(): IncidentDraft {
    return new IncidentDraft(this.lines);
  }

  /** Makes what the draft worked out the state. */
  accept(draft: IncidentDraft): void {
    for (const [key, line] of draft.changed) {
      this.lines.delete(key);
      if (line.open !== null || line.closedEpisode !== null) this.lines.set(key, line);
    }
    for (const [key, line] of this.lines) {
      if (this.lines.size <= MAX_REMEMBERED) break;
      if (line.open === null) this.lines.delete(key);
    }
  }

  get openAlerts(): Alert[] {
    return [...this.lines.values()].flatMap(({ open }) =>
      open && !open.alert.historical ? [open.alert] : [],
    );
  }

  openAlert(agent: string, device: string): string | null {
    return this.lines.get(lineKey(agent, device))?.open?.alert.id ?? null;
  }
}

export class IncidentDraft {
  readonly changed = new Map<string, Line>();
  /** Alerts that this draft opened. */
  opened = 0;
  private readonly alerts = new Map<string, Alert>();

  constructor(private readonly base: ReadonlyMap<string, Line>) {}

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
      this.changed.set(key, { ...line, open, silenced: open ? null : line.silenced });
    }
    return open && window.endMs >= Date.parse(open.alert.opened_at) ? open.alert.id : null;
  }

  /** Whether a window's autoencoder speaks for an alert. */
  isTold(alert: string, window: string): boolean {
    for (const { open } of this.changed.values()) {
      if (open?.alert.id === alert) return open.told?.window === window && open.told.by === 'autoencoder';
    }
    return false;
  }

  /** Adds what would have made the window normal that speaks for an alert. */
  explain(id: string, change: NormalIf): void {
    for (const [key, line] of this.changed) {
      if (line.open?.alert.id !== id) continue;
      this.changed.set(key, {
        ...line,
        open: { ...line.open, alert: withNormalIf(line.open.alert, change) },
      });
    }
    const told = this.alerts.get(id);
    if (told) this.alerts.set(id, withNormalIf(told, change));
  }

  /** Closes the alerts of devices that have fallen silent. */
  closeSilent(nowMs: number): void {
    for (const [key, { open }] of this.base) {
      if (!open || nowMs - open.heardMs < quietLimitMs(SILENCE_MS, open.intervalMs)) continue;
      const why = open.alert.historical ? undefined : 'Closed because the line fell silent.';
      this.note(closeAlert(open, open.lastEndMs, why));
      this.changed.set(key, {
        open: null,
        closedEpisode: open.episode,
        silenced: open.episode === null ? null : open,
      });
    }
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
    if (window.scope === 'gateway' && this.hasOpenDevice(window)) return null;
    const open = openAlert(window, model, nowMs);
    this.opened++;
    this.note(open.alert);
    return open;
  }

  private extend(open: OpenAlert, window: ReviewedWindow, model: ActiveModel, nowMs: number): OpenAlert {
    const next = extendAlert(open, window, model, nowMs);
    // An agent that restarted goes on with the same trouble under a new episode.
    const episode = window.episode ?? next.episode;
    const differs = JSON.stringify(next.alert) !== JSON.stringify(open.alert);
    if (differs) this.note(next.alert);
    return { ...next, episode, boot: window.boot, alert: differs ? next.alert : open.alert };
  }

  private line(key: string): Line {
    return this.changed.get(key) ?? this.base.get(key) ?? NEW_LINE;
  }

  private note(alert: Alert): void {
    const isOver = alert.historical === true && alert.status === 'open';
    const said: Alert = isOver ? { ...alert, status: 'closed', closed_at: alert.last_suspect_at } : alert;
    this.alerts.set(alert.id, said);
  }

  private hasOpenDevice({ agent, historical }: ReviewedWindow): boolean {
    const isOpen = ({ open }: Line) =>
      open?.alert.agent === agent &&
      open.alert.scope === 'device' &&
      (open.alert.historical ?? false) === historical;
    for (const line of this.changed.values()) if (isOpen(line)) return true;
    for (const [key, line] of this.base) if (!this.changed.has(key) && isOpen(line)) return true;
    return false;
  }
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

function lineKey(agent: string, device: string, historical = false): string {
  return `${agent}/${device}${historical ? '/past' : ''}`;
}
