/**
 * Keeps a long run small. Left alone, V8 lets the space for short-lived objects grow while there
 * is traffic and puts off collecting the others: what is alive is less than a tenth of it. These
 * are heuristics of the garbage collector, for this process and the threads it starts later.
 */
import { setFlagsFromString } from "node:v8";

for (const flag of ["--semi-space-growth-factor=1", "--heap-growing-percent=20"]) {
  setFlagsFromString(flag);
}
