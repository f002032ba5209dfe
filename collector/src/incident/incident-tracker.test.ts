import type { ActiveModel, Alert } from '@lineheron/models';
import { describe, expect, it } from 'vitest';
import type { ReviewedWindow } from './alert-state.js';
import { IncidentTracker, SILENCE_MS } from './incident-tracker.js';

const BOOT = 'aaaaaaaaaaaaaaaa';
const OTHER_BOOT = 'bbbbbbbbbbbbbbbb';
const NOW = 1_000_000;

interface Wanted {
  second: number;
  edge?: boolean;
  /** Undefined: not reviewed. */
  autoencoder?: boolean;
  episode?: string | null;
  boot?: string;
  device?: string;
  score?: number;
  /** The baseline's score, against a threshold of 13 nats. */
  nats?: number;
  rare?: boolean;
  truth?: string;
  historical?: boolean;
}

const id = (second: number, boot = BOOT) => `gw-1/${boot}/${second}/0`;

function reviewed({
  second,
  edge = false,
  autoencoder,
  episode = null,
  boot = BOOT,
  ...rest
}: Wanted): ReviewedWindow {
  const device = rest.device ?? 'modem-1';
  const reason = { unit: 'ms', observed: 200, median: 20, p5: 10, p95: 30, share: 0.9 };
  return {
    id: id(second, boot),
    agent: 'gw-1',
    boot,
    device,
    scope: device === '*' ? 'gateway' : 'device',
    endMs: second * 1000,
    edge: { suspect: edge, reasons: edge ? [{ ...reason, feature: 'latency_mean' }] : [] },
    forest: { suspect: edge, score: rest.score ?? 0.7, threshold: 0.6 },
    baseline: rest.nats === undefined ? null : { suspect: rest.nats > 13, score: rest.nats, threshold: 13 },
    autoencoder:
      autoencoder === undefined
        ? null
        : {
            suspect: autoencoder,
            ...(rest.rare === undefined ? {} : { rare: rest.rare }),
            score: autoencoder ? 3 : 0.5,
            threshold: 1,
            reasons: autoencoder ? [{ ...reason, feature: 'traffic_mean' }] : [],
          },
    episode,
    truth: rest.truth ?? null,
    historical: rest.historical ?? false,
  };
}

class Story {
  readonly tracker = new IncidentTracker();
  readonly alerts = new Map<string, Alert>();

  constructor(private readonly model: ActiveModel = 'ensemble') {}

  tell(...windows: Wanted[]): Alert[] {
    const draft = this.tracker.draft();
    for (const window of windows) draft.apply(reviewed(window), this.model, NOW);
    this.tracker.accept(draft);
    for (const alert of draft.changes) this.alerts.set(alert.id, alert);
    return [...this.alerts.values()];
  }
}

describe('who may open an alert', () => {
  it.each<[ActiveModel, boolean, boolean | undefined, string | null]>([
    ['ensemble', true, undefined, 'unreviewed warning edge'],
    ['ensemble', true, false, 'disputed info edge'],
    ['ensemble', true, true, 'confirmed critical edge'],
    ['ensemble', false, true, 'confirmed warning collector'],
    ['ensemble', false, false, null],
    ['isolation_forest', true, false, 'disputed info edge'],
    ['isolation_forest', true, true, 'confirmed critical edge'],
    ['isolation_forest', false, true, null],
    ['autoencoder', false, true, 'confirmed warning collector'],
    ['autoencoder', true, false, 'disputed info edge'],
    ['autoencoder', true, undefined, 'unreviewed warning edge'],
    ['autoencoder', true, true, 'confirmed critical edge'],
  ])('%s, edge %s, autoencoder %s: %s', (model, edge, autoencoder, expected) => {
    const story = new Story(model);
    const window = { second: 1, edge, episode: edge ? id(1) : null };
    const [alert] = story.tell(autoencoder === undefined ? window : { ...window, autoencoder });
    const said = alert ? `${alert.verdict} ${alert.severity} ${alert.opened_by}` : null;
    expect(said).toBe(expected);
  });

  it('takes the edge’s episode as the id, else the first window', () => {
    expect(new Story().tell({ second: 5, edge: true, episode: id(3) })[0]?.id).toBe(id(3));
    expect(new Story().tell({ second: 5, autoencoder: true })[0]?.id).toBe(id(5));
  });

  it('opens none for the gateway while a device of it is in one', () => {
    const story = new Story();
    story.tell({ second: 1, autoencoder: true }, { second: 1, autoencoder: true, device: '*' });
    expect([...story.alerts.keys()]).toEqual([id(1)]);
    const alone = new Story();
    alone.tell({ second: 1, autoencoder: true, device: '*' });
    expect(alone.alerts.size).toBe(1);
  });
});

