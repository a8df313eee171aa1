// lsmod(8), modprobe(8), rmmod(8), insmod(8), modinfo(8), depmod(8)
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';

/** lsmod(8) */
export const lsmod: Program = command({}, async (it) => {
  await it.out.line('Module                  Size  Used by');
  for (const module of it.proc.kernel.listModules()) {
    const users = module.usedBy.length;
    await it.out.line(
      `${module.name.padEnd(19)} ${String(module.sizeBytes).padStart(8)}  ${users}${users > 0 ? ` ${module.usedBy.join(',')}` : ''}`,
    );
  }
});

function underscored(name: string): string {
  return name.replaceAll('-', '_').replace(/\.ko(?:\.xz)?$/, '');
}

/** modprobe(8) */
export const modprobe: Program = command(
  {
    short: 'afinqrsvV',
    long: [
      'all>a',
      'first-time',
      'remove>r',
      'quiet>q',
      'dry-run>n',
      'show>n',
      'verbose>v',
      'syslog>s',
      'force>f',
      'show-depends',
    ],
    usage: '[options] [-i] [-b] modulename [module parameters...]',
  },
  async (it) => {
    const { kernel } = it.proc;
    const [first] = it.operands;
    if (first === undefined) throw new Failure('ERROR: missing parameters. See -h.');
    for (const name of it.options.has('a', 'r') ? it.operands : [first]) {
      const module = underscored(name);
      if (it.options.has('show-depends')) {
        await showDependencies(it, module);
        continue;
      }
      if (it.options.has('n')) continue;
      try {
        if (!it.proc.can('SYS_MODULE')) throw new ErrnoError('EPERM');
        if (it.options.has('r')) kernel.unloadModule(module);
        else if (!kernel.modules.has(module)) kernel.loadModule(module);
        if (it.options.has('v'))
          await it.out.line(
            `${it.options.has('r') ? 'rmmod' : 'insmod'} ${it.options.has('r') ? module : `/lib/modules/${kernel.release}/kernel/${module}.ko.xz `}`,
          );
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        it.exitCode = 1;
        if (error.code === 'ENOENT') {
          if (!it.options.has('q'))
            await it.complain(
              `FATAL: Module ${name} not found${it.options.has('r') ? '.' : ` in directory /lib/modules/${kernel.release}`}`,
            );
        } else if (error.code === 'EBUSY') await it.complain(`FATAL: Module ${module} is in use.`);
        else
          await it.complain(
            `ERROR: could not ${it.options.has('r') ? 'remove' : 'insert'} '${module}': ${error.message}`,
          );
      }
    }
    return it.exitCode;
  },
);

/** `modprobe --show-depends`: what would be inserted, in that order. */
async function showDependencies(it: Invocation, module: string): Promise<void> {
  const { kernel } = it.proc;
  if (kernel.moduleDependencies(module) === undefined)
    return it.warn(`FATAL: Module ${module} not found in directory /lib/modules/${kernel.release}`);
  const order: string[] = [];
  const visit = (name: string): void => {
    for (const needed of kernel.moduleDependencies(name) ?? []) visit(needed);
    if (!order.includes(name)) order.push(name);
  };
  visit(module);
  for (const name of order) await it.out.line(`insmod /lib/modules/${kernel.release}/kernel/${name}.ko.xz `);
}

/** rmmod(8) */
export const rmmod: Program = command(
  { short: 'fsvV', long: ['force>f', 'syslog>s', 'verbose>v'], usage: '[options] modulename ...' },
  async (it) => {
    const { kernel } = it.proc;
    if (it.operands.length === 0) throw new Failure('ERROR: missing module name.');
    for (const name of it.operands) {
      const module = underscored(name);
      const found = kernel.listModules().find((one) => one.name === module);
      if (found === undefined) {
        await it.warn(`ERROR: Module ${module} is not currently loaded`);
        continue;
      }
      if (found.usedBy.length > 0) {
        await it.warn(`ERROR: Module ${module} is in use by: ${found.usedBy.join(' ')}`);
        continue;
      }
      try {
        if (!it.proc.can('SYS_MODULE')) throw new ErrnoError('EPERM');
        kernel.unloadModule(module);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        if (error.code === 'EBUSY') await it.warn(`ERROR: Module ${module} is in use`);
        else {
          await it.complain(`ERROR: could not remove '${module}': ${error.message}`);
          await it.warn(`ERROR: could not remove module ${name}: ${error.message}`);
        }
      }
    }
  },
);

