// Each line by the real kubectl and by the virtual one: the same words on both streams, and the same status.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXCEPTIONS } from './exceptions.ts';
import { Bench, findRealKubectl, masked, type Outcome } from './harness.ts';
import { LINES } from './lines.ts';

const kubectl = findRealKubectl();
const title =
  kubectl === undefined ? 'kubectl 1.32 on the host (skipped: there is none)' : 'kubectl 1.32 on the host';

describe.skipIf(kubectl === undefined)(title, () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start(kubectl!);
  });
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
  });

  test.each(LINES.map((line, index) => ({ line, index })))(
    'answers as the virtual one to $index: $line',
    { timeout: 60_000 },
    async ({ line }) => {
      const real = shown(await bench.real(line.replaceAll('{ns}', 'par-real')));
      const virtual = shown(await bench.virtual(line.replaceAll('{ns}', 'par-virt')));
      const reason = EXCEPTIONS[line];
      const agrees = virtual === real;
      expect
        .soft(
          agrees,
          reason === undefined ? `real:\n${real}\nvirtual:\n${virtual}` : `no longer an exception: ${reason}`,
        )
        .toBe(reason === undefined);
    },
  );
});

function shown({ stdout, stderr, exitCode }: Outcome): string {
  return `${masked(stdout)}\n--- stderr\n${masked(stderr)}\n--- exit ${exitCode}`;
}
