/** What the collector refused, in words, beside the control that asked for it. */
import { html, type TemplateResult } from 'lit';
import type { Failure } from '../api.js';
import { icon } from './icon.js';

export function failureNote(failure: Failure | null): TemplateResult | '' {
  if (failure === null) return '';
  return html`<div class="failure" role="alert">
    ${icon('critical', 15)}
    <span>
      <strong>${failure.title}.</strong>
      ${failure.detail ?? ''}
      ${failure.fields.map(({ path, message }) => html`<br /><code>${path || 'body'}</code>: ${message}`)}
    </span>
  </div>`;
}
