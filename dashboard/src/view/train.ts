/** `<lh-train>`: asks for a training and shows it run: phase, time left, each agent, and how the last one ended. */
import type { FeedStatus, Training } from '@lineheron/models';
import { css, html, type PropertyValues, type TemplateResult } from 'lit';
import type { Failure } from '../api.js';
import { CancelTrainingEvent, TrainEvent } from '../event.js';
import { clock, duration, plural } from '../format.js';
import { LineheronElement } from '../part/element.js';
import { failureNote } from '../part/failure.js';
import { controlSheet } from '../style/control.js';
import {
  defaultForm,
  type FormFaults,
  formFaults,
  isRunning,
  type TrainForm,
  toRequest,
  trainBlocked,
  trainingOutcome,
} from './train-form.js';

const PHASES: Readonly<Record<Training['state'], string>> = {
  collecting: 'Collecting windows',
  fitting: 'Fitting models',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

const MAX_AGENTS_SHOWN = 12;

export class TrainElement extends LineheronElement {
  static override properties = {
    status: { attribute: false },
    connected: { type: Boolean },
    pending: { type: Boolean },
    failure: { attribute: false },
    form: { state: true },
  };
  static override styles = [
    LineheronElement.styles,
    controlSheet,
    css`
      form {
        display: flex;
        flex-wrap: wrap;
        align-items: end;
        gap: 8px 12px;
      }
      .field {
        display: grid;
        gap: 2px;
        font-size: 12px;
      }
      .field input {
        width: 92px;
        font-size: 14px;
      }
      .check {
        display: flex;
        align-items: center;
        gap: 6px;
        min-height: 34px;
        white-space: nowrap;
      }
      .why {
        min-height: 36px;
      }
      .fault {
        flex-basis: 100%;
        color: var(--lh-critical);
        font-size: 12px;
      }
      .progress {
        display: grid;
        grid-template-columns: 1fr auto;
        align-items: center;
        gap: 6px 12px;
      }
      .track {
        grid-column: 1 / -1;
        height: 8px;
        border: 1px solid var(--lh-border);
        border-radius: 4px;
        background: var(--lh-surface-hover);
        overflow: hidden;
      }
      .track i {
        display: block;
        height: 100%;
        background: var(--lh-accent);
        transition: width 0.3s linear;
      }
      .agents {
        display: flex;
        flex-wrap: wrap;
        grid-column: 1 / -1;
        gap: 4px;
      }
      .agents .chip {
        font-weight: 500;
      }
      @media (forced-colors: active) {
        .track i {
          forced-color-adjust: none;
          background: Highlight;
        }
      }
    `,
  ];

  declare status: FeedStatus | null;
  declare connected: boolean;
  declare pending: boolean;
  declare failure: Failure | null;
  declare form: TrainForm;

  #touched = false;

  constructor() {
    super();
    this.status = null;
    this.connected = false;
    this.pending = false;
    this.failure = null;
    this.form = defaultForm(undefined);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('status') && this.status && !this.#touched) {
      const next = defaultForm(this.status.settings);
      if (next.epochs !== this.form.epochs) this.form = next;
    }
  }

  #change(part: Partial<TrainForm>): void {
    this.#touched = true;
    this.form = { ...this.form, ...part };
  }

  readonly #submit = (event: Event): void => {
    event.preventDefault();
    const { duration: time, epochs } = formFaults(this.form);
    if (this.pending || time !== null || epochs !== null) return;
    if (trainBlocked(this.status, this.connected) === null) {
      this.dispatchEvent(new TrainEvent(toRequest(this.form)));
    }
  };

  /** A field is wrong when this page says so, or when the collector did. */
  #input(id: keyof FormFaults, label: string, path: string, faults: FormFaults): TemplateResult {
    const refused = this.failure?.fields.some((field) => field.path.includes(path)) ?? false;
    const wrong = faults[id] !== null || refused;
    return html`<label class="field">
      <span class="muted">${label}</span>
      <input
        type="number"
        class="number"
        name=${path}
        min=${id === 'epochs' ? 1 : 0}
        step=${id === 'epochs' ? 1 : 'any'}
        .value=${this.form[id]}
        aria-invalid=${wrong}
        aria-describedby="faults"
        @input=${(event: Event) => this.#change({ [id]: (event.target as HTMLInputElement).value })}
      />
    </label>`;
  }

  #form(): TemplateResult {
    const faults = formFaults(this.form);
    const blocked =
      (this.pending ? 'Asking the collector …' : null) ??
      trainBlocked(this.status, this.connected) ??
      (faults.duration || faults.epochs ? 'A value above is not valid.' : null);
    return html`<form @submit=${this.#submit} novalidate>
        ${this.#input('duration', 'Duration, s', 'duration_seconds', faults)}
        ${this.#input('epochs', 'Epochs', 'epochs', faults)}
        <label class="check">
          <input
            type="checkbox"
            name="use_history"
            .checked=${this.form.useHistory}
            @change=${(event: Event) => this.#change({ useHistory: (event.target as HTMLInputElement).checked })}
          />Use history
        </label>
        <button type="submit" class="primary" aria-disabled=${blocked !== null} aria-describedby="why">Train</button>
        <span id="faults" class="fault" ?hidden=${!faults.duration && !faults.epochs}>
          ${faults.duration ?? ''} ${faults.epochs ?? ''}
        </span>
      </form>
      <p class="why muted" id="why">${blocked ?? this.#outcome()}</p>`;
  }

  #outcome(): string {
    const training = this.status?.training;
    if (!training) return 'Learns what normal looks like on every line.';
    const at = training.finished_at ? `${clock(training.finished_at)}: ` : '';
    return `${at}${trainingOutcome(training)}`;
  }

  #progress(training: Training): TemplateResult {
    const percent = Math.round(training.progress * 100);
    const shown = training.agents.slice(0, MAX_AGENTS_SHOWN);
    const more = training.agents.length - shown.length + (training.left_out?.agents ?? 0);
    const left =
      training.seconds_left > 0 ? `${duration(training.seconds_left * 1000)} left` : 'almost there';
    return html`<div class="progress" data-testid="training-progress" data-state=${training.state}>
      <span class="number"><strong>${PHASES[training.state]}</strong> · ${percent}&nbsp;% · ${left}</span>
      <button class="quiet" @click=${() => this.dispatchEvent(new CancelTrainingEvent(training.id))}>Cancel</button>
      <div
        class="track"
        role="progressbar"
        aria-label="Training"
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow=${percent}
        aria-valuetext=${`${PHASES[training.state]}, ${percent} percent, ${left}`}
      >
        <i .style=${`width:${percent}%`}></i>
      </div>
      <ul class="agents" aria-label="Agents in training">
        ${shown.map(
          (agent) => html`<li class="chip" title=${agent.message ?? ''}>
            ${agent.id}: ${agent.state}${agent.rows.device ? ` · ${plural(agent.rows.device, 'window')}` : ''}
          </li>`,
        )}
        ${more > 0 ? html`<li class="chip">and ${more} more</li>` : ''}
      </ul>
    </div>`;
  }

  protected override render() {
    const training = this.status?.training ?? null;
    return html`<h3>Training</h3>
      ${isRunning(training) ? this.#progress(training) : this.#form()} ${failureNote(this.failure)}`;
  }
}

customElements.define('lh-train', TrainElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-train': TrainElement;
  }
}
