/** Judges in child processes: each answers one question at a time and is replaced when it hangs. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Progress, Question, Verdict } from "./judge.ts";
import type { Mutant } from "./mutants.ts";

/** What became of a mutant. */
export interface Judged {
  readonly mutant: Mutant;
  /** What noticed it; `null` if nothing did. */
  readonly killedBy: string | null;
}

const program = fileURLToPath(new URL("./judge.ts", import.meta.url));

/** A mutant that makes a loop endless is noticed by whoever waits for a proof to end. */
const patienceMsDefault = 30_000;

/** Modules once loaded stay in memory: a judge retires after so many mutants. */
const questionsMax = 80;

/** Has all mutants judged by so many judges at once; a proof may take `patienceMs`. */
export async function judgeAll(
  mutants: readonly Mutant[],
  proofsOf: (file: string) => readonly string[],
  judges: number,
  onJudged: (judged: Judged) => void,
  patienceMs: number = patienceMsDefault,
): Promise<void> {
  let next = 0;
  const sit = async (): Promise<void> => {
    let judge = appoint();
    let asked = 0;
    for (let id = next++; id < mutants.length; id = next++) {
      const mutant = mutants[id];
      if (mutant === undefined) break;
      const { file, start, end, text } = mutant;
      const question = { id, file, start, end, text, proofs: proofsOf(file) };
      const killedBy = await ask(judge, question, patienceMs);
      asked += 1;
      if (killedBy === hung || killedBy === died || asked === questionsMax) {
        judge.kill("SIGKILL");
        judge = appoint();
        asked = 0;
      }
      onJudged({ mutant, killedBy });
    }
    judge.kill("SIGKILL");
  };
  await Promise.all(Array.from({ length: judges }, sit));
}

const hung = "it takes too long";
const died = "the process dies";

function appoint(): ChildProcess {
  const execArgv = ["--disable-warning=ExperimentalWarning", "--max-old-space-size=2048"];
  return fork(program, { execArgv, stdio: ["ignore", "ignore", "inherit", "ipc"] });
}

function ask(judge: ChildProcess, question: Question, patienceMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const settle = (killedBy: string | null): void => {
      clearTimeout(timer);
      judge.off("message", onMessage);
      judge.off("exit", onExit);
      resolve(killedBy);
    };
    const onMessage = (said: Verdict | Progress): void => {
      if ("failure" in said) settle(said.failure);
      else timer.refresh();
    };
    const onExit = (): void => settle(died);
    const timer = setTimeout(() => settle(hung), patienceMs);
    judge.on("message", onMessage);
    judge.on("exit", onExit);
    judge.send(question);
  });
}
