/** How a person is asked: the part of @clack/prompts that is used here, so that a test can answer too. */

/** The person has had enough. */
export class Cancelled extends Error {}

export interface Asker {
  text(question: string, initial: string, check: (answer: string) => string | undefined): Promise<string>;
  secret(question: string): Promise<string>;
  choose<T extends string>(
    question: string,
    options: readonly { value: T; label: string }[],
    initial: T,
  ): Promise<T>;
  confirm(question: string, initial: boolean): Promise<boolean>;
  /** Shows that something takes its time. */
  busy<T>(what: string, work: Promise<T>): Promise<T>;
  say(text: string): void;
}

/** Asks on the terminal. Throws Cancelled after Ctrl-C. */
export async function terminalAsker(): Promise<Asker> {
  const clack = await import('@clack/prompts');
  const answered = <T>(answer: T): Exclude<T, symbol> => {
    if (clack.isCancel(answer)) throw new Cancelled();
    return answer as Exclude<T, symbol>;
  };
  return {
    text: async (message, initialValue, check) =>
      answered(await clack.text({ message, initialValue, validate: (answer) => check(answer ?? '') })),
    secret: async (message) => answered(await clack.password({ message })) ?? '',
    choose: async (message, options, initialValue) =>
      answered(
        await clack.select<string>({ message, options: [...options], initialValue }),
      ) as typeof initialValue,
    confirm: async (message, initialValue) => answered(await clack.confirm({ message, initialValue })),
    busy: async (what, work) => {
      const spinner = clack.spinner();
      spinner.start(what);
      return work.finally(() => spinner.stop(what));
    },
    say: (text) => clack.log.message(text),
  };
}
