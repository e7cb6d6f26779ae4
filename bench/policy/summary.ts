/** What the instances come to: ratios per policy, over all traces and over each half. */
import type { Instance } from "./instances.ts";

/** A policy's figures over a set of instances. */
export interface Figures {
  readonly toOptimum: Spread;
  readonly toOnsetBlind: Spread;
  readonly toBestStatic: Spread;
  /** Share of Σ(best static − OPT) that was saved. */
  readonly savingOfTotal: number;
  /** Mean over the instances where OPT saves at least 2 % of the best static choice. */
  readonly savingMean: number;
}

/** Mean and worst of a ratio. */
export interface Spread {
  readonly mean: number;
  readonly worst: number;
  readonly worstAt: string;
}

/** The tables of the benchmark. */
export interface Summary {
  readonly all: Readonly<Record<string, Figures>>;
  /** Traces at odd places of the sorted list: those that policies were tuned on. */
  readonly tuning: Readonly<Record<string, Figures>>;
  /** The other traces: the figures that count. */
  readonly reporting: Readonly<Record<string, Figures>>;
  readonly onsetBlindToOptimum: Spread;
}

/** Sums the instances up. */
export function summaryOf(instances: readonly Instance[]): Summary {
  const traces = [...new Set(instances.map((one) => one.trace))];
  const half = (rest: number): Instance[] =>
    instances.filter((one) => traces.indexOf(one.trace) % 2 === rest);
  return {
    all: figuresOf(instances),
    tuning: figuresOf(half(0)),
    reporting: figuresOf(half(1)),
    onsetBlindToOptimum: spreadOf(instances, (one) => one.optNa / one.opt),
  };
}

function figuresOf(instances: readonly Instance[]): Readonly<Record<string, Figures>> {
  const names = Object.keys(instances[0]?.policies ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const cost = (one: Instance): number => one.policies[name]?.costUsd ?? Number.NaN;
      const worthwhile = instances.filter((one) => one.bestStatic >= 1.02 * one.opt);
      const share = (one: Instance): number =>
        (one.bestStatic - cost(one)) / (one.bestStatic - one.opt);
      const saved = sum(instances, (one) => one.bestStatic - cost(one));
      const possible = sum(instances, (one) => one.bestStatic - one.opt);
      const figures: Figures = {
        toOptimum: spreadOf(instances, (one) => cost(one) / one.opt),
        toOnsetBlind: spreadOf(instances, (one) => cost(one) / one.optNa),
        toBestStatic: spreadOf(instances, (one) => cost(one) / one.bestStatic),
        savingOfTotal: saved / possible,
        savingMean: sum(worthwhile, share) / worthwhile.length,
      };
      return [name, figures];
    }),
  );
}

function sum(instances: readonly Instance[], of: (one: Instance) => number): number {
  return instances.reduce((total, one) => total + of(one), 0);
}

function spreadOf(instances: readonly Instance[], of: (one: Instance) => number): Spread {
  let worst = Number.NEGATIVE_INFINITY;
  let worstAt = "";
  for (const one of instances) {
    if (of(one) <= worst) continue;
    worst = of(one);
    worstAt = `${one.trace} ${one.scale}`;
  }
  return { mean: sum(instances, of) / instances.length, worst, worstAt };
}
