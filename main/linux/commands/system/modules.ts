// lsmod(8), modprobe(8), rmmod(8), insmod(8), modinfo(8)
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';

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
    if (first === undefined)
      throw new Failure(
        'FATAL: Missing module parameters. Not enough arguments'.replace(
          'FATAL: Missing module parameters. Not enough arguments',
          'ERROR: missing parameters. See -h.',
        ),
      );
    for (const name of it.options.has('a', 'r') ? it.operands : [first]) {
      const module = underscored(name);
      if (it.options.has('n')) continue;
      try {
        if (!it.proc.can('SYS_MODULE')) throw new ErrnoError('EPERM');
        if (it.options.has('r')) kernel.unloadModule(module);
        else if (!kernel.modules.has(module)) kernel.loadModule(module);
        if (it.options.has('v'))
          await it.out.line(
            `${it.options.has('r') ? 'rmmod' : 'insmod'} ${it.options.has('r') ? module : `/lib/modules/${kernel.release}/kernel/${module}.ko `}`,
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

/** modinfo(8), what is simulated of it. */
export const modinfo: Program = command(
  { short: 'adlpn0F:', usage: '[options] filename [args]' },
  async (it) => {
    if (it.operands.length === 0) throw new UsageError('missing module or filename.');
    const { kernel } = it.proc;
    for (const name of it.operands) {
      const module = kernel.listModules().find((one) => one.name === underscored(name));
      if (module === undefined) await it.warn(`ERROR: Module ${name} not found.`);
      else
        await it.out.put(
          `filename:       /lib/modules/${kernel.release}/kernel/${module.name}.ko\nlicense:        GPL\nname:           ${module.name}\nvermagic:       ${kernel.release} SMP mod_unload modversions \n`,
        );
    }
  },
);
