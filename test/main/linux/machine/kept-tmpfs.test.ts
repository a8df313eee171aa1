// Volumes in memory: a reopened workspace finds them mounted, with their files; an unmounted one leaves nothing.
import { expect, test } from 'vitest';
import { makeMachine, type Machine } from '../../../../main/linux/machine/index.ts';
import { makeRandom } from '../../../../main/simulation/index.ts';
import { makeMemoryStore } from '../../../support/memory-store.ts';
import { makeTestNet, makeTestSimulation } from '../../../support/make-machine.ts';

const MIB = 1024 ** 2;
const TARGET = '/var/lib/kubelet/pods/1/volumes/token';

function open(store: ReturnType<typeof makeMemoryStore>): Machine {
  const clock = makeTestSimulation();
  return makeMachine({
    name: 'worker1',
    random: makeRandom(1),
    store,
    net: makeTestNet(clock),
    programs: new Map(),
    onFault: (error) => {
      throw error;
    },
    clock,
  });
}

test('a volume is a tmpfs of its size, and is there with its files after a reopen', () => {
  const store = makeMemoryStore();
  {
    using machine = open(store);
    const { kernel } = machine;
    kernel.files.mkdir(TARGET, { recursive: true });
    kernel.mountVolume({ target: TARGET, sizeMaxBytes: MIB, mode: 0o1777 });
    kernel.files.writeFile(`${TARGET}/token`, 'secret');
    expect(kernel.files.readText('/proc/mounts')).toContain(
      `tmpfs ${TARGET} tmpfs rw,relatime,size=1024k 0 0\n`,
    );
    expect(kernel.files.stat(TARGET).mode).toBe(0o1777);
    expect(kernel.cgroupUsage('/init.scope')!.memoryBytes).toBeGreaterThan(4 * MIB);
  }
  using machine = open(store);
  const { kernel } = machine;
  expect(kernel.isMounted(TARGET)).toBe(true);
  expect(kernel.files.readText(`${TARGET}/token`)).toBe('secret');
  expect(kernel.usage(TARGET)).toMatchObject({ totalBytes: MIB, usedBytes: 4096 });
});

test('what is unmounted is erased', () => {
  const store = makeMemoryStore();
  using machine = open(store);
  const { kernel } = machine;
  kernel.files.mkdir(TARGET, { recursive: true });
  const before = store.list('/machines/worker1/tmpfs/').length;
  kernel.mountVolume({ target: TARGET, sizeMaxBytes: MIB, mode: 0o755 });
  kernel.files.writeFile(`${TARGET}/token`, 'secret');
  kernel.unmount(TARGET);
  expect(kernel.files.readdir(TARGET)).toEqual([]);
  expect(store.list('/machines/worker1/tmpfs/')).toHaveLength(before);
});
