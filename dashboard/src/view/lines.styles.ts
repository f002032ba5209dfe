/** The look of `<lh-lines>`. */
import { css } from 'lit';

export const linesSheet = css`
  input[type='search'] {
    width: 104px;
    min-height: 28px;
  }
  .scroll {
    height: 100%;
    overflow-y: auto;
    scrollbar-width: thin;
    contain: strict;
  }
  .space {
    position: relative;
    margin-bottom: 8px;
  }
  .heading,
  .problem,
  .line {
    position: absolute;
    left: 8px;
    right: 8px;
    contain: strict;
  }
  .heading {
    padding: 9px 6px 0;
    overflow: hidden;
    font-size: 12px;
    font-weight: 650;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .heading .muted {
    font-weight: 400;
  }
  .problem {
    padding: 0 6px;
    color: var(--lh-warning);
    font-size: 12px;
    line-height: 16px;
    overflow-wrap: anywhere;
  }
  .line {
    display: flex;
    align-items: stretch;
    border-left: 3px solid transparent;
    border-radius: 4px;
  }
  .line:hover {
    background: var(--lh-surface-hover);
  }
  .chosen {
    border-left-color: var(--series);
    background: var(--lh-accent-soft);
  }
  .series-1 {
    --series: var(--lh-series-1);
  }
  .series-2 {
    --series: var(--lh-series-2);
  }
  .series-3 {
    --series: var(--lh-series-3);
  }
  .series-4 {
    --series: var(--lh-series-4);
  }
  button,
  button:hover {
    border: 0;
    background: none;
  }
  .card {
    position: relative;
    flex: 1;
    min-width: 0;
    padding: 3px 6px 3px 8px;
  }
  .choose {
    justify-content: start;
    min-width: 0;
    min-height: 20px;
    padding: 0;
    text-align: left;
  }
  /* The whole card is the button's target. */
  .choose::after {
    position: absolute;
    inset: 0;
    content: '';
  }
  .choose:focus-visible {
    outline: none;
  }
  .choose:focus-visible::after {
    outline: 2px solid var(--lh-focus);
    outline-offset: -2px;
  }
  .row {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 8px;
    min-width: 0;
  }
  .message {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 5px;
  }
  .message svg {
    margin-top: 2px;
  }
  .of {
    font-weight: 400;
  }
  .device {
    overflow: hidden;
    font-weight: 600;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .state {
    display: inline-flex;
    align-items: center;
    gap: 4px;
    color: var(--lh-text-muted);
    font-size: 12px;
    white-space: nowrap;
  }
  .state.critical {
    color: var(--lh-critical);
    font-weight: 600;
  }
  .state.warning {
    color: var(--lh-warning);
    font-weight: 600;
  }
  .state.info {
    color: var(--lh-info);
    font-weight: 600;
  }
  .values {
    color: var(--lh-text-muted);
    font-size: 12px;
    white-space: nowrap;
  }
  .compare {
    width: 28px;
    min-height: 28px;
    padding: 0;
    color: var(--lh-text-muted);
  }
  .compare:hover {
    color: var(--lh-text);
  }
  :focus-visible {
    outline-offset: -2px;
  }
  .more {
    display: grid;
    align-items: center;
  }
  .none {
    padding: 8px 14px;
    font-size: 12px;
  }
  @media (forced-colors: active) {
    .line:not(.chosen) {
      border-left-color: Canvas;
    }
    .chosen {
      outline: 1px solid Highlight;
      outline-offset: -1px;
    }
  }
`;
