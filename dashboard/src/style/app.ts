/** The page's layout: controls, figures, lines | charts | alerts, records | models, drift. One column on a phone. */
import { css, unsafeCSS } from 'lit';

/** A phone: one column, what is wrong first. */
export const NARROW_QUERY = '(max-width: 760px)';
const NARROW = unsafeCSS(NARROW_QUERY);

export const appSheet = css`
  :host {
    min-height: 100vh;
  }
  lh-header {
    position: sticky;
    top: 0;
    z-index: 5;
  }
  main {
    display: grid;
    gap: var(--lh-gap);
    max-width: 2200px;
    margin: 0 auto;
    padding: var(--lh-gap) clamp(12px, 1.6vw, 24px) 32px;
  }
  main > *,
  .watch > *,
  .below > * {
    min-width: 0;
  }
  .controls {
    display: grid;
    grid-template-columns: auto minmax(400px, 1fr);
    gap: 12px 36px;
    padding: 12px 14px 10px;
    border: 1px solid var(--lh-border);
    border-radius: var(--lh-radius);
    background: var(--lh-surface);
    box-shadow: var(--lh-shadow);
  }
  .controls lh-detection {
    max-width: 700px;
  }
  .controls lh-train {
    min-height: 104px;
    padding-left: 36px;
    border-left: 1px solid var(--lh-border);
  }
  .watch {
    display: grid;
    grid-template-columns: 280px minmax(0, 1fr) minmax(300px, 360px);
    grid-template-areas: 'lines charts alerts';
    gap: var(--lh-gap);
  }
  lh-lines {
    grid-area: lines;
  }
  lh-alerts {
    grid-area: alerts;
  }
  lh-charts {
    grid-area: charts;
    min-height: 490px;
  }
  lh-lines,
  lh-alerts {
    height: 0;
    min-height: 100%;
  }
  lh-records {
    height: 0;
    min-height: max(100%, 460px);
  }
  .below {
    display: grid;
    grid-template-columns: minmax(0, 5fr) minmax(0, 3fr);
    gap: var(--lh-gap);
  }
  lh-drift {
    grid-column: 1 / -1;
  }
  @media (max-width: 1240px) {
    .watch {
      grid-template-columns: 260px minmax(0, 1fr);
      grid-template-areas: 'lines charts' 'alerts alerts';
    }
    lh-alerts {
      height: 420px;
      min-height: 0;
    }
    .below {
      grid-template-columns: minmax(0, 1fr);
    }
    lh-records {
      height: 460px;
    }
  }
  @media (max-width: 1180px) {
    .controls {
      grid-template-columns: minmax(0, 1fr);
    }
    .controls lh-train {
      padding: 12px 0 0;
      border: 0;
      border-top: 1px solid var(--lh-border);
    }
  }
  @media ${NARROW} {
    .watch {
      grid-template-columns: minmax(0, 1fr);
      grid-template-areas: 'alerts' 'lines' 'charts';
    }
    lh-lines {
      height: 300px;
      min-height: 0;
    }
    lh-header {
      position: static;
    }
  }
`;