/** What modinfo tells of the modules that people look at. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  br_netfilter: 'Linux ethernet netfilter firewall bridge',
  dummy: 'Dummy netdevice driver',
  ip_vs: 'IP Virtual Server',
  ip_vs_lc: 'ipvs least connection scheduler',
  ip_vs_rr: 'ipvs round-robin scheduler',
  ip_vs_sh: 'ipvs source hashing scheduler',
  ip_vs_wlc: 'ipvs weighted least connection scheduler',
  ip_vs_wrr: 'ipvs weighted round-robin scheduler',
  ipip: 'IP/IP protocol decoder library',
  nf_conntrack: 'IP conntrack',
  overlay: 'Overlay filesystem',
  veth: 'Virtual Ethernet Tunnel',
  vxlan: 'Driver for VXLAN encapsulated traffic',
};

/** Whether the kernel has such a module, loaded or not; asked for by loading it in thought. */
function moduleExists(proc: Process, name: string): boolean {
  return proc.kernel.moduleDependencies(name) !== undefined;
}

/** modinfo(8) */
export const modinfo: Program = command(
  {
    short: 'adlpn0F:k:b:',
    long: ['author>a', 'description>d', 'license>l', 'parameters>p', 'filename>n', 'field:>F'],
    usage: '[options] filename [args]',
    version: 'kmod version 30',
  },
  async (it) => {
    if (it.operands.length === 0) throw new Failure('ERROR: missing module or filename.');
    const { proc, options } = it;
    const { release } = proc.kernel;
    for (const name of it.operands) {
      const module = underscored(name);
      if (!moduleExists(proc, module)) {
        await it.warn(`ERROR: Module ${name} not found.`);
        continue;
      }
      const fields: [string, string][] = [
        ['filename', `/lib/modules/${release}/kernel/${module}.ko.xz`],
        ['license', 'GPL'],
        ...(DESCRIPTIONS[module] === undefined
          ? []
          : ([['description', DESCRIPTIONS[module]]] as [string, string][])),
        ['depends', (proc.kernel.moduleDependencies(module) ?? []).join(',')],
        ['retpoline', 'Y'],
        ['intree', 'Y'],
        ['name', module],
        ['vermagic', `${release} SMP mod_unload modversions `],
      ];
      const wanted = options.has('n')
        ? 'filename'
        : options.has('d')
          ? 'description'
          : options.has('l')
            ? 'license'
            : options.value('F');
      for (const [key, value] of fields) {
        if (wanted === undefined) await it.out.line(`${`${key}:`.padEnd(16)}${value}`);
        else if (wanted === key) await it.out.line(value);
      }
    }
  },
);

/** depmod(8): the kernel knows what its modules need. */
export const depmod: Program = command(
  {
    short: 'aAb:C:eE:F:mnvwV',
    long: ['all>a', 'quick>A', 'verbose>v', 'dry-run>n'],
    usage: '-[aA] [options] [forced_version]',
    version: 'kmod version 30',
  },
  async (it) => {
    if (it.proc.credentials.uid !== 0) {
      const path = `/lib/modules/${it.proc.kernel.release}`;
      throw new Failure(`ERROR: could not open directory ${path}: Permission denied`);
    }
    return Promise.resolve();
  },
);

/** insmod(8) */
export const insmod: Program = command(
  { usage: '[options] filename [module options]', version: 'kmod version 30' },
  async (it) => {
    const [path] = it.operands;
    if (path === undefined) throw new Failure('ERROR: missing filename.');
    const { proc } = it;
    const module = underscored(path.slice(path.lastIndexOf('/') + 1));
    if (!proc.fs.exists(path) && !path.startsWith('/lib/modules/'))
      throw new Failure(`ERROR: could not load module ${path}: No such file or directory`);
    if (proc.credentials.uid !== 0)
      throw new Failure(`ERROR: could not insert module ${path}: Operation not permitted`);
    if (proc.kernel.modules.has(module))
      throw new Failure(`ERROR: could not insert module ${path}: File exists`);
    if (!moduleExists(proc, module))
      throw new Failure(`ERROR: could not insert module ${path}: Invalid module format`);
    const missing = (proc.kernel.moduleDependencies(module) ?? []).some(
      (name) => !proc.kernel.modules.has(name),
    );
    if (missing) throw new Failure(`ERROR: could not insert module ${path}: Unknown symbol in module`);
    proc.kernel.loadModule(module);
  },
);
