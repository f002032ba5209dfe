/** `<lh-detection>`: starts and stops detection and chooses the model that decides what alerts. */
import { ACTIVE_MODELS, type ActiveModel, type FeedStatus } from '@lineheron/models';
import { css, html, type PropertyValues, type TemplateResult } from 'lit';
import type { Failure } from '../api.js';
import { DetectionEvent, ModelEvent } from '../event.js';
import { modelName, plural } from '../format.js';
import { LineheronElement } from '../part/element.js';
import { failureNote } from '../part/failure.js';
import { icon } from '../part/icon.js';
import { controlSheet } from '../style/control.js';

const MODEL_HINTS: Readonly<Record<ActiveModel, string>> = {
  isolation_forest: 'The gateway’s forest opens alerts; the autoencoder confirms or disputes.',
  adaptive_baseline: 'The gateway’s baseline of every line opens alerts; it needs no training.',
  autoencoder: 'The collector opens alerts; what only the gateway finds is listed as disputed.',
  ensemble: 'Any detector opens an alert; gateway and collector together confirm it.',
};

/** After the answer to a choice, so many statuses may still tell the old model before it counts as not taken. */
const CONFIRMING_STATUSES = 3;

/** The adaptive baseline learns as it goes: it needs no training. */
function canDetect({ active_model, trained }: FeedStatus): boolean {
  return active_model === 'adaptive_baseline' || trained[active_model];
}

/** Why a button does nothing now; null when it would. */
export function detectionBlocked(
  on: boolean,
  status: FeedStatus | null,
  connected: boolean,
  pending: boolean,
): string | null {
  if (!connected || status === null) return 'Not connected to the collector.';
  if (pending) return 'Asking the collector …';
  if (on && status.detecting) return 'Detection is started.';
  if (on && !canDetect(status)) return 'Train first: this model has learned nothing yet.';
  if (!on && !status.detecting) return 'Detection is stopped.';
  return null;
}

export class DetectionElement extends LineheronElement {
  static override properties = {
    status: { attribute: false },
    connected: { type: Boolean },
    pending: { type: Boolean },
    detectionFailure: { attribute: false },
    modelFailure: { attribute: false },
  };
  static override styles = [
    LineheronElement.styles,
    controlSheet,
    css`
      :host {
        flex-direction: row;
        flex-wrap: wrap;
        align-items: start;
        gap: 14px 36px;
      }
      .group {
        display: flex;
        flex-direction: column;
        gap: 6px;
        max-width: 100%;
      }
      .buttons {
        display: flex;
        gap: 8px;
      }
      .segments {
        display: flex;
        flex-wrap: wrap;
        width: fit-content;
        max-width: 100%;
        border: 1px solid var(--lh-border-strong);
        border-radius: var(--lh-radius-small);
        overflow: clip;
      }
      .segments label {
        display: flex;
        align-items: center;
        gap: 7px;
        min-height: 32px;
        padding: 0 12px 0 10px;
        cursor: pointer;
      }
      .segments label + label {
        border-left: 1px solid var(--lh-border);
      }
      .segments label:hover {
        background: var(--lh-surface-hover);
      }
      .segments label:has(:checked) {
        background: var(--lh-accent-soft);
        font-weight: 600;
      }
      .segments label:has(:focus-visible) {
        outline: 2px solid var(--lh-focus);
        outline-offset: -2px;
      }
      .segments input {
        margin: 0;
        outline: none;
      }
    `,
  ];

  declare status: FeedStatus | null;
  declare connected: boolean;
  declare pending: boolean;
  declare detectionFailure: Failure | null;
  declare modelFailure: Failure | null;

  #wanted: ActiveModel | null = null;
  #patience = 0;

  constructor() {
    super();
    this.status = null;
    this.connected = false;
    this.pending = false;
    this.detectionFailure = null;
    this.modelFailure = null;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('modelFailure') && this.modelFailure !== null) this.#wanted = null;
    if (!changed.has('status')) return;
    const confirmed = this.status?.active_model === this.#wanted;
    if (!this.pending) this.#patience -= 1;
    if (confirmed || this.#patience <= 0) this.#wanted = null;
  }

  /** The group shows what was chosen until the collector says what holds: a refused choice falls back. */
  protected override updated(): void {
    const shown = this.#wanted ?? this.status?.active_model;
    for (const radio of this.renderRoot.querySelectorAll<HTMLInputElement>('input[type=radio]')) {
      radio.checked = radio.value === shown;
    }
  }

  #button(on: boolean): TemplateResult {
    const blocked = detectionBlocked(on, this.status, this.connected, this.pending);
    const ask = () => {
      if (blocked === null) this.dispatchEvent(new DetectionEvent(on));
    };
    return html`<button
      class=${on && blocked === null ? 'primary' : ''}
      aria-disabled=${blocked !== null}
      title=${blocked ?? ''}
      aria-describedby="why"
      @click=${ask}
    >
      ${icon(on ? 'play' : 'stop', 14)}${on ? 'Start' : 'Stop'}
    </button>`;
  }

  #hint(): string {
    const { status } = this;
    if (!this.connected || !status) return 'Not connected to the collector.';
    const { lines, of } = status.watching;
    if (status.detecting)
      return `Started: ${lines} of ${plural(of, 'line')} ${lines === 1 ? 'is' : 'are'} watched.`;
    return canDetect(status) ? 'Stopped: no line is watched.' : 'Train first, then start.';
  }

  #model(model: ActiveModel): TemplateResult {
    const choose = () => {
      this.#wanted = model;
      this.#patience = CONFIRMING_STATUSES;
      this.dispatchEvent(new ModelEvent(model));
    };
    return html`<label>
      <input type="radio" name="model" value=${model} ?disabled=${!this.connected} @change=${choose} />
      ${modelName(model)}
    </label>`;
  }

  protected override render() {
    const active = this.status?.active_model;
    return html`
      <div class="group">
        <h3>Detection</h3>
        <div class="buttons">${this.#button(true)}${this.#button(false)}</div>
        <p class="why muted" id="why">${this.#hint()}</p>
        ${failureNote(this.detectionFailure)}
      </div>
      <div class="group">
        <h3 id="model">Model</h3>
        <div class="segments" role="radiogroup" aria-labelledby="model">
          ${ACTIVE_MODELS.map((model) => this.#model(model))}
        </div>
        <p class="why muted">${active ? MODEL_HINTS[active] : ''}</p>
        ${failureNote(this.modelFailure)}
      </div>
    `;
  }
}

customElements.define('lh-detection', DetectionElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-detection': DetectionElement;
  }
}
