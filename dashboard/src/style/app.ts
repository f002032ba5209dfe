/** The page's layout: controls, figures, lines | charts | alerts, records | models. One column on a phone. */
import { css } from 'lit';

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
    grid-template-columns: minmax(0, 6fr) minmax(0, 5fr);
    gap: 12px 32px;
    padding: 12px 14px 10px;
    border: 1px solid var(--lh-border);
    border-radius: var(--lh-radius);
    background: var(--lh-surface);
    box-shadow: var(--lh-shadow);
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
  }
  lh-lines,
  lh-alerts {
    height: 0;
    min-height: 100%;
  }
  .below {
    display: grid;
    grid-template-columns: minmax(0, 8fr) minmax(0, 5fr);
    gap: var(--lh-gap);
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
  }
  @media (max-width: 900px) {
    .controls {
      grid-template-columns: minmax(0, 1fr);
    }
  }
  @media (max-width: 760px) {
    .watch {
      grid-template-columns: minmax(0, 1fr);
      grid-template-areas: 'lines' 'alerts' 'charts';
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
