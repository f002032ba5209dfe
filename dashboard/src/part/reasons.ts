/**
 * `<lh-reasons>`: why a window is strange. Each reason: what was observed, its share of the score as a bar, and where
 * that lies against the range that is usual.
 */
import type { Reason } from '@lineheron/models';
import { clauseOf, tellingReasons } from '@lineheron/models';
import { css, html, type TemplateResult } from 'lit';
import { LineheronElement } from './element.js';
import { type RangeMarks, rangeMarks } from './range-marks.js';

const MAX_REASONS = 3;

/** Those that say something, or the combination where none does by itself. */
function shownReasons(reasons: readonly Reason[]): Reason[] {
  const telling = tellingReasons(reasons);
  return (telling.length > 0 ? telling : reasons).slice(0, MAX_REASONS);
}

export class ReasonsElement extends LineheronElement {
  static override properties = { reasons: { attribute: false } };
  static override styles = [
    LineheronElement.styles,
    css`
      li {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 1px 10px;
        padding: 5px 0;
        font-size: 12px;
      }
      li + li {
        border-top: 1px dashed var(--lh-border);
      }
      .share {
        display: flex;
        align-items: center;
        gap: 6px;
        color: var(--lh-text-muted);
      }
      .bar {
        width: 48px;
        height: 6px;
        border-radius: 3px;
        background: var(--lh-surface-hover);
        overflow: hidden;
      }
      .bar i {
        display: block;
        height: 100%;
        background: var(--lh-accent);
      }
      .observed {
        grid-column: 1 / -1;
        color: var(--lh-text-muted);
      }
      .range {
        position: relative;
        grid-column: 1 / -1;
        height: 8px;
        margin-top: 3px;
      }
      .range::before {
        position: absolute;
        inset: 3px 0;
        border-radius: 1px;
        background: var(--lh-surface-hover);
        content: '';
      }
      .usual {
        position: absolute;
        top: 2px;
        bottom: 2px;
        min-width: 3px;
        border-radius: 2px;
        background: var(--lh-ok);
      }
      .tick {
        position: absolute;
        top: 0;
        bottom: 0;
        width: 3px;
        border-radius: 2px;
        background: var(--lh-critical);
      }
      @media (forced-colors: active) {
        .bar,
        .range::before {
          border: 1px solid CanvasText;
        }
        .bar i,
        .usual,
        .tick {
          forced-color-adjust: none;
          background: CanvasText;
        }
        .tick {
          background: Highlight;
        }
      }
    `,
  ];

  declare reasons: readonly Reason[];

  constructor() {
    super();
    this.reasons = [];
  }

  #range(marks: RangeMarks | null): TemplateResult | '' {
    if (!marks) return '';
    const usual = `left:${marks.from}%;width:${marks.to - marks.from}%`;
    return html`<span class="range" aria-hidden="true">
      <i class="usual" .style=${usual}></i><i class="tick" .style=${`left:calc(${marks.observed}% - 2px)`}></i>
    </span>`;
  }

  #reason(reason: Reason): TemplateResult {
    const share = Math.round(Math.abs(reason.share) * 100);
    const { what, usual } = clauseOf(reason);
    return html`<li>
      <span>${what}</span>
      <span class="share number">
        <span class="bar" aria-hidden="true"><i .style=${`width:${share}%`}></i></span>
        ${share}&nbsp;%<span class="hidden"> of the score</span>
      </span>
      <span class="observed number">${usual === '' ? 'usual range unknown' : usual}</span>
      ${this.#range(rangeMarks(reason))}
    </li>`;
  }

  protected override render() {
    return html`<ul>${shownReasons(this.reasons).map((reason) => this.#reason(reason))}</ul>`;
  }
}

customElements.define('lh-reasons', ReasonsElement);

declare global {
  interface HTMLElementTagNameMap {
    'lh-reasons': ReasonsElement;
  }
}
