/** What the HTTP app needs of the rest of the collector: questions, orders and the feed. Nothing else reaches it. */
import type {
  ActiveModel,
  AgentsPage,
  AgentsPageQuery,
  Alert,
  FeedTopic,
  LinesEvent,
  LinesPage,
  LinesPageQuery,
  MetricsView,
  ModelView,
  Scope,
  StatusView,
  Training,
  TrainRequest,
  WatchedLines,
  Watching,
  WindowView,
} from '@lineheron/models';
import type { Exposition } from './accept.js';

export interface Queries {
  recentWindows(filter: {
    limit: number;
    agent?: string | undefined;
    device?: string | undefined;
    scope?: Scope | undefined;
    anomalous?: boolean | undefined;
    /** Only what arrived since, epoch ms. */
    sinceMs?: number | undefined;
  }): Promise<WindowView[]>;
  windowPage(query: {
    limit: number;
    agent?: string | undefined;
    after?: string | undefined;
  }): Promise<WindowView[]>;
  alerts(filter: {
    limit: number;
    agent?: string | undefined;
    device?: string | undefined;
    status?: 'open' | 'closed' | undefined;
  }): Promise<Alert[]>;
  alert(id: string): Promise<Alert | null>;
  trainings(limit: number): Promise<Training[]>;
  training(id: string): Promise<Training | null>;
}

export interface Control {
  status(): StatusView;
  watching(): Watching;
  settings: { detecting: boolean; active_model: ActiveModel };
  agentsPage(query: AgentsPageQuery): AgentsPage;
  linesPage(query: LinesPageQuery): LinesPage;
  currentTraining(): Training | null;
  models(): ModelView[];
  metrics(): MetricsView;
  exposition(format: Exclude<Exposition, 'json'>): Promise<string>;
  /** Throws ProblemError when it cannot begin. */
  train(request: TrainRequest): Promise<Training>;
  /** Resolves when that training has ended; null when it is not running. */
  trainingEnd(id: string): Promise<Training> | null;
  /** False when it is not running. */
  cancelTraining(id: string): Promise<boolean>;
  /** Raw lines around an alert, asked of its agent. Throws ProblemError when there are none to be had. */
  lines(agent: string, alert: string): Promise<LinesEvent>;
  /** Whether this model finds anything as things are. */
  canDetect(model: ActiveModel): boolean;
  setDetecting(detecting: boolean): Promise<void>;
  setModel(model: ActiveModel, candidate?: string): Promise<void>;
  /** What is missing before requests can be served well; null when nothing is. */
  notReady(): string | null;
}

/** A message to clients of the feed, as a WebSocket frame. */
export interface WireMessage {
  frame(deflates: boolean): Buffer;
}

/** A client of the feed, as the hub sees it. */
export interface FeedSocket {
  readonly queuedBytes: number;
  send(message: WireMessage): void;
  ping(): void;
  terminate(): void;
}

export interface FeedDoor {
  readonly isFull: boolean;
  connect(client: FeedSocket, watched: WatchedLines, topics: readonly FeedTopic[]): void;
  disconnect(client: FeedSocket): void;
  pong(client: FeedSocket): void;
  message(client: FeedSocket, text: string): void;
}

export interface AppDependencies {
  queries: Queries;
  control: Control;
  feed: FeedDoor;
  version: string;
  allowedOrigins: readonly string[];
  allowedHosts: readonly string[];
  /** Folder with the built dashboard. */
  dashboardDir: string;
  onError: (error: unknown) => void;
}
