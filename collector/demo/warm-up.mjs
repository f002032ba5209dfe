/**
 * Gets the demo going without a click: waits for the back-filled windows, trains on them and starts detection. The
 * agent on this host has no past to learn from, so it is trained once it has measured for two minutes.
 */
import { call, until } from './api.mjs';
import { HOST_AGENT } from './fleet.mjs';
import { progress, warn } from './terminal.mjs';

const FILL_DEADLINE_MS = 120_000;
const TRAIN_DEADLINE_MS = 120_000;
const HOST_WINDOWS_MS = 125_000;
/** A back-filled agent has caught up when its newest window is this young. */
const CAUGHT_UP_MS = 5_000;

const hasForest = (agent) => agent?.models.some((model) => model.kind === 'isolation_forest') === true;

function caughtUp(agent) {
  if (!agent?.online || agent.source.phase !== 'live') return false;
  return agent.devices.some((device) => Date.now() - Date.parse(device.end) < CAUGHT_UP_MS);
}

/** Trains on what is kept and waits for the end. */
async function train(base, signal, agents) {
  const { id } = await call(base, 'POST', '/train', { duration_seconds: 0, use_history: true, agents });
  const ended = async () => {
    const training = await call(base, 'GET', `/api/v1/trainings/${id}`);
    return training.finished_at ? training : null;
  };
  return until(ended, { deadlineMs: TRAIN_DEADLINE_MS, signal });
}

/** Trains the simulated gateways where they have no model yet, then starts detection. */
export async function warmUp(base, gatewayIds, signal) {
  const agents = async () =>
    (await call(base, 'GET', '/status')).agents.filter(({ id }) => gatewayIds.includes(id));
  const online = await until(
    async () => {
      const known = await agents();
      return known.length === gatewayIds.length && known.every(({ online }) => online) ? known : null;
    },
    { deadlineMs: FILL_DEADLINE_MS, signal },
  );
  if (!online) return warn('training', 'not every gateway came online; train and start from the dashboard');
  if (!online.every(hasForest)) {
    const step = progress('training', 'back-filling and learning what normal looks like');
    const filled = await until(async () => (await agents()).every(caughtUp), {
      deadlineMs: FILL_DEADLINE_MS,
      signal,
    });
    const training = filled && (await train(base, signal, gatewayIds));
    if (signal.aborted) return undefined;
    if (training?.state !== 'done') return step.fail(training?.message ?? 'did not end in time');
    const rows = training.agents.reduce((sum, agent) => sum + agent.rows.device, 0);
    step.end(`${training.agents.length} gateways, ${rows.toLocaleString('en-US')} windows`);
  }
  await call(base, 'POST', '/start');
  return undefined;
}

/** Trains this host's agent when it has measured long enough and has no model yet. Resolves to whether it did. */
export async function warmUpHost(base, signal) {
  const waited = new Promise((resolve) => {
    const timer = setTimeout(resolve, HOST_WINDOWS_MS);
    signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
  });
  const host = (await call(base, 'GET', '/status')).agents.find(({ id }) => id === HOST_AGENT);
  if (hasForest(host)) return false;
  await waited;
  if (signal.aborted) return false;
  const training = await train(base, signal, [HOST_AGENT]);
  return training?.state === 'done';
}
