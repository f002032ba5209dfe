/** The first frame of the feed: all of a client's topics as they are now, small enough for a slow line. */
import { FEED_VERSION, type FeedStatus, type MetricsView, type ModelView } from '@lineheron/models';
import type { Audience } from './audience.js';
import type { LineBoard } from './line-board.js';
import type { Changes } from './live-state.js';
import { feedModel } from './model-summary.js';
import { feedAgent, feedLine } from './sent-status.js';
import type { Standings } from './standings.js';

export interface SnapshotParts {
  now: () => number;
  /** What a new client is shown of windows, records and alerts. */
  recent: () => Changes;
  status: () => FeedStatus;
  models: () => ModelView[];
  metrics: () => MetricsView;
  standings: Standings;
  board: LineBoard;
}

export function snapshotText(parts: SnapshotParts, { n, topics, all }: Audience): string {
  const nowMs = parts.now();
  const { windows, records, alerts } = parts.recent();
  const follows = (topic: (typeof topics)[number]) => topics.includes(topic);
  return JSON.stringify({
    type: 'snapshot',
    v: FEED_VERSION,
    n,
    now_ms: nowMs,
    topics,
    ...(all ? { watching: 'all' } : {}),
    ...(follows('fleet') ? fleetPart(parts) : {}),
    ...(follows('list') ? listPart(parts, nowMs) : {}),
    ...(follows('alerts') ? { alerts } : {}),
    ...(follows('records') ? { records } : {}),
    ...(all ? { windows } : {}),
  });
}

function fleetPart({ status, models, metrics }: SnapshotParts) {
  return { status: status(), models: models().map(feedModel), metrics: metrics() };
}

function listPart({ standings, board }: SnapshotParts, nowMs: number) {
  const lines = standings.listedLines.all.map((line) => feedLine(line, board));
  return {
    agents: standings.listedAgents.all.map((agent) => feedAgent(standings.agent(agent))),
    lines,
    sparks: lines.map(([number]) => board.spark(number, nowMs)),
  };
}
