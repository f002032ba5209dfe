/** Which theme holds: the user's remembered choice, or the system's. Sets it on the document's root. */

export const THEME_CHOICES = ['auto', 'light', 'dark'] as const;
export type ThemeChoice = (typeof THEME_CHOICES)[number];
export type Theme = 'light' | 'dark';

const STORAGE_KEY = 'lineheron.theme';

export function resolveTheme(choice: ThemeChoice, systemIsDark: boolean): Theme {
  if (choice === 'auto') return systemIsDark ? 'dark' : 'light';
  return choice;
}

/** Anything but a known choice counts as `auto`. */
export function readChoice(stored: string | null): ThemeChoice {
  return THEME_CHOICES.find((choice) => choice === stored) ?? 'auto';
}

/** What it needs of the browser, so that it can be tried without one. */
export interface ThemePlatform {
  readonly root: { dataset: DOMStringMap };
  readonly systemDark: Pick<MediaQueryList, 'matches' | 'addEventListener' | 'removeEventListener'>;
  readonly forcedColors: Pick<MediaQueryList, 'matches' | 'addEventListener' | 'removeEventListener'>;
  /** Null where the browser refuses storage; then the choice lasts as long as the page. */
  readonly storage: Pick<Storage, 'getItem' | 'setItem'> | null;
}

export class ThemeControl {
  readonly #platform: ThemePlatform;
  readonly #onChange: () => void;
  #choice: ThemeChoice = 'auto';

  constructor(platform: ThemePlatform, onChange: () => void) {
    this.#platform = platform;
    this.#onChange = onChange;
  }

  get choice(): ThemeChoice {
    return this.#choice;
  }

  /** Changes whenever a chart has to read its colours again. */
  get key(): string {
    const theme = resolveTheme(this.#choice, this.#platform.systemDark.matches);
    return this.#platform.forcedColors.matches ? `forced-${theme}` : theme;
  }

  start(): void {
    this.#choice = readChoice(this.#platform.storage?.getItem(STORAGE_KEY) ?? null);
    this.#platform.systemDark.addEventListener('change', this.#apply);
    this.#platform.forcedColors.addEventListener('change', this.#apply);
    this.#apply();
  }

  stop(): void {
    this.#platform.systemDark.removeEventListener('change', this.#apply);
    this.#platform.forcedColors.removeEventListener('change', this.#apply);
  }

  choose(choice: ThemeChoice): void {
    this.#choice = choice;
    try {
      this.#platform.storage?.setItem(STORAGE_KEY, choice);
    } catch {
      // A full or forbidden storage only means that the choice is not remembered.
    }
    this.#apply();
  }

  readonly #apply = (): void => {
    this.#platform.root.dataset.theme = resolveTheme(this.#choice, this.#platform.systemDark.matches);
    this.#onChange();
  };
}
