/** Small line icons as templates, 16 × 16, in the colour of the text. Decorative: a word always stands beside. */
import { html, type TemplateResult } from 'lit';

const PATHS = {
  critical: 'M5.2 1.5h5.6L14.5 5.2v5.6L10.8 14.5H5.2L1.5 10.8V5.2zM8 4.5v4.2M8 11.2v.1',
  warning: 'M8 1.8 15 13.8H1zM8 6.3v3.4M8 11.7v.1',
  info: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM8 7.3v4M8 4.7v.1',
  check: 'M2.5 8.5 6.3 12.3 13.5 4.2',
  live: 'M8 6.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3zM4.6 4.6a4.8 4.8 0 0 0 0 6.8M11.4 4.6a4.8 4.8 0 0 1 0 6.8M2.3 2.3a8 8 0 0 0 0 11.4M13.7 2.3a8 8 0 0 1 0 11.4',
  reconnecting:
    'M13.8 6A6 6 0 0 0 3 4.8L1.8 6.2M2.2 10A6 6 0 0 0 13 11.2l1.2-1.4M1.8 2.8v3.4h3.4M14.2 13.2V9.8h-3.4',
  stale: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM8 4.3V8l2.6 1.8',
  failed: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  play: 'M4.5 2.5v11l8.5-5.5z',
  pause: 'M5 3v10M11 3v10',
  stop: 'M3.5 3.5h9v9h-9z',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  auto: 'M8 1.5a6.5 6.5 0 1 0 0 13zM8 1.5a6.5 6.5 0 0 1 0 13',
  light:
    'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M13 3l-1.1 1.1M4.1 11.9 3 13',
  dark: 'M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z',
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName, size = 16): TemplateResult {
  return html`<svg
    width=${size}
    height=${size}
    viewBox="0 0 16 16"
    fill="none"
    stroke="currentColor"
    stroke-width="1.6"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    <path d=${PATHS[name]} />
  </svg>`;
}

/** The mark: a heron standing at the water's edge. */
export function heron(size: number): TemplateResult {
  return html`<svg width=${size} height=${size} viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" fill="#0f3b46" />
    <g fill="none" stroke="#eaf6f8" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
      <path
        d="M28 7.5 20.5 6.2a2.9 2.9 0 0 0-3.3 2.9c0 3 2.6 4 2.6 7.2 0 3.4-3 5.2-6.6 5.2H5c2.5-4.5 6-6.7 11-6.9"
      />
      <path d="M14 21.5V28m3.5-7.5V28" />
      <path d="M3.5 28h25" stroke="#5cc4d6" />
    </g>
  </svg>`;
}
