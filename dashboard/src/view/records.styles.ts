/** The look of `<lh-records>`. Less wide places show fewer columns. */
import { css } from 'lit';

export const recordsSheet = css`
  :host {
    container-type: inline-size;
  }
  .actions {
    display: flex;
    align-items: center;
    gap: 8px;
  }
  select {
    max-width: 190px;
    min-height: 28px;
    font-size: 13px;
  }
  .pause {
    min-width: 92px;
  }
  .missed {
    font-size: 12px;
  }
  .scroll {
    height: 100%;
    overflow: auto;
    scrollbar-width: thin;
  }
  .scroll:focus-visible {
    outline-offset: -2px;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    table-layout: fixed;
    font-size: 12.5px;
  }
  th {
    position: sticky;
    top: 0;
    padding: 6px;
    background: var(--lh-surface);
    box-shadow: inset 0 -1px var(--lh-border);
    color: var(--lh-text-muted);
    font-size: 12px;
    font-weight: 600;
    text-align: left;
    white-space: nowrap;
  }
  td {
    height: 26px;
    padding: 0 6px;
    border-bottom: 1px solid var(--lh-border);
    white-space: nowrap;
  }
  th:first-child,
  td:first-child {
    padding-left: 14px;
  }
  .figure {
    text-align: right;
  }
  .clip {
    overflow: hidden;
    text-overflow: ellipsis;
  }
  th.time {
    width: 78px;
  }
  th.latency,
  th.traffic {
    width: 90px;
  }
  th.loss,
  th.retries,
  th.resets {
    width: 62px;
  }
  th.error {
    width: 50px;
  }
  th.marks {
    width: 208px;
  }
  td.marks {
    overflow: hidden;
    padding-left: 16px;
    text-overflow: ellipsis;
  }
  th.marks {
    padding-left: 16px;
  }
  .anomalous td {
    background: var(--lh-critical-soft);
  }
  .marks > * {
    vertical-align: middle;
  }
  .mark {
    display: inline-flex;
    align-items: center;
    gap: 4px;
    margin-right: 8px;
    color: var(--lh-critical);
    font-weight: 600;
  }
  .truth {
    color: var(--lh-text-muted);
    font-size: 12px;
  }
  .none {
    padding: 20px 14px;
  }
  @container (max-width: 720px) {
    .wide {
      display: none;
    }
    th.marks {
      width: 38%;
    }
  }
  @container (max-width: 460px) {
    th,
    td,
    th.marks,
    td.marks {
      padding-right: 4px;
      padding-left: 4px;
    }
    th:first-child,
    td:first-child {
      padding-left: 10px;
    }
    th.time {
      width: 66px;
    }
    th.latency,
    th.loss {
      width: 58px;
    }
    th.marks {
      width: 90px;
    }
    td {
      height: 38px;
    }
    .line span {
      display: block;
      line-height: 1.25;
    }
    .line .muted {
      font-size: 11px;
    }
    .truth {
      display: none;
    }
    th {
      white-space: normal;
      vertical-align: bottom;
    }
  }
  @media (forced-colors: active) {
    .anomalous td {
      border-bottom: 2px solid Highlight;
    }
  }
`;
