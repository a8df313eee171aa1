// The kernel as those in other pid and uts namespaces see it: process numbers and the host name are theirs.
import type { SocketOwner } from '../../network/index.ts';
import type { Kernel } from './kernel.ts';
import type { MachineKernel } from './make-kernel.ts';
import type { PidNamespace } from './pid-namespace.ts';
import type { Process } from './process.ts';

type Seen = Kernel & { readonly seenPids: PidNamespace; readonly seenUts: { hostname: string } };

/** What all such views of a kernel have in common; a view itself is only its two namespaces. */
export function seenPrototype(kernel: MachineKernel): Kernel {
  return Object.create(kernel, {
    hostname: {
      get(this: Seen) {
        return this.seenUts.hostname;
      },
      set(this: Seen, name: string) {
        this.seenUts.hostname = name;
      },
    },
    hostnameOf: {
      value(this: Seen, pid: number) {
        return this.seenPids.processes.get(pid)?.surroundings.uts.hostname ?? this.seenUts.hostname;
      },
    },
    process: {
      value(this: Seen, pid: number) {
        return this.seenPids.processes.get(pid);
      },
    },
    socketHolder: {
      value(this: Seen, owner: SocketOwner) {
        return kernel.holderSeenFrom(this.seenPids, owner);
      },
    },
    listProcesses: {
      value(this: Seen, viewer?: Process) {
        return kernel.listProcesses(viewer ?? this.seenPids.init);
      },
    },
  }) as Kernel;
}

/** One view. */
export function seenFrom(prototype: Kernel, pids: PidNamespace, uts: { hostname: string }): Kernel {
  return Object.assign(Object.create(prototype) as object, { seenPids: pids, seenUts: uts }) as Seen;
}
