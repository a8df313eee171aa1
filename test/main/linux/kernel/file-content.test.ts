// Files with holes: what they hold, what they take on the disk, and that a reopened disk finds both again.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FileContent } from '../../../../main/linux/kernel/file-content.ts';
import { makeBareMachine, run } from '../../../support/make-machine.ts';

const GIB = 1024 ** 3;

type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly data: Uint8Array }
  | { readonly kind: 'resize'; readonly sizeBytes: number }
  | {
      readonly kind: 'allocate';
      readonly offset: number;
      readonly sizeBytes: number;
      readonly keepSize: boolean;
    }
  | { readonly kind: 'copy' };

const offset = fc.nat(40_000);
const data = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 50 }),
  fc.integer({ min: 1, max: 9000 }).map((length) => new Uint8Array(length)),
  fc.integer({ min: 1, max: 9000 }).map((length) => new Uint8Array(length).fill(7)),
);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), offset, data }),
  fc.record({ kind: fc.constant('resize' as const), sizeBytes: offset }),
  fc.record({
    kind: fc.constant('allocate' as const),
    offset,
    sizeBytes: fc.integer({ min: 1, max: 20_000 }),
    keepSize: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('copy' as const) }),
);

/** The plain model: all bytes, and the set of blocks on the disk. */
class Model {
  bytes = new Uint8Array(0);
  blocks = new Set<number>();

  private take(from: number, to: number): void {
    for (let block = Math.floor(from / 4096); block < Math.ceil(to / 4096); block++) this.blocks.add(block);
  }
  resize(sizeBytes: number): void {
    const bytes = new Uint8Array(sizeBytes);
    bytes.set(this.bytes.subarray(0, sizeBytes));
    if (sizeBytes < this.bytes.length)
      for (const block of this.blocks) if (block * 4096 >= sizeBytes) this.blocks.delete(block);
    this.bytes = bytes;
  }
  apply(step: Change): void {
    if (step.kind === 'resize') this.resize(step.sizeBytes);
    if (step.kind === 'write') {
      const end = step.offset + step.data.length;
      if (end > this.bytes.length) this.resize(end);
      this.take(step.offset, end);
      this.bytes.set(step.data, step.offset);
    }
    if (step.kind === 'allocate') {
      const end = step.offset + step.sizeBytes;
      if (end > this.bytes.length && !step.keepSize) this.resize(end);
      this.take(step.offset, end);
    }
  }
}

test('any changes leave the bytes and blocks that a plain array and a set of blocks have', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 25 }), (steps) => {
      let content = new FileContent();
      const originals: { readonly content: FileContent; readonly bytes: Uint8Array }[] = [];
      const model = new Model();
      for (const step of steps) {
        if (step.kind === 'copy') {
          originals.push({ content, bytes: model.bytes.slice() });
          content = content.copy();
        } else if (step.kind === 'write') {
          content.write(step.offset, step.data, content.keeps(step.offset, step.data));
        } else if (step.kind === 'resize') {
          content.resize(step.sizeBytes);
        } else {
          content.allocate(step.offset, step.offset + step.sizeBytes, step.keepSize);
        }
        model.apply(step);
        expect(content.sizeBytes).toBe(model.bytes.length);
        expect(content.allocatedBytes).toBe(model.blocks.size * 4096);
      }
      expect(Buffer.compare(content.read(0, 1e6), model.bytes)).toBe(0);
      for (const original of originals)
        expect(Buffer.compare(original.content.read(0, 1e6), original.bytes)).toBe(0);
    }),
    { numRuns: 300, seed: 4 },
  );
});

test('a file of ten gigabytes costs the host nothing, be it a hole, allocated or written with zeros', async () => {
  const machine = makeBareMachine();
  const { files } = machine.kernel;
  const used = (): number => machine.kernel.usage('/').usedBytes;
  files.writeFile('/tmp/hole', '');
  const before = used();
  await run(machine, async (proc) => {
    const file = proc.fs.open('/tmp/hole', { write: true, create: true });
    file.truncate(10 * GIB);
    return 0;
  });
  expect(files.stat('/tmp/hole')).toMatchObject({ sizeBytes: 10 * GIB, allocatedBytes: 0 });
  expect(used()).toBe(before);
  await run(
    machine,
    async (proc) => {
      proc.fs.open('/tmp/solid', { write: true, create: true }).allocate(0, 10 * GIB);
      const zeros = new Uint8Array(1024 ** 2);
      const file = proc.fs.open('/tmp/zeros', { write: true, create: true });
      for (let i = 0; i < 1024; i++) await file.write(zeros);
      await file.write('end');
      return 0;
    },
    { withinMs: 1e9 },
  ).catch(() => undefined);
  expect(files.stat('/tmp/solid')).toMatchObject({ sizeBytes: 10 * GIB, allocatedBytes: 10 * GIB });
  expect(files.stat('/tmp/zeros')).toMatchObject({ sizeBytes: GIB, allocatedBytes: GIB });
  expect(used() - before).toBe(11 * GIB);
  files.unlink('/tmp/solid');
  expect(used() - before).toBe(GIB);
});

test('a full disk takes no more, says ENOSPC, and gives room back', async () => {
  const machine = makeBareMachine();
  const { files } = machine.kernel;
  const answers: string[] = [];
  await run(machine, async (proc) => {
    const attempt = (action: () => void): void => {
      try {
        action();
        answers.push('ok');
      } catch (error) {
        answers.push((error as { code: string }).code);
      }
    };
    const { totalBytes, usedBytes } = proc.kernel.usage('/');
    attempt(() =>
      proc.fs.open('/tmp/most', { write: true, create: true }).allocate(0, totalBytes - usedBytes - 8192),
    );
    attempt(() => proc.fs.writeFile('/tmp/little', 'x'));
    attempt(() => proc.fs.writeFile('/tmp/more', new Uint8Array(20_000).fill(1)));
    attempt(() => proc.fs.unlink('/tmp/most'));
    attempt(() => proc.fs.writeFile('/tmp/more', new Uint8Array(20_000).fill(1)));
    return 0;
  });
  expect(answers).toEqual(['ok', 'ok', 'ENOSPC', 'ok', 'ok']);
  expect(files.stat('/tmp/more').sizeBytes).toBe(20_000);
});
