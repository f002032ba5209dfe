/** The first frame of the feed: everything as it is now, small enough for a slow line. */
import type { MetricsView, ModelView, StatusView } from '@lineheron/models';
import type { LineBoard } from './line-board.js';
import type { Changes } from './live-state.js';
import { feedModel } from './model-summary.js';
import { feedAgent, feedLine, feedStatus } from './sent-status.js';

export interface SnapshotParts {
  now: () => number;
  /** What a new client is shown of windows, records and alerts. */
  recent: () => Changes;
  status: () => StatusView;
  models: () => ModelView[];
  metrics: () => MetricsView;
  board: LineBoard;
}

/** Of more lines than this no sparkline is sent; they grow from the values that come. */
const MAX_SPARKS = 2000;

/** Its fields but number and watched lines, which differ from client to client; with the closing brace. */
export function snapshotText(parts: SnapshotParts, withWindows: boolean): string {
  const { board } = parts;
  const nowMs = parts.now();
  const status = parts.status();
  const { windows, records, alerts } = parts.recent();
  const lines = status.agents.flatMap(({ id, devices }) =>
    devices.map((device) => feedLine(id, device, board)),
  );
  const text = JSON.stringify({
    now_ms: nowMs,
    status: feedStatus(status),
    agents: status.agents.map(feedAgent),
    lines,
    sparks: lines.map(([number], at) => (at < MAX_SPARKS ? board.spark(number, nowMs) : [])),
    models: parts.models().map(feedModel),
    metrics: parts.metrics(),
    windows: withWindows ? windows : [],
    records,
    alerts,
  });
  return text.slice(1);
}
