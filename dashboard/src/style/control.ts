/** What the groups of the control bar have in common: title, hint line, refusal. */
import { css } from 'lit';

export const controlSheet = css`
  :host {
    display: flex;
    flex-direction: column;
    gap: 6px;
  }
  h3 {
    font-size: 13px;
    font-weight: 650;
  }
  .why {
    min-height: 18px;
    font-size: 12px;
    text-wrap: pretty;
  }
  .failure {
    display: flex;
    align-items: start;
    gap: 6px;
    padding: 6px 10px;
    border: 1px solid var(--lh-critical);
    border-radius: var(--lh-radius-small);
    background: var(--lh-critical-soft);
    color: var(--lh-critical);
    font-size: 12px;
  }
  .failure svg {
    margin-top: 2px;
  }
  code {
    font-family: var(--lh-mono);
  }
`;
