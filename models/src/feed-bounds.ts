/** Version and bounds of the feed. Plain data, safe for the browser. */

/** Raised when a client that knows the older frames would misread the newer ones. */
export const FEED_VERSION = 3;
/**
 * What a client may follow: sums, models and figures; the agents and lines that the live list shows, and how they
 * stand; alerts; some records of all lines.
 */
export const FEED_TOPICS = ['fleet', 'list', 'alerts', 'records'] as const;
export type FeedTopic = (typeof FEED_TOPICS)[number];
/** Lines that one client may watch; or all. */
export const MAX_WATCHED_LINES = 50;
/** A snapshot's sparkline: so many values, each the greatest latency of so many seconds. */
export const SPARK_POINTS = 12;
export const SPARK_STEP_S = 10;
/** Alerts in a snapshot at most, open ones first; the others come from `GET /api/v1/alerts`. */
export const SNAPSHOT_ALERTS = 30;
/** Problems of one agent. */
export const MAX_FEED_PROBLEMS = 3;
