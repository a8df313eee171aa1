// sysfs, as far as network tools read it: /sys/class/net.
import { GeneratedTree, fixed } from './generated-tree.ts';
import type { MachineKernel } from './make-kernel.ts';

export function makeSys(kernel: MachineKernel): GeneratedTree {
  const tree = new GeneratedTree('sysfs', () => kernel.clock.now());
  tree.setRoot(fixed({}));
  return tree;
}
