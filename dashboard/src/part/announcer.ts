/** `<lh-announcer>`: a polite live region for new alerts. Says at most one sentence in five seconds. */
import type { Alert } from '@lineheron/models';
import { html, type PropertyValues } from 'lit';
import { announcement, newlyOpened } from './announcement.js';
import { LineheronElement } from './element.js';

const LEAST_PAUSE_MS = 5_000;

export class AnnouncerElement extends LineheronElement {
  static override properties = { alerts: { attribute: false }, text: { state: true } };

  /** Null until the first snapshot: what was open before the page came is no news. */
  declare alerts: readonly Alert[] | null;
  declare text: string;

  #known: Set<string> | null = null;
  #waiting: Alert[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    super();
    this.alerts = null;
    this.text = '';
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('alerts') || this.alerts === null) return;
    if (this.#known !== null) this.#waiting.unshift(...newlyOpened(this.#known, this.alerts));
    this.#known = new Set(this.alerts.map(({ id }) => id));
    if (this.#waiting.length > 0 && this.#timer === null) this.#say();
  }

  #say(): void {
    this.text = announcement(this.#waiting);
    this.#waiting = [];
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#waiting.length > 0) this.#say();
    }, LEAST_PAUSE_MS);
  }

  protected override render() {
    return html`<div class="hidden" role="status" aria-live="polite">${this.text}</div>`;
  }
}

customElements.define('lh-announcer', AnnouncerElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-announcer': AnnouncerElement;
  }
}
