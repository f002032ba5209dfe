/** The sheet that every element adopts: reset, focus, buttons, fields, chips. Names roles only. */
import { css } from 'lit';

export const sharedSheet = css`
  :host {
    box-sizing: border-box;
    display: block;
    min-width: 0;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: inherit;
  }
  h1,
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd,
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  :focus-visible {
    outline: 2px solid var(--lh-focus);
    outline-offset: 2px;
  }
  svg {
    display: block;
    flex: none;
  }
  button,
  input,
  select {
    font: inherit;
    color: inherit;
  }
  button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    min-height: 34px;
    padding: 0 14px;
    border: 1px solid var(--lh-border-strong);
    border-radius: var(--lh-radius-small);
    background: var(--lh-surface);
    font-weight: 600;
    cursor: pointer;
  }
  button:hover {
    background: var(--lh-surface-hover);
  }
  button.primary {
    border-color: var(--lh-accent);
    background: var(--lh-accent);
    color: var(--lh-on-accent);
  }
  button.primary:hover {
    filter: brightness(1.08);
  }
  button[aria-disabled='true'],
  button[aria-disabled='true']:hover {
    border-color: var(--lh-border);
    background: var(--lh-surface-sunken);
    color: var(--lh-text-muted);
    font-weight: 400;
    filter: none;
    cursor: not-allowed;
  }
  button.quiet {
    min-height: 28px;
    padding: 0 10px;
    border-color: var(--lh-border);
    font-weight: 500;
  }
  input[type='number'],
  input[type='search'],
  select {
    min-height: 34px;
    padding: 0 8px;
    border: 1px solid var(--lh-border-strong);
    border-radius: var(--lh-radius-small);
    background: var(--lh-surface);
  }
  input[aria-invalid='true'] {
    border-color: var(--lh-critical);
    box-shadow: inset 0 0 0 1px var(--lh-critical);
  }
  input[type='checkbox'],
  input[type='radio'] {
    accent-color: var(--lh-accent);
  }
  .muted {
    color: var(--lh-text-muted);
  }
  .number {
    font-variant-numeric: tabular-nums;
  }
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .chip {
    display: inline-flex;
    align-items: center;
    gap: 5px;
    padding: 1px 8px;
    border: 1px solid transparent;
    border-radius: 999px;
    background: var(--lh-surface-hover);
    color: var(--lh-text);
    font-size: 12px;
    font-weight: 600;
    line-height: 20px;
    white-space: nowrap;
  }
  .chip.critical {
    background: var(--lh-critical-soft);
    color: var(--lh-critical);
  }
  .chip.warning {
    background: var(--lh-warning-soft);
    color: var(--lh-warning);
  }
  .chip.info {
    background: var(--lh-info-soft);
    color: var(--lh-info);
  }
  .chip.ok {
    background: var(--lh-ok-soft);
    color: var(--lh-ok);
  }
  @media (forced-colors: active) {
    .chip {
      border-color: CanvasText;
    }
    button.primary:not([aria-disabled='true']) {
      forced-color-adjust: none;
    }
    button[aria-disabled='true'] {
      border-color: GrayText;
      color: GrayText;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none;
      transition: none;
    }
  }
`;
