/** `<lh-spark>`: the last minutes of one line's latency, without axes. Drawn anew only when its points changed. */
import { css, html } from 'lit';
import { LineheronElement } from './element.js';
import { type SparkPoint, sparkPath } from './spark-path.js';

const BOX = { width: 72, height: 22 };
const SPAN_S = 120;
/** Below this a latency looks flat: noise of a quiet line is no news. */
const LEAST_TOP_MS = 60;

export class SparkElement extends LineheronElement {
  static override properties = { points: { attribute: false } };
  static override styles = [
    LineheronElement.styles,
    css`
      :host {
        width: ${BOX.width}px;
        height: ${BOX.height}px;
      }
      path {
        fill: none;
        stroke: var(--lh-text-muted);
        stroke-width: 1.3;
        stroke-linejoin: round;
      }
    `,
  ];

  declare points: readonly SparkPoint[];

  constructor() {
    super();
    this.points = [];
  }

  protected override render() {
    const to = this.points.at(-1)?.time ?? 0;
    const path = sparkPath(this.points, { ...BOX, from: to - SPAN_S, to }, LEAST_TOP_MS);
    return html`<svg width=${BOX.width} height=${BOX.height} aria-hidden="true"><path d=${path} /></svg>`;
  }
}

customElements.define('lh-spark', SparkElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-spark': SparkElement;
  }
}
