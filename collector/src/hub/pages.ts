/**
 * Agents and lines page by page: by name, or the worst first, each rank by name. A request looks at a bounded number of
 * lines; where that does not fill the page, the page ends early and `next` goes on from there.
 */
import {
  type AgentsPage,
  type AgentsPageQuery,
  GATEWAY_DEVICE,
  type LinesPage,
  type LinesPageQuery,
  type LineView,
} from '@lineheron/models';
import type { Agent, Line } from './agent-view.js';
import type { Fleet } from './fleet.js';
import type { LineBoard } from './line-board.js';
import { agentRank, LINE_RANKS, type Standings } from './standings.js';

export interface PagesParts {
  fleet: Fleet;
  standings: Standings;
  board: LineBoard;
}

/** Lines that one request looks at. */
const MAX_LOOKS = 20_000;
/** A rank of no more lines than this is put in order at once; a larger one is walked through with the fleet. */
const MAX_SORTED = 5000;

/** Where a page ended: rank (0 where the order is by name), agent, device. */
interface Place {
  rank: number;
  agent: string;
  device: string;
}

interface Look {
  line: Line;
  rank: number;
  isOfRank: boolean;
}

export class Pages {
  constructor(private readonly parts: PagesParts) {}

  agents({ limit, sort, q, after, online }: AgentsPageQuery): AgentsPage {
    const { fleet, standings } = this.parts;
    standings.refresh();
    const words = q?.toLowerCase();
    const fits = (agent: Agent) =>
      (online === undefined || String(agent.online) === online) &&
      (words === undefined || agentText(agent).includes(words));
    const rank = (agent: Agent) => (sort === 'worst' && agent.standing ? agentRank(agent.standing) : 0);
    const from = placeOf(after);
    const found = fleet.agentIds
      .map((id) => fleet.get(id)!)
      .filter((agent) => (!from || isAfter(rank(agent), agent.id, '', from)) && fits(agent))
      .sort((a, b) => rank(a) - rank(b));
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const next =
      last && found.length > limit ? textOf({ rank: rank(last), agent: last.id, device: '' }) : null;
    return { agents: page.map((agent) => standings.agent(agent)), next };
  }

  lines({ limit, sort, after, ...wanted }: LinesPageQuery): LinesPage {
    this.parts.standings.refresh();
    const from = placeOf(after);
    const fits = filterOf(wanted);
    const lines: LineView[] = [];
    let looks = 0;
    for (const { line, rank, isOfRank } of this.inOrder(sort, from, wanted.agent)) {
      const place = () => textOf({ rank, agent: line.agent.id, device: line.device });
      if (isOfRank && fits(line)) lines.push(this.view(line));
      if (lines.length === limit || ++looks === MAX_LOOKS) return { lines, next: place() };
    }
    return { lines, next: null };
  }

  private view(line: Line): LineView {
    const { standings, board } = this.parts;
    const number = board.number(line.key);
    const [latency_ms, packet_loss_pct] = board.values(number);
    return { ...standings.line(line), agent: line.agent.id, number, latency_ms, packet_loss_pct };
  }

  private *inOrder(
    sort: LinesPageQuery['sort'],
    from: Place | null,
    agent: string | undefined,
  ): Generator<Look> {
    if (sort === 'name') {
      for (const line of this.byName(from, agent)) yield { line, rank: 0, isOfRank: true };
      return;
    }
    for (let rank = from?.rank ?? 0; rank < LINE_RANKS; rank++) {
      yield* this.ofRank(rank, rank === from?.rank ? from : null, agent);
    }
  }

  private *ofRank(rank: number, from: Place | null, agent: string | undefined): Generator<Look> {
    const all = this.parts.standings.linesByRank[rank]!;
    const walks = all.size > MAX_SORTED || agent !== undefined;
    const lines = walks ? this.byName(from, agent) : [...all].sort(byName);
    for (const line of lines) {
      if (from && !isAfter(rank, line.agent.id, line.device, from)) continue;
      yield { line, rank, isOfRank: !walks || all.has(line) };
    }
  }

  /** After `from` in the order of (agent, device). */
  private *byName(from: Place | null, only: string | undefined): Generator<Line> {
    const { fleet } = this.parts;
    const ids = only === undefined ? fleet.agentIds : [only];
    for (let at = from && only === undefined ? placeIn(ids, from.agent) : 0; at < ids.length; at++) {
      const agent = fleet.get(ids[at]!);
      if (!agent || (from && agent.id < from.agent)) continue;
      const lines = [...agent.lines.values()].filter(
        (line) => !from || isAfter(from.rank, agent.id, line.device, from),
      );
      yield* lines.sort(byName);
    }
  }
}

function filterOf({ q, state, watched }: Pick<LinesPageQuery, 'q' | 'state' | 'watched'>) {
  const words = q?.toLowerCase();
  return (line: Line): boolean => {
    const { standing } = line;
    if (state !== undefined && standing?.state !== state) return false;
    if (watched !== undefined && String(standing?.watched) !== watched) return false;
    return words === undefined || lineText(line).includes(words);
  };
}

function lineText({ key, device }: Line): string {
  return (device === GATEWAY_DEVICE ? `${key} whole gateway` : key).toLowerCase();
}

function agentText({ id, info }: Agent): string {
  return [id, ...Object.values(info?.labels ?? {})].join('\n').toLowerCase();
}

function byName(a: Line, b: Line): number {
  if (a.agent !== b.agent) return a.agent.id < b.agent.id ? -1 : 1;
  return a.device < b.device ? -1 : 1;
}

function isAfter(rank: number, agent: string, device: string, from: Place): boolean {
  if (rank !== from.rank) return rank > from.rank;
  return agent === from.agent ? device > from.device : agent > from.agent;
}

/** The first place in a sorted list that is not before the id, by halving. */
function placeIn(ids: readonly string[], id: string): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

function textOf({ rank, agent, device }: Place): string {
  return `${rank}/${agent}/${device}`;
}

function placeOf(text: string | undefined): Place | null {
  const [, rank, agent, device] = /^(\d)\/([^/]*)\/(.*)$/s.exec(text ?? '') ?? [];
  return rank === undefined ? null : { rank: Number(rank), agent: agent!, device: device! };
}