describe('how an alert grows', () => {
  it('turns from disputed to confirmed when the autoencoder joins in while it is open', () => {
    const story = new Story();
    story.tell({ second: 1, edge: true, autoencoder: false, episode: id(1) });
    const [alert] = story.tell({ second: 2, edge: true, autoencoder: true, episode: id(1) });
    expect(alert).toMatchObject({ verdict: 'confirmed', severity: 'critical', windows: 2 });
    expect(alert?.detectors).toEqual(['isolation_forest', 'autoencoder']);
  });

  it('keeps the reasons and the scores of the strangest window, and the truths that it met', () => {
    const story = new Story();
    story.tell({ second: 1, edge: true, episode: id(1), score: 0.9, truth: 'latency_spike' });
    const [alert] = story.tell({ second: 2, edge: true, episode: id(1), score: 0.7, truth: 'latency_spike' });
    expect(alert?.isolation_forest).toEqual({ score: 0.9, threshold: 0.6 });
    expect(alert?.summary).toBe('modem-1: mean latency 200 ms (usually 10–30 ms).');
    expect(alert?.truth).toEqual(['latency_spike']);
  });

  it('names every detector that found it, and keeps the highest score of each', () => {
    const story = new Story();
    story.tell({ second: 1, edge: true, episode: id(1), nats: 20 });
    const [alert] = story.tell({ second: 2, edge: true, episode: id(1), nats: 31, autoencoder: true });
    expect(alert?.detectors).toEqual(['isolation_forest', 'adaptive_baseline', 'autoencoder']);
    expect(alert?.adaptive_baseline).toEqual({ score: 31, threshold: 13 });
  });

  it('is the gateway’s own word that counts for more when both its detectors agree', () => {
    const story = new Story();
    const [alert] = story.tell({ second: 1, edge: true, episode: id(1), nats: 20, autoencoder: false });
    expect([alert?.verdict, alert?.severity]).toEqual(['disputed', 'warning']);
  });

  it('is not opened by the autoencoder alone in the ensemble unless the window is rare enough', () => {
    expect(new Story('ensemble').tell({ second: 1, autoencoder: true, rare: false })).toEqual([]);
    expect(new Story('ensemble').tell({ second: 1, autoencoder: true, rare: true })).toHaveLength(1);
    expect(new Story('autoencoder').tell({ second: 1, autoencoder: true, rare: false })).toHaveLength(1);
    expect(new Story('adaptive_baseline').tell({ second: 1, autoencoder: true, rare: true })).toEqual([]);
  });

  it('says nothing about a window that changes nothing', () => {
    const story = new Story();
    story.tell({ second: 1, edge: true, episode: id(1) });
    const draft = story.tracker.draft();
    draft.apply(reviewed({ second: 2, episode: id(1) }), 'ensemble', NOW);
    expect(draft.changes).toEqual([]);
  });
});

