// procfs: processes and the machine's figures as text. proc(5).
import { VirtualProcess } from './virtual-process.ts';
import { GeneratedDirectory, GeneratedFile, GeneratedLink, GeneratedTree } from './generated-tree.ts';
import type { MachineKernel } from './make-kernel.ts';

export function makeProc(kernel: MachineKernel): GeneratedTree {
  const tree = new GeneratedTree('proc', () => kernel.clock.now());
  tree.setRoot({
    names: () => [],
    lookup: (name) => {
      if (name === 'self') return new GeneratedLink(tree, (viewer) => String(viewer?.pid ?? ''));
      return undefined;
    },
  });
  void GeneratedDirectory;
  void GeneratedFile;
  void VirtualProcess;
  return tree;
}
