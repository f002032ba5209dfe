/**
 * Every MQTT topic of lineheron, built and taken apart in one place. Agent ids and device names are checked before
 * they get here, so no part can smuggle in a wildcard or a level.
 */

const ROOT = 'lineheron/v1';

/** The reserved "agent" that means all of them. */
export const FLEET = 'fleet';

/** The first character keeps out what means something else in paths and in JavaScript objects: `..`, `__proto__`. */
export const AGENT_ID_PATTERN = /^[a-z0-9][a-z0-9._-]{0,63}$/;
export const RESERVED_AGENT_IDS: readonly string[] = [FLEET, 'constructor'];

export function isAgentId(id: string): boolean {
  return AGENT_ID_PATTERN.test(id) && !RESERVED_AGENT_IDS.includes(id);
}

/** No packet of ours is larger. */
export const MAX_PACKET_BYTES = 1024 * 1024;
/** A score batch stays below this: with all around it, it is less than 64 KiB, which every broker takes. */
export const MAX_BATCH_BYTES = 64 * 1024 - 512;

export const topics = {
  status: (agent: string) => `${ROOT}/${agent}/status`,
  info: (agent: string) => `${ROOT}/${agent}/info`,
  score: (agent: string) => `${ROOT}/${agent}/score`,
  anomaly: (agent: string) => `${ROOT}/${agent}/anomaly`,
  /** `*` is the gateway itself; no device can have that name, and to MQTT it is an ordinary character. */
  state: (agent: string, device: string) => `${ROOT}/${agent}/state/${device}`,
  event: (agent: string) => `${ROOT}/${agent}/event`,
  ack: (agent: string) => `${ROOT}/${agent}/ack`,
  verdict: (agent: string) => `${ROOT}/${agent}/verdict`,
  desired: (agent: string) => `${ROOT}/${agent}/desired`,
  command: (agent: string) => `${ROOT}/${agent}/command`,
} as const;

/** Who the collector of this broker is: retained, said again every two seconds, cleared when it ends. */
export const COLLECTOR_TOPIC = `${ROOT}/${FLEET}/collector`;

/** What the collector reads of every agent. */
export const COLLECTOR_KINDS = ['status', 'info', 'score', 'event'] as const;
export type CollectorKind = (typeof COLLECTOR_KINDS)[number];

/** Subscription filter for one kind of message from all agents. */
export const fromAllAgents = (kind: CollectorKind | 'desired'): string => `${ROOT}/+/${kind}`;

/** The agent and kind of an incoming topic, or null for one that is not ours to read. */
export function parseAgentTopic(topic: string): { agent: string; kind: string } | null {
  const [root, version, agent, kind, ...rest] = topic.split('/');
  if (`${root}/${version}` !== ROOT || rest.length > 0) return null;
  if (agent === undefined || kind === undefined || !isAgentId(agent)) return null;
  return { agent, kind };
}
