/** What the API asks of the store and tells it to keep. What goes wrong there becomes a problem that says so. */
import type { Queries } from './http/dependencies.js';
import { ProblemError } from './http/problem.js';
import { type Store, StoreBusyError, StoreError, StoreTimeoutError } from './store/store.js';

export function queriesOf(store: Store): Queries {
  return {
    recentWindows: (filter) => answered(store.recentWindows(filter)),
    windowPage: (query) => answered(store.windowPage(query)),
    alerts: (filter) => answered(store.alerts(filter)),
    alert: (id) => answered(store.alert(id)),
    trainings: (limit) => answered(store.trainings(limit)),
    training: (id) => answered(store.training(id)),
  };
}

export async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof StoreBusyError) throw new ProblemError('busy', `${error.message}: ask again.`);
    if (error instanceof StoreTimeoutError)
      throw new ProblemError('too_slow', `${error.message}: ask for less.`);
    if (error instanceof StoreError) throw new ProblemError('not_ready', `${error.message}.`);
    throw error;
  }
}