describe('how an alert ends', () => {
  it('of the edge’s: when windows come without its episode', () => {
    const story = new Story();
    story.tell({ second: 1, edge: true, episode: id(1) }, { second: 8, episode: id(1) });
    expect(story.tracker.openAlerts).toHaveLength(1);
    const [alert] = story.tell({ second: 11, episode: null });
    expect(alert).toMatchObject({ status: 'closed', closed_at: new Date(11_000).toISOString() });
    expect(story.tracker.openAlerts).toEqual([]);
  });

  it('of the edge’s: when another episode begins, which is another alert', () => {
    const story = new Story();
    story.tell({ second: 1, edge: true, episode: id(1) });
    story.tell({ second: 30, edge: true, episode: id(30) });
    expect([...story.alerts.values()].map(({ status }) => status)).toEqual(['closed', 'open']);
  });

  it('of the collector’s own: after ten quiet seconds of event time', () => {
    const story = new Story();
    story.tell({ second: 1, autoencoder: true });
    for (let second = 2; second <= 10; second += 1) story.tell({ second, autoencoder: false });
    expect(story.tracker.openAlerts).toHaveLength(1);
    story.tell({ second: 11, autoencoder: false });
    expect(story.tracker.openAlerts).toEqual([]);
  });

  it('of a line that reports once a minute: after three quiet minutes, and not by the silence between', () => {
    const story = new Story();
    story.tell({ second: 0, autoencoder: true }, { second: 60, autoencoder: true });
    const between = story.tracker.draft();
    between.closeSilent(NOW + 3 * 60_000 - 1);
    expect(between.changes).toEqual([]);
    story.tell({ second: 120, autoencoder: false }, { second: 180, autoencoder: true });
    expect(story.tracker.openAlerts).toMatchObject([{ windows: 3 }]);
    story.tell({ second: 240, autoencoder: false }, { second: 300, autoencoder: false });
    expect(story.tracker.openAlerts).toHaveLength(1);
    story.tell({ second: 360, autoencoder: false });
    expect(story.tracker.openAlerts).toEqual([]);
  });

  it('never by a window that is older than what was met', () => {
    const story = new Story();
    story.tell({ second: 20, edge: true, episode: id(20) }, { second: 5, episode: null });
    expect(story.tracker.openAlerts).toHaveLength(1);
  });

  it('when the line has been silent for a minute, and says so', () => {
    const story = new Story();
    story.tell({ second: 1, autoencoder: true });
    const early = story.tracker.draft();
    early.closeSilent(NOW + SILENCE_MS - 1);
    expect(early.changes).toEqual([]);
    const draft = story.tracker.draft();
    draft.closeSilent(NOW + SILENCE_MS);
    expect(draft.changes[0]).toMatchObject({ status: 'closed' });
    expect(draft.changes[0]?.summary).toContain('fell silent');
  });

  describe('of a line that was silent while its episode went on', () => {
    const silence = (story: Story) => {
      const draft = story.tracker.draft();
      draft.closeSilent(NOW + SILENCE_MS);
      story.tracker.accept(draft);
      for (const alert of draft.changes) story.alerts.set(alert.id, alert);
    };

    it('goes on as the same alert with the next window of that episode', () => {
      const story = new Story();
      story.tell({ second: 1, edge: true, episode: id(1) });
      silence(story);
      expect(story.alerts.get(id(1))?.status).toBe('closed');
      const draft = story.tracker.draft();
      expect(draft.apply(reviewed({ second: 90, edge: true, episode: id(1) }), 'ensemble', NOW)).toBe(id(1));
      expect(draft.opened).toBe(0);
      story.tracker.accept(draft);
      expect(story.tracker.openAlerts).toMatchObject([{ id: id(1), status: 'open', windows: 2 }]);
      expect(story.tracker.openAlerts[0]).toMatchObject({ closed_at: null });
      expect(draft.changes[0]?.summary).not.toContain('silent');
      story.tell({ second: 101, episode: null });
      expect(story.tracker.openAlerts).toEqual([]);
    });

    it('goes on too when the autoencoder had opened it', () => {
      const story = new Story();
      story.tell({ second: 1, autoencoder: true }, { second: 2, edge: true, episode: id(2) });
      silence(story);
      story.tell({ second: 90, edge: true, episode: id(2) });
      expect(story.tracker.openAlerts).toMatchObject([{ id: id(1), windows: 3 }]);
    });

    it('is over once a later window came without the episode', () => {
      const story = new Story();
      story.tell({ second: 1, edge: true, episode: id(1) });
      silence(story);
      story.tell({ second: 90, episode: null }, { second: 2, edge: true, episode: id(1) });
      expect(story.tracker.openAlerts).toEqual([]);
      expect(story.alerts.get(id(1))?.status).toBe('closed');
    });
  });

  it('and a late window of the ended episode does not open it again', () => {
    const story = new Story();
    story.tell({ second: 1, edge: true, episode: id(1) }, { second: 11, episode: null });
    story.tell({ second: 2, edge: true, episode: id(1) });
    expect(story.tracker.openAlerts).toEqual([]);
  });
});

