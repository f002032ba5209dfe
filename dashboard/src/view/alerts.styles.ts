/** The look of `<lh-alerts>`. */
import { css } from 'lit';

export const alertsSheet = css`
  fieldset {
    display: flex;
    border: 1px solid var(--lh-border);
    border-radius: var(--lh-radius-small);
    overflow: clip;
  }
  label {
    padding: 3px 10px;
    font-size: 12px;
    cursor: pointer;
  }
  label:has(:checked) {
    background: var(--lh-accent-soft);
    font-weight: 600;
  }
  label:has(:focus-visible) {
    outline: 2px solid var(--lh-focus);
    outline-offset: -2px;
  }
  label input {
    position: absolute;
    opacity: 0;
    pointer-events: none;
  }
  .scroll {
    height: 100%;
    overflow-y: auto;
    scrollbar-width: thin;
  }
  .scroll:focus-visible {
    outline-offset: -2px;
  }
  .alert {
    padding: 10px 14px 10px 11px;
    border-bottom: 1px solid var(--lh-border);
    border-left: 3px solid transparent;
  }
  .open.critical {
    border-left-color: var(--lh-critical);
  }
  .open.warning {
    border-left-color: var(--lh-warning);
  }
  .open.info {
    border-left-color: var(--lh-info);
  }
  .top {
    display: flex;
    align-items: center;
    gap: 8px;
    min-width: 0;
  }
  .where,
  .where:hover {
    flex: 1;
    justify-content: start;
    min-width: 0;
    min-height: 26px;
    padding: 0 2px;
    border: 0;
    background: none;
    font-weight: 400;
    text-align: left;
  }
  .where:hover strong {
    text-decoration: underline;
  }
  .where span,
  .where strong {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .open .status {
    color: var(--lh-text);
    font-weight: 600;
  }
  .sentence {
    margin-top: 4px;
    overflow-wrap: anywhere;
  }
  .facts {
    display: flex;
    flex-wrap: wrap;
    gap: 0 12px;
    margin-top: 2px;
    font-size: 12px;
  }
  details {
    margin-top: 4px;
    font-size: 12px;
  }
  summary {
    width: fit-content;
    padding: 2px 4px 2px 0;
    color: var(--lh-accent);
    font-weight: 600;
    cursor: pointer;
  }
  .more {
    margin: 10px 14px;
  }
  @media (forced-colors: active) {
    .closed {
      border-left-color: Canvas;
    }
    label:has(:checked) {
      forced-color-adjust: none;
      background: Highlight;
      color: HighlightText;
    }
  }
`;
