/**
 * What an autoencoder is trained on besides what was gathered: stored history, and always some history of agents that
 * the model before knew and that are away now, since a model judges only agents that it was trained on. Bounded.
 */
import { HISTORY_WINDOWS, type Scope } from '@lineheron/models';
import type { HistoryRows } from './autoencoder-trainer.js';
import type { GatheredWindow } from './row-buffer.js';

export interface HistoryWanted {
  scope: Scope;
  fingerprint: string;
  limit: number;
  /** All when absent. */
  agents?: readonly string[];
}

export interface TrainingRowsWanted {
  scope: Scope;
  fingerprint: string;
  gathered: readonly GatheredWindow[];
  useHistory: boolean;
  /** Agents that the model in use was trained on. */
  covered: readonly string[];
}

export interface TrainingRows {
  history: HistoryRows | null;
  /** Agents that lose their second opinion, because there is no window of theirs. */
  lost: string[];
}

const MAX_NAMED = 5;

export async function trainingRows(
  { scope, fingerprint, gathered, useHistory, covered }: TrainingRowsWanted,
  read: (wanted: HistoryWanted) => Promise<HistoryRows>,
): Promise<TrainingRows> {
  const present = new Set(gathered.map(({ agent }) => agent));
  const away = covered.filter((agent) => !present.has(agent));
  const history = useHistory
    ? await read({ scope, fingerprint, limit: HISTORY_WINDOWS })
    : await readAway(away, present.size, gathered.length, (limit) =>
        read({ scope, fingerprint, limit, agents: away }),
      );
  const known = new Set(history?.agents);
  return { history, lost: away.filter((agent) => !known.has(agent)) };
}

/** Those that lose their second opinion, named in a sentence; null when none does. */
export function lostSentence(lost: readonly string[]): string | null {
  if (lost.length === 0) return null;
  const more = lost.length > MAX_NAMED ? ` and ${lost.length - MAX_NAMED} more` : '';
  const names = lost.slice(0, MAX_NAMED).join(', ') + more;
  return `no windows of ${names}, so without its opinion until a training with them`;
}

/** Each agent that is away gets as many windows as one that is there gave on average. */
async function readAway(
  away: readonly string[],
  present: number,
  gathered: number,
  read: (limit: number) => Promise<HistoryRows>,
): Promise<HistoryRows | null> {
  if (away.length === 0 || present === 0) return null;
  return read(Math.min(HISTORY_WINDOWS, away.length * Math.ceil(gathered / present)));
}