describe('restarts', () => {
  it('of the agent: its new episode on the same device continues the open alert', () => {
    const story = new Story();
    story.tell({ second: 1, edge: true, episode: id(1) });
    story.tell({ second: 20, edge: true, boot: OTHER_BOOT, episode: id(20, OTHER_BOOT) });
    expect(story.alerts.size).toBe(1);
    expect(story.tracker.openAlerts[0]).toMatchObject({ id: id(1), windows: 2 });
    story.tell({ second: 40, boot: OTHER_BOOT, episode: null });
    expect(story.tracker.openAlerts).toEqual([]);
  });

  it('of the collector: an open alert is taken up and closed by the same rules', () => {
    const before = new Story();
    const [alert] = before.tell({ second: 1, edge: true, episode: id(1) });
    const after = new Story();
    after.tracker.restore([alert!], NOW);
    after.tell({ second: 2, edge: true, episode: id(1) });
    expect(after.tracker.openAlerts[0]).toMatchObject({ id: id(1), windows: 2 });
    after.tell({ second: 13, episode: null });
    expect(after.tracker.openAlerts).toEqual([]);
  });
});

describe('what would have kept an alert away', () => {
  const change = { feature: 'latency_ms', unit: 'ms', value: 31, side: 'below' } as const;

  it('is of the window that its reasons are of, by each detector: a much stranger one replaces both', () => {
    const story = new Story();
    const draft = story.tracker.draft();
    const first = reviewed({ second: 1, edge: true, nats: 20, episode: id(1) });
    const normal_if = [{ detector: 'adaptive_baseline', ...change } as const];
    draft.apply({ ...first, edge: { ...first.edge, normal_if } }, 'ensemble', NOW);
    draft.explain(id(1), { detector: 'autoencoder', ...change, value: 40 });
    expect(draft.changes).toMatchObject([{ normal_if: [{ value: 31 }, { value: 40 }] }]);
    story.tracker.accept(draft);
    const [same] = story.tell({ second: 2, edge: true, nats: 24, episode: id(1) });
    expect([same?.adaptive_baseline?.score, same?.normal_if?.length]).toEqual([24, 2]);
    const [alert] = story.tell({ second: 3, edge: true, nats: 90, episode: id(1) });
    expect(alert?.adaptive_baseline?.score).toBe(90);
    expect(alert?.normal_if).toEqual([]);
  });
});

describe('a draft', () => {
  it('that is not accepted leaves no trace', () => {
    const story = new Story();
    const draft = story.tracker.draft();
    draft.apply(reviewed({ second: 1, autoencoder: true }), 'ensemble', NOW);
    expect(draft.changes).toHaveLength(1);
    expect(story.tracker.openAlerts).toEqual([]);
  });
});

