/**
 * Gets the demo going without a click: waits for the back-filled windows, trains on them and starts detection. The
 * agent on this host has no past to learn from, so it is trained once it has measured for two minutes, and again until
 * its windows are enough. What is said comes from what the collector reports of each agent.
 */
import { call, until } from './api.mjs';
import { HOST_AGENT } from './fleet.mjs';
import { progress, warn } from './terminal.mjs';

const FILL_DEADLINE_MS = 120_000;
const TRAIN_DEADLINE_MS = 120_000;
const HOST_WINDOWS_MS = 125_000;
const HOST_AGAIN_MS = 60_000;
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
    const failed = training.agents.filter(({ state }) => state !== 'done');
    if (failed.length > 0) return step.fail(failed.map(({ id, message }) => `${id}: ${message}`).join('; '));
    const rows = training.agents.reduce((sum, agent) => sum + agent.rows.device, 0);
    step.end(`${training.agents.length} gateways, ${rows.toLocaleString('en-US')} windows`);
  }
  await call(base, 'POST', '/start');
  return undefined;
}

/** Resolves after `ms`, or at once when `signal` is aborted. */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
  });
}

/** Trains this host's agent, which has no model yet, until it has one. Resolves to whether that was needed and done. */
export async function warmUpHost(base, signal) {
  const host = async () => (await call(base, 'GET', '/status')).agents.find(({ id }) => id === HOST_AGENT);
  if (hasForest(await host())) return false;
  let told = null;
  for (let ms = HOST_WINDOWS_MS; ; ms = HOST_AGAIN_MS) {
    await pause(ms, signal);
    if (signal.aborted) return false;
    const training = await train(base, signal, [HOST_AGENT]).catch(({ message }) => ({
      agents: [],
      message,
    }));
    if (signal.aborted) return false;
    const own = training?.agents.find(({ id }) => id === HOST_AGENT);
    if (own?.state === 'done') return true;
    const why = own?.message ?? training?.message ?? 'the training did not end in time';
    if (why !== told)
      warn(HOST_AGENT, `still learning (${why}); the adaptive baseline watches it meanwhile. Trying again`);
    told = why;
  }
}
