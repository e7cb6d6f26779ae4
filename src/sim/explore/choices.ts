/** Runs something once for every way in which its choices can turn out. */
import { type Look, type Subject, sights } from "./sights.ts";

/** How the subjects looked that were asked about. */
export type Seen = ReadonlyMap<Subject, string>;

/** Calls `run` again and again until every answer to every question was given. */
export function everyLook(run: (look: Look, seen: Seen) => void): void {
  // Which of the subject's sights each question gets, in the order of asking.
  const answers: { readonly subject: Subject; index: number }[] = [];
  for (;;) {
    const seen = new Map<Subject, string>();
    const look: Look = (subject) => {
      const known = seen.get(subject);
      if (known !== undefined) return known;
      const at = seen.size;
      answers[at] ??= { subject, index: 0 };
      const sight = sights[subject][answers[at].index] ?? "";
      seen.set(subject, sight);
      return sight;
    };
    run(look, seen);
    let last = answers.at(-1);
    while (last !== undefined && last.index === sights[last.subject].length - 1) {
      answers.pop();
      last = answers.at(-1);
    }
    if (last === undefined) return;
    last.index += 1;
  }
}

/** A look at which nothing is wrong and the balancer and the policy are as given. */
export function calmLook(given: Partial<Record<Subject, string>>): Look {
  return (subject) => given[subject] ?? sights[subject][0];
}
