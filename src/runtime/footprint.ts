/**
 * Keeps this process small: it shares the memory of the environment with the service.
 *
 * Left alone, V8 lets the space for short-lived objects grow to 134 MB. Its optimising compilers
 * take another 10 to 15 MB and halve the time per request, so they are left out only where memory
 * is scarce or its size unknown. These are heuristics of the garbage collector and the compiler:
 * none changes what a program means.
 */
import { setFlagsFromString } from "node:v8";

/** Functions with at least this much memory have some to spare. */
const ampleMB = 512;

const always = ["--semi-space-growth-factor=1", "--heap-growing-percent=10"];
const scarce = ["--optimize-for-size", "--max-optimized-bytecode-size=0", "--no-maglev"];

const isAmple = Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? 0) >= ampleMB;
/**
 * Pieces of what came in would keep the 8 KB pool alive that they were cut from: with each
 * collection one more survives, up to 64 MB in all.
 */
Buffer.poolSize = 0;

for (const flag of isAmple ? always : [...always, ...scarce]) setFlagsFromString(flag);
