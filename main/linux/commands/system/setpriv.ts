// setpriv(1) of util-linux: runs a command with other credentials.
import type { Program } from '../../kernel/index.ts';
import { groupByName, userByName } from '../frame/accounts.ts';
import { findExecutable, signalNumber } from '../frame/child.ts';
import { command, Failure } from '../frame/command.ts';

/** setpriv(1): --reuid, --regid, --ruid … with groups; capabilities aren't simulated. */
export const setpriv: Program = command(
  {
    short: 'd',
    long: [
      'reuid:',
      'ruid:>reuid',
      'euid:>reuid',
      'regid:',
      'rgid:>regid',
      'egid:>regid',
      'clear-groups',
      'keep-groups',
      'init-groups',
      'groups:',
      'reset-env',
      'no-new-privs',
      'nnp>no-new-privs',
      'dump>d',
    ],
    permute: false,
    usage: '[options] <program> [<argument>...]',
    version: 'from util-linux 2.38.1',
    usageExit: 1,
  },
  async ({ proc, options, operands }) => {
    const [name] = operands;
    if (name === undefined) throw new Failure('No program specified');
    const { credentials } = proc;
    const user = options.value('reuid');
    const account = user === undefined ? undefined : userByName(proc, user);
    const uid = user === undefined ? credentials.uid : (account?.uid ?? number(user, 'user'));
    const group = options.value('regid');
    const gid =
      group === undefined ? credentials.gid : (groupByName(proc, group)?.gid ?? number(group, 'group'));
    const listed = options.value('groups');
    const groups = options.has('clear-groups')
      ? []
      : listed === undefined
        ? credentials.groups
        : listed.split(',').map((each) => groupByName(proc, each)?.gid ?? number(each, 'group'));
    if (credentials.uid !== 0 && (uid !== credentials.uid || gid !== credentials.gid))
      throw new Failure('setresuid failed: Operation not permitted');
    let path: string;
    try {
      path = findExecutable(proc, name);
    } catch {
      throw new Failure(`failed to execute ${name}: No such file or directory`, 127);
    }
    const child = proc.spawn({ argv: operands, path, credentials: { uid, gid, groups } });
    const status = await child.wait();
    return status.kind === 'exited' ? status.exitCode : 128 + signalNumber(status.signal);
  },
);

function number(text: string, what: string): number {
  if (!/^\d+$/.test(text)) throw new Failure(`failed to parse ${what}: '${text}'`);
  return Number(text);
}
