/** Topics and topic filters of MQTT 3.1.1: what is valid, what matches, and whose a topic is. Pure. */
import { FLEET, isAgentId } from '@lineheron/models';

export interface TopicLimits {
  maxTopicBytes: number;
  maxTopicLevels: number;
}

/** The broker's own topics. Other names that begin with $ are anybody's; filters that begin with a wildcard skip them. */
const RESERVED = /^\$SYS(\/|$)/;
const AGENT_CLIENT = 'lineheron-agent-';
const CORE = /^lineheron\/v1\/([^/]+)\/(status|info|desired)$/;

function isShort(topic: string, { maxTopicBytes, maxTopicLevels }: TopicLimits): boolean {
  return (
    topic !== '' &&
    !topic.includes('\0') &&
    Buffer.byteLength(topic) <= maxTopicBytes &&
    topic.split('/', maxTopicLevels + 1).length <= maxTopicLevels
  );
}

/** Whether somebody may publish to it. */
export function isTopic(topic: string, limits: TopicLimits): boolean {
  return isShort(topic, limits) && !/[+#]/.test(topic) && !RESERVED.test(topic);
}

/** Whether somebody may subscribe to it: wildcards fill a level, `#` the last one. */
export function isFilter(filter: string, limits: TopicLimits): boolean {
  if (!isShort(filter, limits) || RESERVED.test(filter)) return false;
  const levels = filter.split('/');
  return levels.every(
    (level, at) => level === '+' || (level === '#' ? at === levels.length - 1 : !/[+#]/.test(level)),
  );
}

/** Whether a filter, taken apart at its slashes, matches a topic. */
export function matches(filter: readonly string[], topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]$/.test(filter[0] ?? '')) return false;
  const levels = topic.split('/');
  for (const [at, level] of filter.entries()) {
    if (level === '#') return true;
    if (at >= levels.length || (level !== '+' && level !== levels[at])) return false;
  }
  return filter.length === levels.length;
}

/** The agent whose connection bears this client id, or null. */
export function agentOfClient(clientId: string): string | null {
  const agent = clientId.startsWith(AGENT_CLIENT) ? clientId.slice(AGENT_CLIENT.length) : '';
  return isAgentId(agent) ? agent : null;
}

/** The agent whose `status`, `info` or `desired` this is, or null. */
export function agentOfCore(topic: string): string | null {
  const agent = CORE.exec(topic)?.[1];
  return agent !== undefined && (isAgentId(agent) || agent === FLEET) ? agent : null;
}

/** Whether a topic lies under the agent's id. */
export function isUnder(agent: string, topic: string): boolean {
  return topic.startsWith(`lineheron/v1/${agent}/`);
}
