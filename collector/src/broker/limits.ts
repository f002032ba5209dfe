/**
 * Every bound of the embedded broker. What one client may take is far below what all may take together, and an agent
 * that the collector knows keeps a place that strangers cannot fill. MQTT 3.1.1 has few words for a refusal: where it
 * has none, the client is cut.
 */
import { MAX_PACKET_BYTES } from '@lineheron/models';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Of retained messages: how many topics, and the bytes of topic and payload. */
export interface RetainedShare {
  maxTopics: number;
  maxBytes: number;
}

export interface RetainedLimits {
  /** `status`, `info` and `desired` of every agent. */
  core: RetainedShare;
  /** Everything else that agents retain under their own ids. */
  agents: RetainedShare;
  /** What any other client retains. */
  others: RetainedShare;
  /** The collector's own: desired states, models. */
  owner: RetainedShare;
  /** One agent: the most devices that it has, and some. */
  perAgent: RetainedShare;
  /** Any other client, also what it retains under agents' ids. */
  perClient: RetainedShare;
}

export interface BrokerLimits {
  /** A PUBLISH packet. */
  maxPacketBytes: number;
  /** CONNECT with its will, SUBSCRIBE, UNSUBSCRIBE. */
  maxControlBytes: number;
  /** Packets of all clients that have begun and not ended. */
  maxPartialBytes: number;
  /** Clients that are connected. */
  maxConnections: number;
  /** Connections that have not sent CONNECT yet. */
  maxUnconnected: number;
  connectMs: number;
  maxClientIdBytes: number;
  /** A topic or a topic filter. */
  maxTopicBytes: number;
  maxTopicLevels: number;
  /** Of one client. */
  maxSubscriptions: number;
  /** Of all clients but the collector and the agents that it knows. */
  maxSubscriptionsOfOthers: number;
  /** SUBSCRIBE packets of one client whose retained messages are still being sent. */
  maxReplays: number;
  /** QoS 2 messages of one client that wait for its PUBREL; only their numbers are held, never the messages. */
  maxQos2InFlight: number;
  /** What waits to be sent to one client. */
  maxOutgoingBytes: number;
  /** What waits to be sent to all clients but the collector. */
  maxOutgoingBytesOfAll: number;
  /** A client that takes nothing of what waits for it for so long is cut. */
  stallMs: number;
  /** Sessions that outlive their connection (`clean: false`). */
  maxSessions: number;
  maxSessionMessages: number;
  maxSessionBytes: number;
  /** A session whose client is away for so long ends. */
  sessionMs: number;
  retained: RetainedLimits;
}

export const BROKER_LIMITS: BrokerLimits = {
  maxPacketBytes: MAX_PACKET_BYTES,
  maxControlBytes: 16 * KIB,
  maxPartialBytes: 128 * MIB,
  maxConnections: 2000,
  maxUnconnected: 250,
  connectMs: 10_000,
  maxClientIdBytes: 256,
  maxTopicBytes: 1024,
  maxTopicLevels: 16,
  maxSubscriptions: 200,
  maxSubscriptionsOfOthers: 20_000,
  maxReplays: 16,
  maxQos2InFlight: 20,
  maxOutgoingBytes: 8 * MIB,
  maxOutgoingBytesOfAll: 128 * MIB,
  stallMs: 60_000,
  maxSessions: 64,
  maxSessionMessages: 1000,
  maxSessionBytes: 2 * MIB,
  sessionMs: 24 * 3_600_000,
  retained: {
    core: { maxTopics: 30_000, maxBytes: 64 * MIB },
    agents: { maxTopics: 40_000, maxBytes: 48 * MIB },
    others: { maxTopics: 20_000, maxBytes: 32 * MIB },
    owner: { maxTopics: 20_000, maxBytes: 128 * MIB },
    perAgent: { maxTopics: 10_100, maxBytes: 16 * MIB },
    perClient: { maxTopics: 5000, maxBytes: 8 * MIB },
  },
};
