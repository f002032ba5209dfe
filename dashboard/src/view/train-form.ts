/** What the training form holds and whether it can be sent. The collector checks again; this saves a round trip. */
import type { FeedStatus, Training, TrainRequest } from '@lineheron/models';
import { plural } from '../format.js';

export interface TrainForm {
  readonly duration: string;
  readonly epochs: string;
  readonly useHistory: boolean;
}

/** As the API: a minute of wall time unless told otherwise. */
const DEFAULT_DURATION_SECONDS = 60;
const DEFAULT_EPOCHS = 50;

export function defaultForm(settings: FeedStatus['settings'] | undefined): TrainForm {
  return {
    duration: String(DEFAULT_DURATION_SECONDS),
    epochs: String(settings?.epochs ?? DEFAULT_EPOCHS),
    useHistory: true,
  };
}

export interface FormFaults {
  readonly duration: string | null;
  readonly epochs: string | null;
}

export function formFaults({ duration, epochs, useHistory }: TrainForm): FormFaults {
  return { duration: durationFault(duration, useHistory), epochs: epochsFault(epochs) };
}

function durationFault(text: string, useHistory: boolean): string | null {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds)) return 'Give a number of seconds.';
  if (seconds < 0 || seconds > 86_400) return 'Between 0 and 86,400 seconds.';
  if (seconds === 0 && !useHistory) return '0 needs “Use history”: there would be nothing to learn from.';
  return null;
}

function epochsFault(text: string): string | null {
  const epochs = Number(text);
  const fine = text.trim() !== '' && Number.isInteger(epochs) && epochs >= 1 && epochs <= 10_000;
  return fine ? null : 'A whole number from 1 to 10,000.';
}

export function toRequest({ duration, epochs, useHistory }: TrainForm): TrainRequest {
  return { duration_seconds: Number(duration), epochs: Number(epochs), use_history: useHistory };
}

export function isRunning(training: Training | null): training is Training {
  return training?.state === 'collecting' || training?.state === 'fitting';
}

/** Why a training cannot be asked for now; null when it can. */
export function trainBlocked(status: FeedStatus | null, connected: boolean): string | null {
  if (!connected || status === null) return 'Not connected to the collector.';
  if (isRunning(status.training)) return 'A training is running.';
  if (status.watching.agents_online === 0) return 'No agent is online.';
  return null;
}

/** How the last training ended, in a sentence. */
export function trainingOutcome(training: Training): string {
  if (training.state === 'cancelled') return 'The last training was cancelled.';
  if (training.state === 'failed') return training.message ?? 'The last training failed.';
  const done = training.agents.filter(({ state }) => state === 'done');
  const { done: others, rows: more } = training.left_out ?? { done: 0, rows: 0 };
  const rows = done.reduce((sum, { rows: { device, gateway } }) => sum + device + gateway, more);
  const encoders = training.autoencoders.filter(({ state }) => state === 'done').length;
  const learned = `${plural(done.length + others, 'agent')} and ${plural(encoders, 'autoencoder')} trained on ${plural(rows, 'window')}.`;
  return training.message ? `${learned} ${training.message}` : learned;
}
