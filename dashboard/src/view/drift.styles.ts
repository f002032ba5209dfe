/** Looks of the drift panel: a table of agents beside the retrained models that wait for a decision. */
import { css } from 'lit';

export const driftSheet = css`
  .columns {
    display: grid;
    grid-template-columns: minmax(0, 5fr) minmax(0, 3fr);
    gap: 0 var(--lh-gap);
  }
  .agents {
    max-height: 320px;
    overflow: auto;
    scrollbar-width: thin;
  }
  .agents:focus-visible {
    outline-offset: -2px;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 12.5px;
  }
  th,
  td {
    padding: 5px 8px;
    text-align: left;
    vertical-align: middle;
    white-space: nowrap;
  }
  th:first-child {
    padding-left: 14px;
  }
  thead th {
    color: var(--lh-text-muted);
    font-size: 12px;
    font-weight: 600;
  }
  tbody th {
    font-weight: 400;
  }
  tbody tr {
    border-top: 1px solid var(--lh-border);
  }
  .figure {
    text-align: right;
  }
  .waiting {
    display: grid;
    align-content: start;
    gap: 12px;
    padding: 12px 14px;
    border-left: 1px solid var(--lh-border);
  }
  .candidate {
    display: grid;
    gap: 8px;
  }
  .candidate + .candidate {
    padding-top: 12px;
    border-top: 1px solid var(--lh-border);
  }
  .candidate th,
  .candidate td {
    padding: 1px 8px 1px 0;
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px;
  }
  .question {
    flex-basis: 100%;
    text-wrap: pretty;
  }
  @media (max-width: 900px) {
    .columns {
      grid-template-columns: minmax(0, 1fr);
    }
    .waiting {
      border-top: 1px solid var(--lh-border);
      border-left: 0;
    }
  }
`;
