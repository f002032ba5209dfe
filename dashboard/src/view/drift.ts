/**
 * `<lh-drift>`: whose windows no longer look as in training, and the models that were retrained for it. Nothing goes
 * to work unless a person says so here, twice.
 */
import type { FeedModel } from '@lineheron/models';
import { html, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Failure } from '../api.js';
import { CandidateEvent } from '../event.js';
import { LineheronElement } from '../part/element.js';
import { failureNote } from '../part/failure.js';
import { icon } from '../part/icon.js';
import type { Health } from '../part/panel.js';
import '../part/panel.js';
import { controlSheet } from '../style/control.js';
import { driftSheet } from './drift.styles.js';
import { type DriftRow, driftRows, type Proposal, proposals } from './drift-facts.js';

const STATES: Readonly<Record<DriftRow['state'], { tone: string; text: string }>> = {
  lasting: { tone: 'warning', text: 'lasting drift' },
  drifting: { tone: 'info', text: 'drifting' },
  none: { tone: 'ok', text: 'as in training' },
  too_little: { tone: '', text: 'too few windows' },
};

export class DriftElement extends LineheronElement {
  static override properties = {
    models: { attribute: false },
    health: {},
    pending: { type: Boolean },
    failure: { attribute: false },
    nowMs: { attribute: false },
    asked: { state: true },
  };
  static override styles = [LineheronElement.styles, controlSheet, driftSheet];

  declare models: readonly FeedModel[];
  declare health: Health;
  /** The collector is asked to put a candidate to work. */
  declare pending: boolean;
  declare failure: Failure | null;
  declare nowMs: number;
  /** Checksum of the candidate that waits for its confirmation. */
  declare asked: string | null;

  /** The candidate that was sent last, with its name. */
  #sent: Proposal | null = null;

  constructor() {
    super();
    this.models = [];
    this.health = 'loading';
    this.pending = false;
    this.failure = null;
    this.nowMs = 0;
    this.asked = null;
  }

  /** Whoever was asked answers by keyboard at once, and finds the button again after a refusal. */
  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('asked')) return;
    const before = changed.get('asked') ?? this.#sent?.sha256;
    const wanted = this.asked === null ? `[data-ask="${before}"]` : '[data-confirm]';
    this.renderRoot.querySelector<HTMLElement>(wanted)?.focus();
  }

  #confirm(proposal: Proposal): void {
    if (this.pending || this.health !== 'live') return;
    this.#sent = proposal;
    this.asked = null;
    this.dispatchEvent(new CandidateEvent(proposal.sha256));
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') this.asked = null;
  };

  #row(row: DriftRow): TemplateResult {
    const { tone, text } = STATES[row.state];
    return html`<tr data-testid="drift-row" data-state=${row.state}>
      <th scope="row">${row.agent}</th>
      <td>${row.scope}</td>
      <td>${row.model}</td>
      <td><span class="chip ${tone}">${text}</span></td>
      <td>${row.feature}</td>
      <td class="figure">${row.psi}</td>
      <td class="figure">${row.bound}</td>
      <td class="figure">${row.windows}</td>
      <td>${row.since}</td>
    </tr>`;
  }

  #agents(): TemplateResult {
    const columns = ['Agent', 'Scope', 'Model', 'Drift', 'Farthest feature'];
    return html`<div class="agents" tabindex="0" role="region" aria-label="Drift of the agents">
      <table class="number">
        <thead>
          <tr>
            ${columns.map((name) => html`<th scope="col">${name}</th>`)}
            <th scope="col" class="figure" title="Population stability index against the training">PSI</th>
            <th scope="col" class="figure" title="What so few windows may show by chance">Bound</th>
            <th scope="col" class="figure">Windows</th>
            <th scope="col">Since</th>
          </tr>
        </thead>
        <tbody>
          ${repeat(
            driftRows(this.models, this.nowMs),
            ({ key }) => key,
            (row) => this.#row(row),
          )}
        </tbody>
      </table>
    </div>`;
  }

  #buttons(proposal: Proposal): TemplateResult {
    const blocked = this.pending || this.health !== 'live';
    if (this.asked !== proposal.sha256) {
      const busy = this.pending && this.#sent?.sha256 === proposal.sha256;
      const ask = () => {
        if (!blocked) this.asked = proposal.sha256;
      };
      return html`<div class="buttons" aria-busy=${busy}>
        <button data-ask=${proposal.sha256} aria-disabled=${blocked} @click=${ask}>
          ${busy ? 'Putting it to work …' : 'Put to work …'}
        </button>
      </div>`;
    }
    return html`<div class="buttons" role="group" aria-labelledby="question" @keydown=${this.#onKey}>
      <p class="question" id="question">
        The retrained model replaces the one in use at once, as a new release. Going back needs a new training.
      </p>
      <button class="primary" data-confirm aria-disabled=${blocked} @click=${() => this.#confirm(proposal)}>
        ${icon('check', 14)}Replace it
      </button>
      <button
        @click=${() => {
          this.asked = null;
        }}
      >
        Keep the present one
      </button>
    </div>`;
  }

  #candidate(proposal: Proposal): TemplateResult {
    return html`<section class="candidate" data-testid="candidate" data-model=${proposal.model}>
      <h3>${proposal.title}</h3>
      <table class="number">
        <thead>
          <tr>
            <td><span class="hidden">Property</span></td>
            <th scope="col">Retrained</th>
            <th scope="col">In use</th>
          </tr>
        </thead>
        <tbody>
          ${proposal.facts.map(
            ({ label, retrained, inUse }) => html`<tr>
              <th scope="row">${label}</th>
              <td>${retrained}</td>
              <td>${inUse}</td>
            </tr>`,
          )}
        </tbody>
      </table>
      ${this.#buttons(proposal)}
      ${this.#sent?.sha256 === proposal.sha256 ? failureNote(this.failure) : ''}
    </section>`;
  }

  /** A candidate that was sent and is gone was taken. */
  #outcome(waiting: readonly Proposal[]): string {
    const sent = this.#sent;
    const taken =
      sent && !this.pending && !this.failure && !waiting.some((one) => one.sha256 === sent.sha256);
    if (taken) return `${sent.title}: the retrained model is in use.`;
    return waiting.length > 0 ? '' : 'No retrained model waits. One is trained when drift lasts.';
  }

  protected override render() {
    const waiting = proposals(this.models, this.nowMs);
    const known = this.models.some(({ drift = [] }) => drift.length > 0) || waiting.length > 0;
    return html`<lh-panel
      heading="Drift and retraining"
      note="how far windows are from what the models were trained on"
      health=${this.health}
      empty=${known ? '' : 'Nothing is known of drift yet: it takes a trained model, and windows after it.'}
    >
      <div class="columns">
        ${this.#agents()}
        <div class="waiting">
          ${repeat(
            waiting,
            ({ sha256 }) => sha256,
            (one) => this.#candidate(one),
          )}
          <p class="muted" role="status">${this.#outcome(waiting)}</p>
        </div>
      </div>
    </lh-panel>`;
  }
}

customElements.define('lh-drift', DriftElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-drift': DriftElement;
  }
}
