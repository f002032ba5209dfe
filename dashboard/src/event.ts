/** What elements tell the application: typed events that bubble through shadow roots. Data comes down, these go up. */
import type { ActiveModel, TrainRequest } from '@lineheron/models';
import type { LineKey } from './line.js';
import type { ThemeChoice } from './style/theme.js';

class UpwardEvent extends Event {
  constructor(type: string) {
    super(type, { bubbles: true, composed: true });
  }
}

/** A line was chosen; `additive` when it joins (or leaves) the chosen ones. */
export class LineSelectEvent extends UpwardEvent {
  constructor(
    readonly key: LineKey,
    readonly additive: boolean,
  ) {
    super('lh-line-select');
  }
}

/** Find shall look beyond the list; an empty text ends that. */
export class FindEvent extends UpwardEvent {
  constructor(readonly text: string) {
    super('lh-find');
  }
}

export class TrainEvent extends UpwardEvent {
  constructor(readonly request: TrainRequest) {
    super('lh-train');
  }
}

export class CancelTrainingEvent extends UpwardEvent {
  constructor(readonly id: string) {
    super('lh-cancel-training');
  }
}

export class DetectionEvent extends UpwardEvent {
  constructor(readonly on: boolean) {
    super('lh-detection');
  }
}

export class ModelEvent extends UpwardEvent {
  constructor(readonly model: ActiveModel) {
    super('lh-model');
  }
}

/** A retrained model shall go to work. */
export class CandidateEvent extends UpwardEvent {
  constructor(readonly sha256: string) {
    super('lh-candidate');
  }
}

export class ThemeEvent extends UpwardEvent {
  constructor(readonly choice: ThemeChoice) {
    super('lh-theme');
  }
}

/** The user does not want to wait for the next attempt to connect. */
export class ReconnectEvent extends UpwardEvent {
  constructor() {
    super('lh-reconnect');
  }
}

declare global {
  interface HTMLElementEventMap {
    'lh-line-select': LineSelectEvent;
    'lh-find': FindEvent;
    'lh-train': TrainEvent;
    'lh-cancel-training': CancelTrainingEvent;
    'lh-detection': DetectionEvent;
    'lh-model': ModelEvent;
    'lh-candidate': CandidateEvent;
    'lh-theme': ThemeEvent;
    'lh-reconnect': ReconnectEvent;
  }
}
