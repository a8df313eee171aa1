// /proc/sys: kernel parameters as files, the network's own among them. sysctl(8), proc(5).
import { ErrnoError } from '../../network/index.ts';
import {
  GeneratedDirectory,
  GeneratedFile,
  type GeneratedNode,
  type GeneratedTree,
} from './generated-tree.ts';
import type { MachineKernel } from './make-kernel.ts';
import { VirtualProcess } from './virtual-process.ts';
import type { Process } from './process.ts';

/** Parameters that only hold a value, with the value a machine boots with. */
export const PLAIN_SYSCTLS: Readonly<Record<string, string>> = {
  'fs.file-max': '386774',
  'fs.inotify.max_user_instances': '128',
  'fs.inotify.max_user_watches': '8192',
  'fs.may_detach_mounts': '1',
  'fs.nr_open': '1048576',
  'kernel.core_pattern': 'core',
  'kernel.core_uses_pid': '1',
  'kernel.domainname': '(none)',
  'kernel.keys.root_maxbytes': '25000000',
  'kernel.keys.root_maxkeys': '1000000',
  'kernel.panic': '0',
  'kernel.panic_on_oops': '1',
  'kernel.pid_max': '131072',
  'kernel.printk': '7\t4\t1\t7',
  'kernel.sysrq': '16',
  'kernel.threads-max': '30124',
  'user.max_user_namespaces': '0',
  'vm.dirty_background_ratio': '10',
  'vm.dirty_ratio': '20',
  'vm.drop_caches': '0',
  'vm.max_map_count': '65530',
  'vm.min_free_kbytes': '67584',
  'vm.overcommit_memory': '0',
  'vm.overcommit_ratio': '50',
  'vm.panic_on_oom': '0',
  'vm.swappiness': '30',
  'vm.vfs_cache_pressure': '100',
};

/** Between what some of them must lie. */
const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  'kernel.pid_max': [301, 4_194_304],
  'kernel.threads-max': [20, 1_073_741_823],
  'vm.overcommit_memory': [0, 2],
  'vm.panic_on_oom': [0, 2],
  'vm.swappiness': [0, 200],
};

interface Parameter {
  readonly read: (viewer: Process | undefined) => string;
  readonly write?: (value: string, writer: Process) => void;
}

function newestPid(viewer: Process | undefined): number {
  return viewer instanceof VirtualProcess ? viewer.surroundings.pids.newest : 0;
}

/** The directory of all parameters; `net` is that of the process that looks. */
export function sysctlDirectory(tree: GeneratedTree, kernel: MachineKernel): GeneratedDirectory {
  return directory(tree, kernel, '');
}

function directory(tree: GeneratedTree, kernel: MachineKernel, prefix: string): GeneratedDirectory {
  return new GeneratedDirectory(
    tree,
    {
      names(viewer) {
        const names = new Set<string>();
        for (const path of parameterPaths(kernel, viewer))
          if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split('/', 1)[0]!);
        return Array.from(names);
      },
      lookup(name, viewer): GeneratedNode | undefined {
        const path = `${prefix}${name}`;
        const parameter = parameterAt(kernel, path, viewer);
        if (parameter !== undefined) return parameterFile(tree, parameter);
        const isDirectory = parameterPaths(kernel, viewer).some((other) => other.startsWith(`${path}/`));
        return isDirectory ? directory(tree, kernel, `${path}/`) : undefined;
      },
    },
    0o555,
  );
}

function parameterFile(tree: GeneratedTree, parameter: Parameter): GeneratedFile {
  const { write } = parameter;
  return new GeneratedFile(
    tree,
    (viewer) => `${parameter.read(viewer)}\n`,
    write === undefined ? undefined : (text, writer) => write(text.replace(/\n$/, ''), writer),
  );
}

/** `net.ipv4.conf.eth0/1.forwarding` lies at `net/ipv4/conf/eth0.1/forwarding`. */
function pathOf(name: string): string {
  return name.replace(/[./]/g, (mark) => (mark === '.' ? '/' : '.'));
}

function nameOf(path: string): string {
  return path.replace(/[./]/g, (mark) => (mark === '/' ? '.' : '/'));
}

function parameterPaths(kernel: MachineKernel, viewer: Process | undefined): string[] {
  const { sysctls } = viewer?.net ?? kernel.net;
  const network = sysctls.list().map(({ name }) => name);
  return [...kernel.sysctls.keys(), ...Object.keys(SPECIAL), ...network].map(pathOf);
}

function parameterAt(
  kernel: MachineKernel,
  path: string,
  viewer: Process | undefined,
): Parameter | undefined {
  const name = nameOf(path);
  if (Object.hasOwn(SPECIAL, name)) return SPECIAL[name]!(kernel);
  const plain = kernel.sysctls.get(name);
  if (plain !== undefined)
    return {
      read: () => kernel.sysctls.get(name) ?? '',
      write: (value) => kernel.setSysctl(name, value),
    };
  const { sysctls } = viewer?.net ?? kernel.net;
  if (sysctls.get(name) === undefined) return undefined;
  return {
    read: () => sysctls.get(name) ?? '',
    write: (value, writer) => writer.kernel.setSysctl(name, value, writer),
  };
}

/** The stored form of a value that only stands there. Throws EINVAL where a number must be. */
export function plainValue(name: string, previous: string, value: string): string {
  const text = value.trim().replaceAll(/\s+/g, '\t');
  if (/^-?\d/.test(previous) && !/^-?\d+(\t-?\d+)*$/.test(text)) throw new ErrnoError('EINVAL');
  const [least, most] = RANGES[name] ?? [-Infinity, Infinity];
  if (Number(text) < least || Number(text) > most) throw new ErrnoError('EINVAL');
  return text;
}

const SPECIAL: Readonly<Record<string, (kernel: MachineKernel) => Parameter>> = {
  'fs.file-nr': (kernel) => ({
    read: () => {
      let open = 0;
      for (const process of kernel.pids.processes.values()) open += process.fds.size;
      return `${open}\t0\t${kernel.sysctls.get('fs.file-max')}`;
    },
  }),
  'kernel.cap_last_cap': () => ({ read: () => '40' }),
  'kernel.ns_last_pid': () => ({ read: (viewer) => String(newestPid(viewer)) }),
  'kernel.hostname': () => ({
    read: (viewer) => viewer?.kernel.hostname ?? '',
    write: (value, writer) => {
      writer.kernel.hostname = value.trim();
    },
  }),
  'kernel.osrelease': (kernel) => ({ read: () => kernel.release }),
  'kernel.ostype': () => ({ read: () => 'Linux' }),
  'kernel.random.boot_id': (kernel) => ({ read: () => kernel.bootId }),
  'kernel.random.entropy_avail': () => ({ read: () => '3072' }),
  'kernel.random.uuid': (kernel) => ({ read: () => kernel.random.uuid() }),
  'kernel.version': (kernel) => ({ read: () => kernel.version }),
};
