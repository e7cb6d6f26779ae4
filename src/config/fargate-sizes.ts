/** The sizes that Fargate offers. */

/** Memory sizes for each vCPU size: from, to, in steps of, in MB. */
const memoryMB: Readonly<Record<number, readonly [number, number, number]>> = {
  0.5: [1024, 4096, 1024],
  1: [2048, 8192, 1024],
  2: [4096, 16_384, 1024],
  4: [8192, 30_720, 1024],
  8: [16_384, 61_440, 4096],
  16: [32_768, 122_880, 8192],
};

/** Whether a task of this size exists. */
export function fargateOffers(size: { readonly vcpu: number; readonly memoryMB: number }): boolean {
  if (size.vcpu === 0.25) return [512, 1024, 2048].includes(size.memoryMB);
  const [min, max, step] = memoryMB[size.vcpu] ?? [0, -1, 1];
  return size.memoryMB >= min && size.memoryMB <= max && size.memoryMB % step === 0;
}

/** The memory sizes of a vCPU size, in words. */
export function fargateOffer(vcpu: number): string {
  if (vcpu === 0.25) return "512, 1024 or 2048 MB";
  const [min, max, step] = memoryMB[vcpu] ?? [0, 0, 0];
  return `${min} to ${max} MB in steps of ${step}`;
}