describe('what comes late', () => {
  const past = (window: Wanted): Wanted => ({ ...window, historical: true });

  it('is told as a closed alert of its own, and opens or closes nothing now', () => {
    const story = new Story();
    story.tell({ second: 500 });
    const alerts = story.tell(
      past({ second: 100, edge: true, episode: id(100) }),
      past({ second: 105, edge: true, episode: id(100) }),
      { second: 501 },
      past({ second: 130 }),
    );
    expect(alerts).toEqual([
      expect.objectContaining({ id: id(100), status: 'closed', historical: true, windows: 2 }),
    ]);
    expect(story.tracker.openAlerts).toEqual([]);
    expect(story.tracker.openAlert('gw-1', 'modem-1')).toBeNull();
  });

  it('leaves the live alert of the same line as it is', () => {
    const story = new Story();
    story.tell({ second: 500, edge: true, episode: id(500) });
    story.tell(past({ second: 100, edge: true, episode: id(100) }), past({ second: 200 }));
    expect(story.tracker.openAlerts).toMatchObject([{ id: id(500), windows: 1 }]);
  });

  it('is one alert with the episode that it began and that is open now', () => {
    const story = new Story();
    story.tell({ second: 500, edge: true, episode: id(400) });
    story.tell(
      past({ second: 400, edge: true, episode: id(400) }),
      past({ second: 450, edge: true, episode: id(400) }),
    );
    expect(story.tracker.openAlerts).toMatchObject([
      { id: id(400), status: 'open', windows: 3, opened_at: new Date(400_000).toISOString() },
    ]);
    const [alert] = story.tell({ second: 520 });
    expect(alert).toMatchObject({ id: id(400), status: 'closed' });
    expect(alert).not.toHaveProperty('historical');
  });

  it('does not replace the alert of an episode that has ended meanwhile', () => {
    const story = new Story();
    story.tell({ second: 500, edge: true, episode: id(400) }, { second: 520 });
    const alerts = story.tell(past({ second: 400, edge: true, episode: id(400) }));
    expect(alerts).toMatchObject([{ id: id(400), windows: 1, opened_at: new Date(500_000).toISOString() }]);
  });

  it('goes on with its alert after a restart of the collector', () => {
    const story = new Story();
    const [before] = story.tell(past({ second: 100, edge: true, episode: id(100) }));
    const after = new Story();
    after.tracker.restore([before!], NOW);
    const alerts = after.tell(past({ second: 102, edge: true, episode: id(100) }));
    expect(alerts).toMatchObject([
      { id: id(100), windows: 2, status: 'closed', opened_at: new Date(100_000).toISOString() },
    ]);
  });
});

describe('a draft on a draft', () => {
  it('goes on where that one ends, and leaves nothing behind when both are thrown away', () => {
    const tracker = new IncidentTracker();
    const first = tracker.draft();
    first.apply(reviewed({ second: 0, edge: true }), 'ensemble', NOW);
    const second = tracker.draft(first);
    second.apply(reviewed({ second: 1, edge: true }), 'ensemble', NOW);
    // A device of that gateway is in an episode already.
    const gateway = reviewed({ second: 1, edge: true, device: '*' });
    expect(second.apply(gateway, 'ensemble', NOW)).toBeNull();
    expect(second.opened).toBe(0);
    expect(second.changes).toMatchObject([{ id: id(0), windows: 2 }]);
    expect(tracker.openAlerts).toEqual([]);
    tracker.accept(first);
    tracker.accept(second);
    expect(tracker.openAlerts).toMatchObject([{ windows: 2 }]);
    const silent = tracker.draft();
    silent.closeSilent(NOW + SILENCE_MS);
    expect(silent.apply(gateway, 'ensemble', NOW)).not.toBeNull();
  });
});

it('a clock that is set while a draft is being committed makes no line silent', () => {
  const tracker = new IncidentTracker();
  const draft = tracker.draft();
  draft.apply(reviewed({ second: 0, edge: true }), 'ensemble', NOW);
  tracker.clockMoved(3_600_000);
  tracker.accept(draft);
  const next = tracker.draft();
  next.closeSilent(NOW + 3_600_000 + SILENCE_MS - 1);
  expect(next.changes).toEqual([]);
  next.closeSilent(NOW + 3_600_000 + SILENCE_MS);
  expect(next.changes).toMatchObject([{ status: 'closed' }]);
});

describe('what an alert says', () => {
  it('is written anew only when another window speaks for it', () => {
    const story = new Story();
    const said = [0.7, 0.71, 0.99].map((score, second) => {
      const window = reviewed({ second, edge: true, score });
      const reasons = window.edge.reasons.map((reason) => ({ ...reason, observed: 200 + second }));
      const draft = story.tracker.draft();
      draft.apply({ ...window, edge: { suspect: true, reasons } }, 'ensemble', NOW);
      story.tracker.accept(draft);
      return draft.changes[0]?.summary;
    });
    expect(said[0]).toContain('200 ms');
    expect(said[1]).toBe(said[0]);
    expect(said[2]).toContain('202 ms');
  });
});
