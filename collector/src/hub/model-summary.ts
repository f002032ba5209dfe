/** A model's instances in sum, as the feed carries them: a fleet has one forest an agent. Pure. */
import type { FeedModel, ModelView } from '@lineheron/models';

export function feedModel({ instances, instances_total, learning, ...model }: ModelView): FeedModel {
  const agents = new Set(instances.map(({ agent }) => agent).filter((agent) => agent !== null));
  const times = instances.map(({ inference_us }) => inference_us).filter((time) => time !== null);
  const { candidates = [] } = model;
  return {
    ...model,
    instances: {
      count: instances.length,
      agents: agents.size,
      release: rangeOf(instances.map(({ release }) => release)),
      trained_at: instances.map(({ trained_at }) => trained_at).reduce(later, null),
      rows: total(instances.map(({ rows }) => rows)),
      size_bytes: total(instances.map(({ size_bytes }) => size_bytes)),
      inference_us: times.length === 0 ? null : total(times) / times.length,
      of_devices: ofDevices(instances.filter(({ scope }) => scope === 'device')),
    },
    in_use: instances.filter((one) =>
      candidates.some(
        ({ scope, fingerprint, agent = null }) =>
          one.scope === scope && one.fingerprint === fingerprint && one.agent === agent,
      ),
    ),
  };
}

function ofDevices(instances: ModelView['instances']): FeedModel['instances']['of_devices'] {
  const unable = instances.flatMap(({ cannot_alert }) => cannot_alert ?? []);
  const [least] = [...unable].sort((a, b) => a.windows - b.windows);
  return {
    count: instances.length,
    threshold: rangeOf(instances.flatMap(({ threshold }) => threshold ?? [])),
    cannot_alert: least ? { count: unable.length, least } : null,
  };
}

/** One by one, since a fleet's instances may be more than a call may have arguments. */
function rangeOf(values: readonly number[]): { least: number; most: number } | null {
  if (values.length === 0) return null;
  return {
    least: values.reduce((a, b) => Math.min(a, b)),
    most: values.reduce((a, b) => Math.max(a, b)),
  };
}

const later = (a: string | null, b: string) => (a === null || Date.parse(b) > Date.parse(a) ? b : a);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
