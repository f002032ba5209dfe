/** The pure part of a training: how its record changes with what agents report and with time. */
import type { AgentEvent, Training } from '@lineheron/models';

export type TrainingEvent = Extract<AgentEvent, { type: 'training' }>;
export type AgentTraining = Training['agents'][number];

/** An agent that says nothing for this long after the end of collecting is missed. */
export const MISSED_MS = 10_000;
const COLLECTING_SHARE = 0.7;

const ENDED = ['done', 'failed', 'cancelled', 'missed'];

export function isAgentEnded({ state }: AgentTraining): boolean {
  return ENDED.includes(state);
}

export function isTrainingEnded({ state }: Training): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}

/** What an agent said of its part; a part that has ended is not reopened. */
export function withAgentEvent(training: Training, agent: string, event: TrainingEvent): Training {
  const agents = training.agents.map((part) =>
    part.id !== agent || isAgentEnded(part)
      ? part
      : { ...part, state: event.phase, rows: event.rows, message: event.message ?? null },
  );
  return { ...training, agents };
}

/** Marks those that have been silent for too long. `heardMs` gives the last word of each agent. */
export function withMissed(
  training: Training,
  endMs: number,
  heardMs: ReadonlyMap<string, number>,
  nowMs: number,
): Training {
  const agents = training.agents.map((part): AgentTraining => {
    const silentSince = Math.max(endMs, heardMs.get(part.id) ?? 0);
    if (isAgentEnded(part) || nowMs - silentSince <= MISSED_MS) return part;
    return { ...part, state: 'missed', message: 'said nothing for 10 s after the end of collecting' };
  });
  return { ...training, agents };
}

/** Progress and time left: collecting by the clock, then by how many parts have ended. */
export function withProgress(training: Training, endMs: number, models: number, nowMs: number): Training {
  const leftMs = Math.max(0, endMs - nowMs);
  const durationMs = training.duration_seconds * 1000;
  const collected = durationMs === 0 ? 1 : 1 - leftMs / durationMs;
  const parts = training.agents.length + Math.max(models, training.autoencoders.length);
  const ended = training.agents.filter(isAgentEnded).length + training.autoencoders.length;
  const fitted = parts === 0 ? 0 : ended / parts;
  const share = durationMs === 0 ? 0 : COLLECTING_SHARE;
  const progress = Math.min(1, Math.max(0, share * collected + (1 - share) * fitted));
  // Never backwards: what was shown stays reached.
  return { ...training, seconds_left: leftMs / 1000, progress: Math.max(progress, training.progress) };
}

/** The end: done when anything was trained, failed when nothing was; what was left out is said. */
export function concluded(training: Training, nowMs: number): Training {
  const agentsDone = training.agents.filter(({ state }) => state === 'done').length;
  const models = training.autoencoders.filter(({ state }) => state === 'done').length;
  const left = [
    ...training.agents
      .filter(({ state }) => state !== 'done')
      .map(({ id, state, message }) => `${id}: ${message ?? state}`),
    ...training.autoencoders
      .filter(({ state, message }) => state !== 'done' || message !== null)
      .map(({ scope, message }) => `autoencoder (${scope}): ${message ?? 'failed'}`),
  ]
    .slice(0, 10)
    .map((sentence) => sentence.replace(/\.$/, ''));
  const trained = agentsDone + models > 0;
  return {
    ...training,
    state: trained ? 'done' : 'failed',
    finished_at: new Date(nowMs).toISOString(),
    progress: 1,
    seconds_left: 0,
    message: left.length > 0 ? `${left.join('; ')}.` : trained ? null : 'There was nothing to train on.',
  };
}

export function cancelled(training: Training, nowMs: number): Training {
  const agents = training.agents.map((part) =>
    isAgentEnded(part) ? part : { ...part, state: 'cancelled' as const },
  );
  const finished_at = new Date(nowMs).toISOString();
  return {
    ...training,
    agents,
    state: 'cancelled',
    finished_at,
    seconds_left: 0,
    message: 'It was cancelled.',
  };
}

/** A training that the collector did not live to finish. */
export function interrupted(training: Training, nowMs: number): Training {
  const finished_at = new Date(nowMs).toISOString();
  return { ...training, state: 'failed', finished_at, seconds_left: 0, message: 'The collector restarted.' };
}
